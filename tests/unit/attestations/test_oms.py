import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.artifacts.manifest import Manifest, Resource, Serialization
from provenance.attestations.bundle import parse_bundle
from provenance.attestations.oms import manifest_statement, read_manifest
from provenance.errors import Malformed, ProvenanceError, Unreadable

A, B = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()


def root(*digests: str) -> str:
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def statement(resources=None, serialization=None, **changes) -> dict:
    resources = resources if resources is not None else [resource("a", A), resource("b", B)]
    digests = [each["digest"] for each in resources if isinstance(each.get("digest"), str)]
    try:
        whole = root(*digests)
    except ValueError:
        whole = "00" * 32
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": whole}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                **(serialization or {}),
            },
            "resources": resources,
        },
    }
    return {**document, **changes}


def resource(name: str, digest: str, algorithm: str = "sha256", **more) -> dict:
    return {"name": name, "algorithm": algorithm, "digest": digest, **more}


def read(document: dict):
    return read_manifest(json.dumps(document).encode())


def code(document: dict) -> str:
    with pytest.raises(ProvenanceError) as caught:
        read(document)
    assert isinstance(caught.value, Malformed | Unreadable)
    return caught.value.code


def test_what_is_written_is_read_back() -> None:
    resources = tuple(
        Resource(name=name, algorithm="sha256", digest=bytes([index]) * 32, chunks=(bytes(32),))
        for index, name in enumerate(["a", "b/c", "ü"])
    )
    manifest = Manifest(resources=resources, serialization=Serialization(ignore_paths=(".git",)))
    signed = read_manifest(manifest_statement(manifest, "model"))
    assert signed.manifest == manifest
    assert signed.dir_hash is not None


def test_the_written_statement_has_the_members_that_the_specification_names() -> None:
    manifest = Manifest(
        resources=(Resource(name="w", algorithm="blake3", digest=bytes(32), start=0, end=5),),
        serialization=Serialization(method="shards", hash_type="blake3", shard_size=10),
    )
    document = json.loads(manifest_statement(manifest, "model"))
    assert list(document) == ["_type", "subject", "predicateType", "predicate"]
    assert document["predicate"]["resources"] == [
        {"name": "w:0:5", "algorithm": "blake3", "digest": "00" * 32}
    ]
    assert document["predicate"]["serialization"] == {
        "method": "shards",
        "hash_type": "blake3",
        "shard_size": 10,
        "allow_symlinks": False,
        "ignore_paths": [],
    }
    assert document["subject"] == [{"name": "model", "digest": {"sha256": root("00" * 32)}}]


SHARDS = {"method": "shards", "shard_size": 5}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(statement([resource(".", A)]), id="a single file called ."),
        pytest.param(statement([resource("a", A.upper()), resource("b", B)]), id="capitals in hex"),
        pytest.param(
            statement(
                [resource("w:0:5", A, "sha256-sharded-5"), resource("w:5:7", B, "sha256-sharded-5")], SHARDS
            ),
            id="algorithm names the shard size",
        ),
        pytest.param(
            statement([resource("w:0:5", A)], {"method": "shards", "shard_size": 5.0}), id="float shard size"
        ),
        pytest.param(statement([resource("w:9:x:0:5", A)], SHARDS), id="colons in the name of a shard"),
        pytest.param(statement(serialization={"ignore_paths": ["z", "a"]}), id="unsorted ignore paths"),
        pytest.param(
            statement([resource("a", A, annotations={"other": 1}), resource("b", B)]),
            id="foreign annotations",
        ),
        pytest.param(statement(more=1), id="unknown member"),
    ],
)
def test_variants_are_read(document: dict) -> None:
    assert read(document).manifest.resources


def test_release_0_2_0_listed_files_as_subjects() -> None:
    document = statement(
        subject=[{"name": "b", "digest": {"sha256": B}}, {"name": "a", "digest": {"sha256": A}}],
        predicateType="https://model_signing/Digests/v0.1",
        predicate={"unused": "x"},
    )
    signed = read(document)
    assert [each.name for each in signed.manifest.resources] == ["a", "b"]
    assert [found.rule for found in signed.findings] == ["SIG010"]


def test_only_the_last_two_numbers_of_a_shard_are_its_range() -> None:
    (found,) = read(statement([resource("w:1:2:0:5", A)], SHARDS)).manifest.resources
    assert (found.name, found.start, found.end) == ("w:1:2", 0, 5)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            statement(predicateType="https://slsa.dev/provenance/v1"), "SIG015", id="another predicate"
        ),
        pytest.param(
            statement(_type="https://in-toto.io/Statement/v0.1"), "SIG008", id="another statement type"
        ),
        pytest.param(statement(subject=[]), "SIG008", id="no subject"),
        pytest.param(
            statement(subject=[{"name": "m", "digest": {"sha256": "00" * 32}}]), "SIG011", id="wrong root"
        ),
        pytest.param(
            statement(subject=[{"name": "m", "digest": {"sha512": root(A, B)}}]), "SIG011", id="no root"
        ),
        pytest.param(
            statement(
                subject=[{"name": "m", "digest": {"sha256": root(A, B)}, "annotations": {"dirHash": "00"}}]
            ),
            "SIG011",
            id="wrong dirHash",
        ),
        pytest.param(statement([]), "ART007", id="nothing listed"),
        pytest.param(statement([resource("a", A), resource("a", B)]), "ART005", id="a name twice"),
        pytest.param(statement([resource("../a", A)]), "ART004", id="a name that leaves"),
        pytest.param(statement([resource("/a", A)]), "ART004", id="an absolute name"),
        pytest.param(statement([resource(".", A), resource("b", B)]), "ART004", id=". beside others"),
        pytest.param(statement([resource("a", A[:-2])]), "SIG008", id="a short digest"),
        pytest.param(statement([resource("a", "zz" * 32)]), "SIG008", id="no hex"),
        pytest.param(statement([resource("a", " ".join([A[:32], A[32:]]))]), "SIG008", id="spaces in hex"),
        pytest.param(statement([resource("a", A, "md5")]), "SIG018", id="unknown algorithm"),
        pytest.param(statement([resource("a", A, "blake3")]), "SIG008", id="mixed algorithms"),
        pytest.param(statement(serialization={"method": "tree"}), "SIG018", id="unknown method"),
        pytest.param(statement(serialization={"hash_type": "sha1"}), "SIG018", id="unknown hash"),
        pytest.param(statement([resource("w:0:5", A)], {"method": "shards"}), "SIG008", id="no shard size"),
        pytest.param(
            statement([resource("w:0:5", A)], {"method": "shards", "shard_size": 0.5}),
            "SIG008",
            id="half a byte",
        ),
        pytest.param(
            statement([resource("w:0:5", A)], {"method": "shards", "shard_size": -5}), "SIG008", id="negative"
        ),
        pytest.param(statement([resource("w", A)], SHARDS), "SIG008", id="a shard without a range"),
        pytest.param(statement([resource("w:5:10", A)], SHARDS), "SIG008", id="a hole at the start"),
        pytest.param(
            statement([resource("w:0:5", A), resource("w:10:12", B)], SHARDS), "SIG008", id="a hole"
        ),
        pytest.param(
            statement([resource("w:0:4", A), resource("w:4:7", B)], SHARDS), "SIG008", id="a short shard"
        ),
        pytest.param(statement([resource("w:0:6", A)], SHARDS), "SIG008", id="a long shard"),
        pytest.param(statement([resource("w:0:0", A)], SHARDS), "SIG008", id="an empty shard"),
        pytest.param(
            statement([resource("a", A, annotations={"chunks": "x"})]), "SIG008", id="chunks are no list"
        ),
        pytest.param(
            statement(
                [
                    resource(
                        "a",
                        A,
                        annotations={"chunk_size": 4194304, "chunk_algorithm": "blake3", "chunks": ["00"]},
                    )
                ]
            ),
            "SIG008",
            id="a short chunk digest",
        ),
        pytest.param({**statement(), "predicate": None}, "SIG008", id="no predicate"),
    ],
)
def test_what_is_wrong_is_refused(document: dict, expected: str) -> None:
    assert code(document) == expected


@given(st.binary(max_size=200))
def test_garbage_is_malformed_and_never_a_traceback(data: bytes) -> None:
    for reader in (parse_bundle, read_manifest):
        with pytest.raises(Malformed):
            reader(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10_000_000,
        b'{"a":' * 1_000_000,
        b'{"mediaType":"a","mediaType":"b"}',
        b"null",
        b"{} {}",
        b"\xff\xfe{}",
    ],
    ids=["nesting", "objects", "a key twice", "null", "two values", "not utf-8"],
)
def test_hostile_json_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        parse_bundle(data)
    assert caught.value.code == "SIG008"


def bundle(**changes) -> dict:
    payload = base64.b64encode(json.dumps(statement()).encode()).decode()
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "dsseEnvelope": {
            "payload": payload,
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": "AAAA"}],
        },
        **changes,
    }


@pytest.mark.parametrize("keyid", [{}, {"keyid": ""}, {"keyid": None}, {"keyid": "x"}])
@pytest.mark.parametrize("entries", [{}, {"tlogEntries": []}])
def test_bundles_of_all_releases_are_read(keyid: dict, entries: dict) -> None:
    document = bundle()
    document["dsseEnvelope"]["signatures"][0].update(keyid)
    document["verificationMaterial"].update(entries)
    assert parse_bundle(json.dumps(document).encode()).signature == b"\0\0\0"


@pytest.mark.parametrize(
    "change",
    [
        {"mediaType": "application/json"},
        {"verificationMaterial": {}},
        {"verificationMaterial": {"publicKey": {"hint": "x"}, "certificate": {"rawBytes": "AAAA"}}},
        {"verificationMaterial": {"publicKey": {}}},
        {"verificationMaterial": {"certificate": {"rawBytes": "AAAA"}}},
        {"verificationMaterial": {"x509CertificateChain": {"certificates": []}}},
        {"messageSignature": {}},
        {"dsseEnvelope": None},
    ],
    ids=str,
)
def test_bundles_that_confuse_are_malformed(change: dict) -> None:
    with pytest.raises(Malformed):
        parse_bundle(json.dumps(bundle(**change)).encode())


@pytest.mark.parametrize("count", [0, 2])
def test_a_bundle_has_exactly_one_signature(count: int) -> None:
    document = bundle()
    document["dsseEnvelope"]["signatures"] *= count
    with pytest.raises(Malformed):
        parse_bundle(json.dumps(document).encode())


@pytest.mark.parametrize("text", ["AAAA\n", "AAA", "AAA=AAAA", "AA==", "AB==", "-_-_", ""])
def test_base64_has_one_spelling(text: str) -> None:
    document = bundle()
    document["dsseEnvelope"]["signatures"][0]["sig"] = text
    if text == "AA==":
        assert parse_bundle(json.dumps(document).encode()).signature == b"\0"
    else:
        with pytest.raises(Malformed):
            parse_bundle(json.dumps(document).encode())
