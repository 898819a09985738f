import base64
import json
import shutil
from pathlib import Path

import pytest

import provenance
from policies import parse_policy


def verdict(path, **options) -> tuple[str, list[str]]:
    found = provenance.verify(path, **options)
    return found.decision, sorted({each.rule for each in found.findings if each.severity == "error"})


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "ml-dsa-65"])
@pytest.mark.parametrize(
    "options", [{}, {"digest": "blake2b"}, {"digest": "blake3"}, {"shard_size": 100_000}]
)
def test_what_is_signed_verifies(model: Path, keys, algorithm: str, options: dict) -> None:
    provenance.sign(model, key=keys[algorithm], **options)
    assert verdict(model, keys=f"{keys[algorithm]}.pub") == ("accepted", [])
    assert verdict(model, keys=f"{keys[algorithm]}.pub", thorough=True) == ("accepted", [])


def test_a_single_file_and_its_renaming(model: Path, key: Path, public: Path) -> None:
    weights = model / "model.safetensors"
    bundle = provenance.sign(weights, key=key)
    assert bundle == model / "model.safetensors.sigstore.json"
    assert verdict(weights, keys=public) == ("accepted", [])
    renamed = weights.rename(model / "other.safetensors")
    bundle.rename(model / "other.safetensors.sigstore.json")
    assert verdict(renamed, keys=public) == ("accepted", [])


def test_a_file_of_a_signed_directory(signed: Path, public: Path) -> None:
    assert verdict(signed / "config.json", keys=public) == ("accepted", [])
    (signed / "config.json").write_text('{"layers": 3}')
    assert verdict(signed / "config.json", keys=public) == ("refused", ["SIG003"])
    (signed / "new.json").write_text("{}")
    assert verdict(signed / "new.json", keys=public) == ("refused", ["SIG005"])


def test_each_change_has_its_rule(signed: Path, public: Path) -> None:
    (signed / "config.json").write_text("{}")
    (signed / "tokenizer" / "vocab.txt").unlink()
    (signed / "extra.txt").write_text("hello")
    assert verdict(signed, keys=public) == ("refused", ["SIG003", "SIG004", "SIG005"])
    assert verdict(signed, keys=public, ignore_unsigned_files=True) == ("refused", ["SIG003", "SIG004"])


def test_an_empty_file_added_under_shards_is_unsigned(model: Path, key: Path, public: Path) -> None:
    provenance.sign(model, key=key, shard_size=100_000)
    (model / "__init__.py").write_text("")
    assert verdict(model, keys=public) == ("refused", ["SIG005"])


def test_the_refusal_names_the_tensor(signed: Path, public: Path) -> None:
    weights = signed / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[9_000_000] ^= 1
    weights.write_bytes(data)
    (found,) = provenance.verify(signed, keys=public).findings
    assert "tensor embedding" in found.where
    assert found.where.startswith("bytes 8388608-")


def test_strangers_and_nobody(signed: Path, keys) -> None:
    assert verdict(signed, keys=f"{keys['ed25519']}.pub") == ("refused", ["SIG006"])
    assert verdict(signed) == ("undecided", ["POL002"])
    (signed / "model.sig").unlink()
    assert verdict(signed, keys=f"{keys['ed25519']}.pub") == ("undecided", ["SIG001"])


def test_a_key_inside_of_the_bundle_is_never_trusted(signed: Path, key: Path, keys) -> None:
    bundle = json.loads((signed / "model.sig").read_text())
    pem = Path(f"{key}.pub").read_bytes()
    bundle["verificationMaterial"] = {"publicKey": {"rawBytes": base64.b64encode(pem).decode()}}
    (signed / "model.sig").write_text(json.dumps(bundle))
    assert verdict(signed, keys=f"{keys['ecdsa-p384']}.pub") == ("refused", ["SIG006"])


def test_malformed_is_refused_and_unreadable_is_undecided(signed: Path, public: Path) -> None:
    (signed / "model.sig").write_bytes(b"{")
    assert verdict(signed, keys=public) == ("refused", ["SIG008"])
    (signed / "model.sig").unlink()
    (signed / "model.sig").mkdir()
    assert verdict(signed, keys=public)[0] == "undecided"


def test_uncovered_paths_are_told_and_a_policy_refuses_them(signed: Path, public: Path) -> None:
    (signed / ".git").mkdir()
    (signed / ".git" / "hook").write_text("x")
    found = provenance.verify(signed, keys=public)
    assert [each.rule for each in found.findings] == ["SIG012"]
    assert found.decision == "accepted"
    assert verdict(signed, keys=public, policy="ci") == ("refused", ["SIG012"])


def test_what_the_signer_ignored_may_change_and_is_told(model: Path, key: Path, public: Path) -> None:
    (model / "cache").mkdir()
    (model / "cache" / "x").write_text("1")
    provenance.sign(model, key=key, ignore=["cache"])
    (model / "cache" / "x").write_text("2")
    found = provenance.verify(model, keys=public)
    assert (found.decision, [each.path for each in found.findings]) == ("accepted", ["cache"])


def two_of(keys, *names: str, threshold: int = 2):
    tables = "".join(f'[signers.{name}]\nkeys = ["{keys[name]}.pub"]\n' for name in names)
    accept = ", ".join(f'"{name}"' for name in names)
    text = f"version = 1\n[signatures]\nthreshold = {threshold}\naccept = [{accept}]\n{tables}"
    return parse_policy(text, name="two", base="/")


def test_k_of_n_distinct_signers(signed: Path, keys) -> None:
    policy = two_of(keys, "ecdsa-p256", "ed25519", "ml-dsa-65")
    assert verdict(signed, policy=policy) == ("refused", ["SIG007"])
    provenance.sign(signed, key=keys["ecdsa-p256"], add=True)
    assert verdict(signed, policy=policy) == ("refused", ["SIG007"])
    provenance.sign(signed, key=keys["ml-dsa-65"], add=True)
    found = provenance.verify(signed, policy=policy)
    assert found.decision == "accepted"
    assert {each.name for each in found.signers} == {"ecdsa-p256", "ml-dsa-65"}


def test_an_additional_signature_over_other_bytes_does_not_count(signed: Path, tmp_path: Path, keys) -> None:
    other = shutil.copytree(signed, tmp_path / "other")
    (other / "config.json").write_text('{"layers": 9}')
    stored = provenance.sign(other, key=keys["ed25519"], add=True)
    (signed / ".provenance").mkdir()
    shutil.copy(stored, signed / ".provenance")
    found = provenance.verify(signed, policy=two_of(keys, "ecdsa-p256", "ed25519"))
    assert found.decision == "refused"
    assert {"SIG007", "SIG019"} <= {each.rule for each in found.findings}
    assert verdict(signed, keys=f"{keys['ecdsa-p256']}.pub") == ("accepted", [])


def test_pickles_are_refused_by_content(model: Path, key: Path, public: Path) -> None:
    import pickle

    (model / "notes.txt").write_bytes(pickle.dumps({"a": 1}, protocol=0))
    (model / "weights.safetensors.bak").write_bytes(pickle.dumps([1, 2]))
    provenance.sign(model, key=key)
    assert verdict(model, keys=public) == ("refused", ["PKL001"])


def test_formats_that_are_not_known_leave_it_undecided(model: Path, key: Path, public: Path) -> None:
    (model / "blob").write_bytes(bytes(range(256)) * 10)
    provenance.sign(model, key=key)
    assert verdict(model, keys=public) == ("undecided", ["FMT001"])


def test_chunks_and_digest_that_disagree(model: Path, key: Path, public: Path) -> None:
    """A signer's fault: ``verify`` goes by the digest, ``load`` by the chunks, ``--thorough`` by both."""
    import msgspec

    from provenance.artifacts.manifest import Serialization
    from provenance.attestations.oms import manifest_statement
    from provenance.signing.sign import build_manifest
    from provenance.signing.signers import key_signer, open_key

    manifest = build_manifest(model, Serialization())
    wrong = tuple(
        msgspec.structs.replace(each, chunks=(bytes(32),) * len(each.chunks)) for each in manifest.resources
    )
    payload = manifest_statement(msgspec.structs.replace(manifest, resources=wrong), "model")
    (model / "model.sig").write_bytes(key_signer(open_key(key))(payload))
    assert verdict(model, keys=public) == ("accepted", [])
    assert verdict(model, keys=public, thorough=True) == ("refused", ["SIG014"])
    with pytest.raises(provenance.Refused):
        provenance.load(model, keys=public)


def test_links_that_the_signer_allowed_verify_and_load(model: Path, key: Path, public: Path) -> None:
    (model / "link.json").symlink_to("config.json")
    with pytest.raises(provenance.Refused):
        provenance.sign(model, key=key)
    provenance.sign(model, key=key, allow_symlinks=True)
    assert verdict(model, keys=public) == ("accepted", [])
    assert provenance.load(model, keys=public)
    (model / "link.json").unlink()
    (model / "link.json").symlink_to("/etc/passwd")
    assert verdict(model, keys=public)[0] == "refused"


def test_where_there_is_nothing_no_signature_is_missing(tmp_path: Path, public: Path) -> None:
    assert verdict(tmp_path / "absent", keys=public) == ("undecided", ["ART010"])
