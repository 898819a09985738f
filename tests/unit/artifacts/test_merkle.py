"""Merkle trees against RFC 6962's own recursive definition, known roots, and forged paths."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.artifacts.merkle import (
    EMPTY_ROOT,
    fold,
    leaf_hash,
    root_from_path,
    tree_of,
    verify_inclusion,
)

# The test inputs of the reference implementation of certificate transparency, and its roots after each.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves):
    """RFC 6962, section 2.1, word for word, over leaves that are hashed already."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def audit_path(index, leaves):
    """PATH(m, D[n]) of section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return [*audit_path(index, leaves[:k]), mth(leaves[k:])]
    return [*audit_path(index - k, leaves[k:]), mth(leaves[:k])]


def some(count):
    return [leaf_hash(b"%d" % at) for at in range(count)]


@pytest.mark.parametrize("count", range(1, 9))
def test_known_roots(count):
    leaves = [leaf_hash(bytes.fromhex(text)) for text in INPUTS[:count]]
    assert fold([b"".join(leaves)]).root.hex() == ROOTS[count - 1]


@pytest.mark.parametrize("count", [*range(70), 255, 256, 257, 1000])
def test_shape_and_paths_are_those_of_the_rfc(count):
    leaves = some(count)
    tree = tree_of(b"".join(leaves))
    assert tree.root == mth(leaves) == fold([b"".join(leaves)]).root
    assert tree.count == count
    for index in {0, count // 3, count // 2, count - 2, count - 1} & set(range(count)):
        path = tree.path(index)
        assert list(path) == audit_path(index, leaves)
        assert verify_inclusion(leaves[index], index, count, path, tree.root)


def test_no_leaves_have_the_hash_of_nothing():
    assert fold([]).root == fold([b""]).root == tree_of(b"").root == EMPTY_ROOT == hashlib.sha256().digest()
    with pytest.raises(IndexError):
        tree_of(b"").path(0)


@pytest.mark.parametrize("count", [65_535, 65_536, 65_537, 131_072, 200_001])
def test_folding_in_blocks_is_the_same(count):
    leaves = b"".join(hashlib.sha256(b"%d" % at).digest() for at in range(count))
    cuts = sorted(random.Random(count).sample(range(count), 50))
    blocks = [leaves[a * 32 : b * 32] for a, b in zip([0, *cuts], [*cuts, count], strict=True)]
    folded = fold(blocks)
    assert (folded.root, folded.count) == (tree_of(leaves).root, count)


def test_cut_off_leaves_are_no_tree():
    with pytest.raises(ValueError, match="whole number"):
        tree_of(b"x" * 33)


@given(st.integers(1, 200), st.data())
def test_no_other_index_count_leaf_or_path_leads_to_the_root(count, data):
    leaves = some(count)
    tree = tree_of(b"".join(leaves))
    index = data.draw(st.integers(0, count - 1))
    path = list(tree.path(index))
    wrong_index = data.draw(st.integers(-2, count + 2).filter(lambda other: other != index))
    # The same leaf and path at another index never hold (the count is signed, so it cannot vary).
    assert not verify_inclusion(leaves[index], wrong_index, count, path, tree.root)
    assert not verify_inclusion(leaf_hash(b"x"), index, count, path, tree.root)
    assert not verify_inclusion(leaves[index], index, count, [*path, leaf_hash(b"")], tree.root)
    if path:
        assert not verify_inclusion(leaves[index], index, count, path[:-1], tree.root)
        at = data.draw(st.integers(0, len(path) - 1))
        path[at] = leaf_hash(path[at])
        assert not verify_inclusion(leaves[index], index, count, path, tree.root)


def test_a_node_does_not_pass_for_a_record():
    """Second preimage: the record whose bytes are two leaves is not the node above them."""
    leaves = some(4)
    tree = tree_of(b"".join(leaves))
    forged = leaf_hash(leaves[0] + leaves[1])
    assert not verify_inclusion(forged, 0, 2, tree.path(0)[1:], tree.root)
    assert forged != tree.levels[1][:32]
    # Nor does an inner node pass for a leaf of the signed count.
    assert not verify_inclusion(tree.levels[1][:32], 0, 4, tree.path(0)[1:], tree.root)


def test_nonsense_leads_nowhere():
    assert root_from_path(b"short", 0, 1, []) is None
    assert root_from_path(leaf_hash(b""), 0, 2, [b"short"]) is None
    assert root_from_path(leaf_hash(b""), 0, 2**70, [leaf_hash(b"")] * 65) is None
    assert root_from_path(leaf_hash(b""), 0, 0, []) is None
