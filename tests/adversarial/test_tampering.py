"""A thousand random changes of a signed model and its bundle: none is accepted."""

import base64
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import provenance
from provenance.errors import ProvenanceError


@pytest.fixture(scope="module")
def original(tmp_path_factory, keys_of_module: Path) -> Path:
    model = tmp_path_factory.mktemp("original") / "model"
    (model / "sub").mkdir(parents=True)
    header = json.dumps({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}).encode()
    (model / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(range(64)))
    (model / "config.json").write_text('{"a": 1}')
    (model / "sub" / "vocab.txt").write_text("one\ntwo\n")
    provenance.sign(model, key=keys_of_module)
    return model


@pytest.fixture(scope="module")
def keys_of_module(tmp_path_factory) -> Path:
    from provenance.signing.keys import generate, write_key_pair

    home = tmp_path_factory.mktemp("keys")
    write_key_pair(home / "k", generate("ecdsa-p256"))
    return home / "k"


def mutate_bytes(data: bytes, draw) -> bytes:
    kind = draw(st.sampled_from(["flip", "insert", "delete", "truncate", "append", "replace"]))
    at = draw(st.integers(0, max(len(data) - 1, 0)))
    some = draw(st.binary(min_size=1, max_size=8))
    if kind == "flip" and data:
        return data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
    if kind == "delete" and data:
        return data[:at] + data[at + 1 + draw(st.integers(0, 7)) :]
    if kind == "truncate" and data:
        return data[:at]
    if kind == "replace" and data:
        return data[:at] + some + data[at + len(some) :]
    return data + some if kind == "append" else data[:at] + some + data[at:]


def same_meaning(before: bytes, after: bytes) -> bool:
    """A change of white space, or of what OMS lets vary (keyid), leaves the signed content as it was."""
    try:
        one, other = json.loads(before), json.loads(after)
    except ValueError:
        return False
    for document in (one, other):
        try:
            for signature in document["dsseEnvelope"]["signatures"]:
                signature.pop("keyid", None)
            # A hint is a hint: it is not covered by the signature, and never trusted.
            document["verificationMaterial"] = sorted(document["verificationMaterial"])
            document.pop("mediaType")
        except (KeyError, TypeError, AttributeError):
            return False
    return one == other


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_mutation_is_accepted(original: Path, keys_of_module: Path, tmp_path_factory, data) -> None:
    model = shutil.copytree(original, tmp_path_factory.mktemp("mutant") / "model")
    try:
        target = data.draw(
            st.sampled_from(
                ["w.safetensors", "config.json", "sub/vocab.txt", "model.sig", "add", "remove", "rename"]
            )
        )
        names = ["w.safetensors", "config.json", "sub/vocab.txt"]
        if target == "add":
            (model / data.draw(st.sampled_from(["x", "sub/x", ".hidden", "sub/.gitignore"]))).write_bytes(
                data.draw(st.binary(max_size=5))
            )
        elif target == "remove":
            (model / data.draw(st.sampled_from([*names, "model.sig"]))).unlink()
        elif target == "rename":
            (model / data.draw(st.sampled_from(names))).rename(
                model / data.draw(st.sampled_from(["a", "sub/b", "W.safetensors"]))
            )
        else:
            before = (model / target).read_bytes()
            after = mutate_bytes(before, data.draw)
            if after == before or (target == "model.sig" and same_meaning(before, after)):
                return
            (model / target).write_bytes(after)
        found = provenance.verify(model, keys=f"{keys_of_module}.pub")
        assert found.decision != "accepted"
        with pytest.raises(ProvenanceError):
            provenance.load(model, keys=f"{keys_of_module}.pub")
    finally:
        shutil.rmtree(model.parent)


def test_every_bit_of_the_signature_counts(original: Path, keys_of_module: Path, tmp_path: Path) -> None:
    bundle = json.loads((original / "model.sig").read_text())
    signature = bytearray(base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    model = shutil.copytree(original, tmp_path / "model")
    for bit in range(len(signature) * 8):
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << (bit % 8)
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(changed).decode()
        (model / "model.sig").write_text(json.dumps(bundle))
        found = provenance.verify(model, keys=f"{keys_of_module}.pub")
        assert (found.decision, found.exit_status) == ("refused", 1)


def test_two_artifacts_of_equal_content_are_not_the_same_under_other_names(
    original, keys_of_module, tmp_path
) -> None:
    """The root digest does not bind names; the manifest does."""
    model = shutil.copytree(original, tmp_path / "model")
    os.rename(model / "config.json", model / "config.py")
    assert provenance.verify(model, keys=f"{keys_of_module}.pub").decision == "refused"
