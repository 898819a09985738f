import hashlib
import os
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.artifacts.algorithms import CHUNK_SIZE
from provenance.artifacts.comparing import compare
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.manifest import Serialization, dir_hash, root_digest
from provenance.artifacts.measuring import measure

PLAIN = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b, "blake3": blake3}
SIZES = [0, 1, 65536, 65537, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE + 5]


def fill(root: Path) -> dict[str, bytes]:
    contents = {f"f{index}": os.urandom(size) for index, size in enumerate(SIZES)}
    for name, data in contents.items():
        (root / name).write_bytes(data)
    return contents


@pytest.mark.parametrize("algorithm", list(PLAIN))
def test_digests_are_those_of_the_plain_hash(tmp_path: Path, algorithm: str) -> None:
    contents = fill(tmp_path)
    measured = measure(list_artifact(tmp_path), Serialization(hash_type=algorithm), chunks=True)
    for resource in measured.resources:
        data = contents[resource.name]
        assert resource.digest == PLAIN[algorithm](data).digest()
        parts = [data[start : start + CHUNK_SIZE] for start in range(0, len(data), CHUNK_SIZE)]
        assert resource.chunks == tuple(blake3(part).digest() for part in parts)


@pytest.mark.parametrize("size", [1, 1000, CHUNK_SIZE, 10**9])
def test_shards_cover_every_byte_once_and_empty_files_not_at_all(tmp_path: Path, size: int) -> None:
    contents = {"a": os.urandom(2500), "b:0:7": b"x" * 999, "empty": b""}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    measured = measure(list_artifact(tmp_path), Serialization(method="shards", shard_size=size))
    seen: dict[str, int] = {}
    for resource in sorted(measured.resources, key=lambda each: (each.name, each.start)):
        assert resource.start == seen.get(resource.name, 0)
        assert (
            resource.digest == hashlib.sha256(contents[resource.name][resource.start : resource.end]).digest()
        )
        seen[resource.name] = resource.end
    assert seen == {"a": 2500, "b:0:7": 999}
    assert "empty" in {file.name for file in measured.files}


def test_resources_come_in_the_order_of_identifiers(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"x" * 12)
    measured = measure(list_artifact(tmp_path), Serialization(method="shards", shard_size=1))
    identifiers = [resource.identifier for resource in measured.resources]
    assert identifiers == sorted(identifiers)
    assert identifiers[:3] == ["w:0:1", "w:10:11", "w:11:12"]


def test_root_digest_is_sha256_over_raw_digests_whatever_the_algorithm(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    for algorithm, plain in PLAIN.items():
        resources = measure(list_artifact(tmp_path), Serialization(hash_type=algorithm)).resources
        expected = hashlib.sha256(plain(b"1").digest() + plain(b"2").digest()).digest()
        assert root_digest(resources) == expected


def test_dir_hash_is_the_one_of_go(tmp_path: Path) -> None:
    # Hash1 of golang.org/x/mod/sumdb/dirhash, written out: sha256sum lines, sorted by name, digested again.
    (tmp_path / "b").write_bytes(b"2")
    (tmp_path / "a b").write_bytes(b"1")
    lines = f"{hashlib.sha256(b'1').hexdigest()}  a b\n{hashlib.sha256(b'2').hexdigest()}  b\n"
    resources = measure(list_artifact(tmp_path), Serialization()).resources
    assert dir_hash(resources) == hashlib.sha256(lines.encode()).hexdigest()
    assert dir_hash(measure(list_artifact(tmp_path), Serialization(hash_type="blake3")).resources) is None


def test_an_unreadable_file_is_a_finding_and_the_others_are_measured(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    listing = list_artifact(tmp_path)
    (tmp_path / "a").unlink()
    measured = measure(listing, Serialization())
    assert [found.rule for found in measured.findings] == ["ART008"]


@pytest.mark.parametrize("change", [b"", b"12", b"x" * 100_000])
def test_a_file_that_changes_its_length_is_a_finding(tmp_path: Path, change: bytes) -> None:
    (tmp_path / "a").write_bytes(b"1" if len(change) < 3 else b"x" * 70_000)
    listing = list_artifact(tmp_path)
    (tmp_path / "a").write_bytes(change)
    assert [found.rule for found in measure(listing, Serialization()).findings] == ["ART009"]


def test_a_directory_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "m" / "d").mkdir(parents=True)
    (tmp_path / "m" / "d" / "w").write_bytes(b"1")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "w").write_bytes(b"2")
    listing = list_artifact(tmp_path / "m")
    (tmp_path / "m" / "d").rename(tmp_path / "gone")
    (tmp_path / "m" / "d").symlink_to("../outside")
    assert [found.rule for found in measure(listing, Serialization()).findings] == ["ART008"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_comparing_finds_exactly_what_was_changed(tmp_path_factory, data) -> None:
    root = tmp_path_factory.mktemp("artifact")
    for name in "abcd":
        (root / name).write_bytes(name.encode() * 10)
    method = data.draw(st.sampled_from([Serialization(), Serialization(method="shards", shard_size=3)]))
    signed = measure(list_artifact(root), method).resources
    changes = data.draw(
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["change", "remove", "longer", "shorter"]))
    )
    added = data.draw(st.sets(st.sampled_from("xyz")))
    for name, change in changes.items():
        if change == "remove":
            (root / name).unlink()
        else:
            (root / name).write_bytes(
                {"change": b"!" * 10, "longer": name.encode() * 11, "shorter": name.encode() * 9}[change]
            )
    for name in added:
        (root / name).write_bytes(b"")
    listing = list_artifact(root)
    result = compare(signed, measure(listing, method).files, listing)
    expected = {(name, "SIG004" if change == "remove" else "SIG003") for name, change in changes.items()}
    assert {(found.path, found.rule) for found in result.findings} == expected
    assert set(result.unsigned) == added
