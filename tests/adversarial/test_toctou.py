"""Somebody who can write to the disk, or to memory that others can open, strikes between the check and the use."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import provenance
from provenance.artifacts.algorithms import CHUNK_SIZE
from provenance.errors import ProvenanceError, Refused, Undecided
from provenance.loading import memfd, reading, sealed


@pytest.fixture
def wide(tmp_path: Path, key: Path) -> Path:
    """A signed single file of several chunks, so that threads share the work."""
    path = tmp_path / "wide.safetensors"
    save_file({"first": np.zeros(3 << 20, np.float32), "last": np.ones(3 << 20, np.float32)}, path)
    provenance.sign(path, key=key)
    return path


def striking(monkeypatch: pytest.MonkeyPatch, strike: object, *, at_read: int) -> None:
    """Run ``strike`` once, right after the given read of a slice: the narrowest moment there is."""
    real, count, lock = os.preadv, iter(range(1_000_000)), threading.Lock()

    def preadv(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        got = real(descriptor, buffers, offset)
        with lock:
            if next(count) == at_read:
                strike()  # type: ignore[operator]
        return got

    monkeypatch.setattr(reading.os, "preadv", preadv)


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_bytes_written_behind_the_reader_never_reach_a_tensor(
    wide: Path, public: Path, monkeypatch: pytest.MonkeyPatch, framework: str
):
    def overwrite() -> None:
        with wide.open("r+b") as file:
            file.write(b"\xff" * wide.stat().st_size)

    count = -(-wide.stat().st_size // reading.SLICE)
    for moment in (0, count // 2, count - 1):
        original = wide.read_bytes()
        with monkeypatch.context() as patch:
            striking(patch, overwrite, at_read=moment)
            try:
                tensors = provenance.load(wide, keys=public, framework=framework)  # type: ignore[arg-type]
            except Refused:
                tensors = None
        if tensors is not None:
            assert not np.asarray(tensors["first"]).any()
            assert np.asarray(tensors["last"]).all()
        assert (tensors is None) or moment == count - 1
        wide.write_bytes(original)


def test_a_file_cut_while_it_is_read_is_an_error_and_no_signal(
    wide: Path, public: Path, monkeypatch: pytest.MonkeyPatch
):
    striking(monkeypatch, lambda: os.truncate(wide, CHUNK_SIZE), at_read=1)
    with pytest.raises(Undecided) as caught:
        provenance.load(wide, keys=public)
    assert caught.value.code == "ART009"


def test_a_file_that_grows_while_it_is_read_is_an_error(
    wide: Path, public: Path, monkeypatch: pytest.MonkeyPatch
):
    striking(monkeypatch, lambda: os.truncate(wide, 2 * wide.stat().st_size), at_read=1)
    with pytest.raises(Undecided) as caught:
        provenance.load(wide, keys=public)
    assert caught.value.code == "ART009"


def test_a_file_swapped_while_it_is_read_changes_nothing(
    wide: Path, public: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = tmp_path / "other"
    other.write_bytes(b"\xff" * wide.stat().st_size)
    striking(monkeypatch, lambda: other.replace(wide), at_read=1)
    tensors = provenance.load(wide, keys=public)
    assert not tensors["first"].any()
    assert tensors["last"].all()


def test_writing_to_a_tensor_reaches_neither_the_file_nor_the_next_load(wide: Path, public: Path):
    before = wide.read_bytes()
    provenance.load(wide, keys=public)["first"][:] = 7
    assert wide.read_bytes() == before
    assert not provenance.load(wide, keys=public)["first"].any()


def test_a_huge_sparse_file_in_its_place_is_refused_at_once(wide: Path, public: Path):
    os.truncate(wide, 1 << 42)
    with pytest.raises(Refused) as caught:
        provenance.load(wide, keys=public)
    assert caught.value.code == "SIG003"
    with pytest.raises(Refused), provenance.open_tensors(wide, keys=public):
        pass


@pytest.mark.skipif(not memfd.HAS_SEALS, reason="sealed memory is a feature of Linux")
def test_a_copy_changed_by_another_process_before_the_seal_is_refused(
    wide: Path, public: Path, monkeypatch: pytest.MonkeyPatch
):
    def fill(descriptor: int, size: int, buffer: memoryview) -> None:
        reading.fill(descriptor, size, buffer)
        for entry in os.listdir("/proc/self/fd"):  # as any process of this user can
            link = f"/proc/self/fd/{entry}"
            if os.path.islink(link) and "memfd:wide" in os.readlink(link):
                with open(link, "r+b", buffering=0) as file:
                    file.seek(-8, os.SEEK_END)
                    file.write(b"\xff" * 8)
                return
        raise AssertionError("there was nothing to attack")

    monkeypatch.setattr(sealed, "fill", fill)
    with pytest.raises(Refused) as caught, provenance.sealed(wide, keys=public):
        pass
    assert caught.value.code == "SIG014"


@pytest.fixture
def two_signers(tmp_path: Path, model: Path, keys: dict[str, Path]) -> Iterator[Path]:
    """A policy that asks for two signers; the names of the keys are those of the fixture."""
    policy = tmp_path / "two.toml"
    first, second = (json.dumps(f"{keys[name]}.pub") for name in ("ecdsa-p256", "ed25519"))
    policy.write_text(
        'version = 1\n[signatures]\nthreshold = 2\naccept = ["one", "two"]\n'
        f"[signers.one]\nkeys = [{first}]\n[signers.two]\nkeys = [{second}]\n"
    )
    yield policy
    shutil.rmtree(model)


def sign_with_chunks_of(model: Path, key: Path, other: bytes | None) -> None:
    """Sign the true digests; say of each file's chunks what they would be for ``other`` (None: say nothing)."""
    import msgspec
    from blake3 import blake3

    from provenance.artifacts.manifest import Serialization
    from provenance.attestations.oms import manifest_statement
    from provenance.signing.sign import build_manifest
    from provenance.signing.signers import key_signer, open_key

    manifest = build_manifest(model, Serialization())
    chunks = None
    if other is not None:
        chunks = tuple(
            blake3(other[at : at + CHUNK_SIZE]).digest() for at in range(0, len(other), CHUNK_SIZE)
        )
    resources = tuple(
        msgspec.structs.replace(
            each, chunks=chunks if other is None or each.name == "model.safetensors" else each.chunks
        )
        for each in manifest.resources
    )
    payload = manifest_statement(msgspec.structs.replace(manifest, resources=resources), "model")
    (model / "model.sig").write_bytes(key_signer(open_key(key))(payload))


@pytest.mark.parametrize("honest", ["chunks", "digests only"])
def test_one_dishonest_signer_does_not_pass_for_two(
    model: Path, keys: dict[str, Path], two_signers: Path, honest: str
):
    weights = model / "model.safetensors"
    good = weights.read_bytes()
    evil = good[:-40] + b"\xff" * 40
    (model / ".provenance").mkdir()
    if honest == "chunks":
        provenance.sign(model, key=keys["ed25519"], signature=model / ".provenance" / "two.sigstore.json")
    else:
        sign_with_chunks_of(model, keys["ed25519"], None)
        (model / "model.sig").rename(model / ".provenance" / "two.sigstore.json")
    sign_with_chunks_of(model, keys["ecdsa-p256"], evil)
    assert provenance.verify(model, policy=two_signers).decision == "accepted"
    assert "bias" in provenance.load(model, policy=two_signers)
    weights.write_bytes(evil)
    for verb in (load, seal, read_lazily):
        with pytest.raises(ProvenanceError):
            verb(model, two_signers)
    # Alone, the dishonest signer is believed: that is what trusting one signer means.
    (model / ".provenance" / "two.sigstore.json").unlink()
    assert "bias" in provenance.load(model, keys=f"{keys['ecdsa-p256']}.pub")


def load(model: Path, policy: Path) -> object:
    return provenance.load(model, policy=policy)


def seal(model: Path, policy: Path) -> object:
    with provenance.sealed(model, policy=policy) as path:
        return path


def read_lazily(model: Path, policy: Path) -> object:
    with provenance.open_tensors(model, policy=policy) as tensors:
        return tensors.tensor("bias")
