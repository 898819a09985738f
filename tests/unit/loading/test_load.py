import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import provenance
from provenance.errors import Malformed, Refused, UsageError

DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64,
    torch.uint64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64,
    torch.float8_e4m3fn, torch.float8_e5m2,
]  # fmt: skip


@pytest.fixture
def every(tmp_path: Path) -> Path:
    """A model with a tensor of each dtype, an empty one, a scalar and one larger than a chunk."""
    model = tmp_path / "every"
    model.mkdir()
    tensors = {str(dtype): torch.arange(7).to(dtype) for dtype in DTYPES}
    tensors |= {"empty": torch.zeros(0, 3), "scalar": torch.tensor(3.0), "large": torch.randn(1200, 1000)}
    save_file(tensors, model / "model.safetensors")
    return model


def raw(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


@pytest.mark.parametrize(
    "options", [{}, {"digest": "blake2b"}, {"digest": "blake3"}, {"shard_size": 70_000}], ids=str
)
def test_tensors_are_those_of_the_reference_loader(
    every: Path, key: Path, public: Path, options: dict
) -> None:
    provenance.sign(every, key=key, **options)
    expected = load_file(every / "model.safetensors")
    tensors = provenance.load(every, keys=public, framework="torch")
    arrays = provenance.load(every, keys=public)
    assert tensors.keys() == expected.keys() == arrays.keys()
    for name, tensor in expected.items():
        assert (tensors[name].dtype, tensors[name].shape) == (tensor.dtype, tensor.shape)
        assert raw(tensors[name]) == raw(tensor) == arrays[name].tobytes()
        assert arrays[name].shape == tuple(tensor.shape)


def test_without_chunks_the_digest_of_the_file_counts(every: Path, key: Path, public: Path) -> None:
    strip_chunks(every, key)
    assert "large" in provenance.load(every, keys=public)
    flip(every / "model.safetensors")
    with pytest.raises(Refused) as caught:
        provenance.load(every, keys=public)
    assert caught.value.code == "SIG003"


def strip_chunks(model: Path, key: Path) -> None:
    import msgspec

    from provenance.artifacts.manifest import Serialization
    from provenance.attestations.oms import manifest_statement
    from provenance.signing.sign import build_manifest
    from provenance.signing.signers import key_signer, open_key

    manifest = build_manifest(model, Serialization())
    bare = tuple(msgspec.structs.replace(each, chunks=None) for each in manifest.resources)
    payload = manifest_statement(msgspec.structs.replace(manifest, resources=bare), "model")
    (model / "model.sig").write_bytes(key_signer(open_key(key))(payload))


def flip(path: Path, at: int = -1000) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_changed_byte_is_refused_with_the_tensor(signed: Path, public: Path) -> None:
    flip(signed / "model.safetensors", 5_000_000)
    with pytest.raises(Refused) as caught:
        provenance.load(signed, keys=public)
    (found,) = [each for each in caught.value.judgement.findings if each.severity == "error"]
    assert found.rule == "SIG014"
    assert "tensor embedding" in found.where
    assert not isinstance(caught.value, __import__("pickle").UnpicklingError)


@pytest.mark.parametrize("size", [0, 7, 100, 5_000_000, 12_000_000])
def test_a_truncated_file_is_an_error_and_no_signal(signed: Path, public: Path, size: int) -> None:
    os.truncate(signed / "model.safetensors", size)
    with pytest.raises(Refused):
        provenance.load(signed, keys=public)


def test_a_longer_file_is_refused(signed: Path, public: Path) -> None:
    with (signed / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(Refused):
        provenance.load(signed, keys=public)


def test_other_files_of_the_artifact_are_proven_too(signed: Path, public: Path) -> None:
    (signed / "config.json").write_text('{"layers": 3}\n')
    with pytest.raises(Refused):
        provenance.load(signed, keys=public)


def test_a_pickle_beside_the_weights_is_refused(model: Path, key: Path, public: Path) -> None:
    (model / "optimizer.bin").write_bytes(b"\x80\x04K\x01.")
    provenance.sign(model, key=key)
    with pytest.raises(Refused) as caught:
        provenance.load(model, keys=public)
    assert caught.value.code == "PKL001"


def test_a_checkpoint_that_the_policy_allows(tmp_path: Path, key: Path, public: Path) -> None:
    torch.save({"w": torch.ones(3)}, tmp_path / "m.pt")
    provenance.sign(tmp_path / "m.pt", key=key)
    with pytest.raises(Refused):
        provenance.load(tmp_path / "m.pt", keys=public, framework="torch")
    loaded = provenance.load(tmp_path / "m.pt", keys=public, policy="training", framework="torch")
    assert torch.equal(loaded["w"], torch.ones(3))


def sharded(root: Path, mapping: dict[str, str] | None = None) -> Path:
    model = root / "sharded"
    model.mkdir()
    save_file({"a": torch.ones(3)}, model / "model-1-of-2.safetensors")
    save_file({"b": torch.zeros(4)}, model / "model-2-of-2.safetensors")
    save_file({"a": torch.full((3,), 9.0)}, model / "other.safetensors")
    mapping = mapping or {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": mapping}))
    return model


def test_a_sharded_model_is_what_its_index_says(tmp_path: Path, key: Path, public: Path) -> None:
    model = sharded(tmp_path)
    provenance.sign(model, key=key)
    tensors = provenance.load(model, keys=public)
    assert {name: array.tolist() for name, array in tensors.items()} == {"a": [1, 1, 1], "b": [0, 0, 0, 0]}


@pytest.mark.parametrize(
    "mapping",
    [
        {"a": "model-1-of-2.safetensors"},
        {"a": "../x.safetensors", "b": "model-2-of-2.safetensors"},
        {"a": "model-2-of-2.safetensors", "b": "model-2-of-2.safetensors"},
        {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors", "c": "model-2-of-2.safetensors"},
        {"a": "model-1-of-2.safetensors", "b": "missing.safetensors"},
    ],
    ids=str,
)
def test_an_index_that_disagrees_is_refused(tmp_path: Path, key: Path, public: Path, mapping: dict) -> None:
    model = sharded(tmp_path, mapping)
    provenance.sign(model, key=key)
    if mapping == {"a": "model-1-of-2.safetensors"}:
        assert provenance.load(model, keys=public).keys() == {"a"}
        return
    with pytest.raises((Malformed, Refused)):  # an index that climbs out is refused as early as by the scan
        provenance.load(model, keys=public)


def test_nothing_to_load_is_wrong_use(tmp_path: Path, key: Path, public: Path) -> None:
    (tmp_path / "m.json").write_text("{}")
    provenance.sign(tmp_path / "m.json", key=key)
    with pytest.raises(UsageError):
        provenance.load(tmp_path / "m.json", keys=public)


def test_single_tensors_and_slices_prove_what_they_touch(every: Path, key: Path, public: Path) -> None:
    provenance.sign(every, key=key)
    expected = load_file(every / "model.safetensors")
    with provenance.open_tensors(every, keys=public, framework="torch") as tensors:
        assert set(tensors.keys()) == set(expected)
        for name in expected:
            assert raw(tensors.tensor(name)) == raw(expected[name])
        assert torch.equal(tensors.slice("large", 3, 9), expected["large"][3:9])
        assert tensors.slice("large", 5, 5).shape == (0, 1000)
        with pytest.raises(UsageError):
            tensors.slice("large", 0, 1201)


def test_a_changed_chunk_is_refused_where_it_is_touched_and_only_there(signed: Path, public: Path) -> None:
    flip(signed / "model.safetensors", 5_000_000)
    with provenance.open_tensors(signed, keys=public) as tensors:
        assert tensors.slice("embedding", 0, 10).shape == (10, 1000)
        with pytest.raises(Refused):
            tensors.tensor("embedding")


def test_sealed_copies_serve_other_loaders_and_never_change(signed: Path, public: Path) -> None:
    with provenance.sealed(signed, keys=public) as path:
        assert json.loads((path / "config.json").read_text()) == {"layers": 2}
        tensors = load_file(path / "model.safetensors")
        assert tensors["embedding"].shape == (3000, 1000)
        with pytest.raises(PermissionError):
            descriptor = os.open(path / "config.json", os.O_RDWR)
            try:
                os.write(descriptor, b"x")
            finally:
                os.close(descriptor)
        (signed / "config.json").write_text("changed")
        assert json.loads((path / "config.json").read_text()) == {"layers": 2}
    assert not path.exists()


def test_sealed_refuses_what_was_changed_and_leaves_no_descriptor(signed: Path, public: Path) -> None:
    flip(signed / "model.safetensors")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Refused), provenance.sealed(signed, keys=public):
        pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_sealed_single_file_keeps_its_name(signed: Path, public: Path) -> None:
    with provenance.sealed(signed / "model.safetensors", keys=public) as path:
        assert path.name == "model.safetensors"
        assert np.asarray(load_file(path)["bias"]).tolist() == list(range(10))
