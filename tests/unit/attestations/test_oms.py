"""OMS statements: written by the specification, read in every variant that releases have written."""

import hashlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from provenance.artifacts.manifest import Manifest, Resource, Serialization
from provenance.attestations.oms import manifest_statement, read_manifest
from provenance.attestations.statement import parse_statement
from provenance.errors import Malformed, Unreadable

SIGNATURE = "https://model_signing/signature/v1.0"
A, B = hashlib.sha256(b"a").digest(), hashlib.sha256(b"b").digest()

# The constraints of OMS v1.0, sections 5 and 6, in words of our own.
HEX = {"type": "string", "pattern": "^[0-9a-f]+$"}
ALGORITHM = {"enum": ["sha256", "blake2b", "blake3"]}
STATEMENT_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["_type", "subject", "predicateType", "predicate"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "predicateType": {"const": SIGNATURE},
        "subject": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "digest"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "digest": {"type": "object", "required": ["sha256"], "additionalProperties": HEX},
                },
            },
        },
        "predicate": {
            "type": "object",
            "additionalProperties": False,
            "required": ["resources", "serialization"],
            "properties": {
                "resources": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["name", "digest", "algorithm"],
                        "properties": {
                            "name": {"type": "string", "minLength": 1},
                            "digest": HEX,
                            "algorithm": ALGORITHM,
                        },
                    },
                },
                "serialization": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["method", "hash_type", "allow_symlinks"],
                    "properties": {
                        "method": {"enum": ["files", "shards"]},
                        "hash_type": ALGORITHM,
                        "shard_size": {"type": "integer", "exclusiveMinimum": 0},
                        "allow_symlinks": {"type": "boolean"},
                        "ignore_paths": {"type": "array", "items": {"type": "string", "minLength": 1}},
                    },
                    "if": {"properties": {"method": {"const": "shards"}}},
                    "then": {"required": ["shard_size"]},
                    "else": {"not": {"required": ["shard_size"]}},
                },
            },
        },
    },
}


def root(*digests):
    return hashlib.sha256(b"".join(digests)).hexdigest()


def resource(name, digest=A, algorithm="sha256", **more):
    return {"name": name, "algorithm": algorithm, "digest": digest.hex(), **more}


def payload(resources, *, sha256=None, subject=None, **serialization):
    digests = [bytes.fromhex(item["digest"]) for item in resources]
    subject = subject or {"name": "model", "digest": {"sha256": sha256 or root(*digests)}}
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, **serialization}
    predicate = {"serialization": serialization, "resources": resources}
    return statement(subject=[subject], predicate=predicate)


def statement(**changes):
    return json.dumps(
        {"_type": "https://in-toto.io/Statement/v1", "predicateType": SIGNATURE, **changes}
    ).encode()


def shards(resources, size=4, **more):
    return payload(resources, method="shards", shard_size=size, **more)


def refused(data, code, match="."):
    with pytest.raises(Malformed, match=match) as caught:
        read_manifest(data)
    assert caught.value.code == code


names = st.text(st.characters(codec="utf-8", exclude_characters="\0\\/"), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."} and name[1:2] != ":"
)
digests = st.binary(min_size=32, max_size=32)


@st.composite
def manifests(draw):
    algorithm = draw(st.sampled_from(["sha256", "blake3", "blake2b"]))
    size = 64 if algorithm == "blake2b" else 32
    digest = st.binary(min_size=size, max_size=size)
    listed = draw(
        st.dictionaries(names, st.tuples(digest, st.none() | st.lists(digests).map(tuple)), min_size=1)
    )
    shard_size = draw(st.none() | st.integers(1, 2**40))
    resources = []
    for name in sorted(listed):
        digest_, chunks = listed[name]
        if shard_size is None:
            resources.append(Resource(name=name, algorithm=algorithm, digest=digest_, chunks=chunks))
            continue
        for index in range(draw(st.integers(1, 3))):
            start = index * shard_size
            resources.append(
                Resource(name=name, algorithm=algorithm, digest=digest_, start=start, end=start + shard_size)
            )
    serialization = Serialization(
        method="files" if shard_size is None else "shards",
        hash_type=algorithm,
        shard_size=shard_size,
        allow_symlinks=draw(st.booleans()),
        ignore_paths=tuple(draw(st.lists(names))),
    )
    return Manifest(resources=tuple(resources), serialization=serialization)


@given(manifests(), names)
def test_what_is_written_is_read_and_keeps_the_specification(manifest, name):
    data = manifest_statement(manifest, name)
    Draft202012Validator(STATEMENT_SCHEMA).validate(json.loads(data))
    signed = read_manifest(data)
    assert signed.manifest == manifest
    assert signed.subject_name == name
    assert signed.findings == ()
    assert signed.root_digest.hex() == root(*(item.digest for item in manifest.resources))


def test_dir_hash_is_that_of_go():
    """The lines of Go's Hash1, sorted by name: computed here with the commands that its comment names."""
    manifest = Manifest(
        resources=(
            Resource(name="a", algorithm="sha256", digest=B),
            Resource(name="b/c", algorithm="sha256", digest=A),
        ),
        serialization=Serialization(),
    )
    lines = f"{B.hex()}  a\n{A.hex()}  b/c\n"
    subject = parse_statement(manifest_statement(manifest, "m")).subject[0]
    assert subject.annotations == {"dirHash": hashlib.sha256(lines.encode()).hexdigest()}
    assert set(subject.digest) == {"sha256"}  # other names there are refused by Sigstore's client


def test_dir_hash_binds_the_names_that_the_root_digest_does_not():
    def both(*listed):
        resources = tuple(Resource(name=name, algorithm="sha256", digest=A) for name in listed)
        signed = read_manifest(
            manifest_statement(Manifest(resources=resources, serialization=Serialization()), "m")
        )
        return signed.root_digest, signed.dir_hash

    assert both("a", "b")[0] == both("x", "y")[0]
    assert both("a", "b")[1] != both("x", "y")[1]


@pytest.mark.parametrize(
    "one",
    [
        Resource(name="a", algorithm="blake3", digest=A),
        Resource(name="a\nb", algorithm="sha256", digest=A),
    ],
)
def test_no_dir_hash_is_written_where_it_has_no_meaning(one):
    manifest = Manifest(resources=(one,), serialization=Serialization(hash_type=one.algorithm))
    data = manifest_statement(manifest, "m")
    assert b"dirHash" not in data
    assert read_manifest(data).dir_hash is None


def test_a_wrong_dir_hash_is_a_contradiction():
    subject = {"name": "m", "digest": {"sha256": root(A)}, "annotations": {"dirHash": "00" * 32}}
    refused(payload([resource("a")], subject=subject), "SIG011", "dirHash")
    subject["annotations"]["dirHash"] = 5
    refused(payload([resource("a")], subject=subject), "SIG011", "dirHash")


def test_the_root_digest_is_over_the_listed_order():
    assert read_manifest(payload([resource("b", B), resource("a", A)], sha256=root(B, A))).manifest
    refused(payload([resource("b", B), resource("a", A)], sha256=root(A, B)), "SIG011", "root digest")


@pytest.mark.parametrize("digest", [{}, {"sha256": ""}, {"sha256": "zz"}, {"sha512": root(A)}])
def test_a_subject_without_a_proper_root_digest_is_malformed(digest):
    refused(
        payload([resource("a")], subject={"name": "m", "digest": digest}), "SIG011" if digest else "SIG008"
    )


def test_digests_may_be_in_upper_case():
    listed = [{**resource("a"), "digest": A.hex().upper()}]
    assert read_manifest(payload(listed, sha256=root(A).upper())).manifest.resources[0].digest == A


@pytest.mark.parametrize("subject_name", ["model", "x/../../y", "\x1b[31m"])
def test_any_subject_name_will_do(subject_name):
    subject = {"name": subject_name, "digest": {"sha256": root(A)}}
    assert read_manifest(payload([resource("a")], subject=subject)).subject_name == subject_name


# The variants of releases before 1.1 and of other tools.


def test_members_that_are_not_known_are_ignored():
    data = payload([resource("a", uri="x", annotations={"note": [1], "chunk_size": "?"})], note=1)
    assert read_manifest(data).manifest.resources == (Resource(name="a", algorithm="sha256", digest=A),)


def test_ignored_paths_may_be_absent():
    assert read_manifest(payload([resource("a")])).manifest.serialization.ignore_paths == ()
    order = read_manifest(payload([resource("a")], ignore_paths=["z", ".git"])).manifest.serialization
    assert order.ignore_paths == ("z", ".git")


@pytest.mark.parametrize("algorithm", ["sha256", "blake2b", "blake3"])
def test_the_algorithm_of_a_shard_may_name_its_size(algorithm):
    digest = os.urandom(64 if algorithm == "blake2b" else 32)
    listed = [resource("a:0:4", digest, f"{algorithm}-sharded-4")]
    read = read_manifest(shards(listed, size=4.0, hash_type=algorithm))
    assert read.manifest.resources == (Resource(name="a", algorithm=algorithm, digest=digest, end=4),)
    assert read.manifest.serialization.shard_size == 4


@pytest.mark.parametrize("name", ["a", "a:b", "a:1:2", ":", "a:0", "dir:1/x\ny:3"])
def test_only_the_last_two_numbers_of_a_shard_are_its_range(name):
    read = read_manifest(shards([resource(f"{name}:0:4"), resource(f"{name}:4:6", B)]))
    assert [(item.name, item.start, item.end) for item in read.manifest.resources] == [
        (name, 0, 4),
        (name, 4, 6),
    ]


@pytest.mark.parametrize("name", [".", "weights.bin"])
def test_a_single_file_is_called_dot_or_by_its_name(name):
    assert read_manifest(payload([resource(name)])).manifest.resources[0].name == name
    assert read_manifest(shards([resource(f"{name}:0:4"), resource(f"{name}:4:5")])).manifest.file_names == {
        name
    }


def test_release_0_2_0_listed_files_as_subjects():
    subjects = [
        {"name": "b", "digest": {"sha256": B.hex()}, "annotations": {"actual_hash_algorithm": "file-sha256"}},
        {"name": "a", "digest": {"sha256": A.hex()}},
    ]
    data = statement(
        predicateType="https://model_signing/Digests/v0.1", subject=subjects, predicate={"unused": "Unused"}
    )
    read = read_manifest(data)
    assert [(item.name, item.digest) for item in read.manifest.resources] == [("a", A), ("b", B)]
    assert read.manifest.serialization == Serialization()
    assert [found.rule for found in read.findings] == ["SIG010"]


@pytest.mark.parametrize(
    ("subjects", "code"),
    [
        ([{"name": "a", "digest": {"sha512": A.hex()}}], "SIG008"),
        ([{"name": "a", "digest": {"sha256": "00"}}], "SIG008"),
        ([{"name": "../a", "digest": {"sha256": A.hex()}}], "ART004"),
        ([{"name": "a", "digest": {"sha256": A.hex()}}] * 2, "ART005"),
        ([], "SIG008"),
    ],
)
def test_a_broken_statement_of_that_release_is_malformed(subjects, code):
    refused(
        statement(predicateType="https://model_signing/Digests/v0.1", subject=subjects, predicate={}), code
    )


# What no signer should have written.


@pytest.mark.parametrize("kind", ["https://slsa.dev/provenance/v1", SIGNATURE + " ", SIGNATURE.upper(), ""])
def test_another_predicate_is_another_kind_of_statement(kind):
    subject = {"name": "m", "digest": {"sha256": root(A)}}
    refused(statement(predicateType=kind, subject=[subject], predicate={}), "SIG015")


@pytest.mark.parametrize(
    "predicate", [None, {}, {"resources": []}, {"serialization": {}}, {"resources": {}, "serialization": 1}]
)
def test_a_predicate_of_another_form_is_malformed(predicate):
    subject = {"name": "m", "digest": {"sha256": root()}}
    refused(statement(subject=[subject], predicate=predicate), "SIG008")


def test_an_empty_manifest_is_refused():
    refused(payload([]), "ART007")


def test_more_than_one_subject_is_malformed():
    subject = {"name": "m", "digest": {"sha256": root(A)}}
    tree = json.loads(payload([resource("a")]))
    refused(json.dumps({**tree, "subject": [subject, subject]}).encode(), "SIG008")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "../a",
        "a/../b",
        "a/..",
        "..",
        "a//b",
        "a/",
        "./a",
        "a/./b",
        "C:/a",
        "a\\b",
        "a\0b",
        "x" * 5000,
    ],
)
def test_unsafe_names_are_refused(name):
    refused(payload([resource(name)]), "ART004")
    if name:
        refused(shards([resource(f"{name}:0:4")]), "ART004")


def test_dot_is_a_name_only_where_there_is_one_file():
    refused(payload([resource("."), resource("a")]), "ART004")


def test_names_that_occur_twice_are_refused():
    refused(payload([resource("a"), resource("a", B)]), "ART005", "'a' twice")
    refused(shards([resource("a:0:4"), resource("a:0:4", B)]), "ART005")
    refused(shards([resource("a:0:4"), resource("a:00:04", B)]), "ART005")


@pytest.mark.parametrize(
    "ranges",
    [
        [(1, 4)],
        [(4, 8)],
        [(0, 0)],
        [(0, 5)],
        [(0, 3), (3, 6)],
        [(0, 4), (5, 8)],
        [(0, 4), (8, 12)],
        [(0, 4), (3, 8)],
        [(0, 4), (4, 4)],
        [(0, 4), (4, 9)],
        [(0, 4), (4, 7), (7, 9)],
        [(4, 0)],
        [(0, 4), (0, 3)],
    ],
)
def test_the_ranges_of_a_file_join_without_hole_or_overlap(ranges):
    refused(shards([resource(f"a:{start}:{end}") for start, end in ranges]), "SIG008", "overlap")


def test_ranges_may_be_listed_in_any_order():
    """The reference tool sorts by number, the specification by code points: 10 before 4."""
    read = read_manifest(shards([resource("a:0:4"), resource("a:8:10", B), resource("a:4:8", B)]))
    assert len(read.manifest.resources) == 3


@pytest.mark.parametrize(
    "name", ["a", "a:1", "a:0:x", "a:-1:4", ":0:4", "a:0:4 ", "a:0:٤", "a:0:" + "9" * 30]
)
def test_a_shard_names_a_range(name):
    refused(shards([resource(name)]), "SIG008")


@pytest.mark.parametrize("size", [0, -1, 1.5, None, 1e300, 2**62])
def test_a_shard_size_is_a_positive_whole_number(size):
    refused(shards([resource("a:0:1")], size=size), "SIG008")


@pytest.mark.parametrize(
    "changes",
    [{"hash_type": "md5"}, {"hash_type": "SHA256"}, {"method": "merkle"}],
)
def test_what_is_not_known_is_not_decided(changes):
    with pytest.raises(Unreadable) as caught:
        read_manifest(payload([resource("a")], **changes))
    assert caught.value.code == "SIG018"


def test_an_unknown_algorithm_of_a_file_is_not_decided():
    with pytest.raises(Unreadable) as caught:
        read_manifest(payload([resource("a", algorithm="sha3-256")]))
    assert caught.value.code == "SIG018"


@pytest.mark.parametrize(
    ("algorithm", "hash_type"), [("blake3", "sha256"), ("sha256", "blake3"), ("sha256-sharded-4", "blake3")]
)
def test_all_files_have_the_algorithm_of_the_manifest(algorithm, hash_type):
    refused(payload([resource("a", algorithm=algorithm)], hash_type=hash_type), "SIG008")


@pytest.mark.parametrize(
    "text", ["", "00", A.hex()[:-1], A.hex() + "00", " " + A.hex()[1:], A.hex()[:-2] + "zz", A.hex() + " "]
)
def test_a_digest_has_the_length_of_its_algorithm(text):
    tree = json.loads(payload([resource("a")]))
    tree["predicate"]["resources"][0]["digest"] = text
    refused(json.dumps(tree).encode(), "SIG008")


CHUNKS = {"chunk_size": 4 * 1024 * 1024, "chunk_algorithm": "blake3", "chunks": [A.hex(), B.hex()]}


def test_chunk_digests_are_read():
    assert read_manifest(payload([resource("a", annotations=CHUNKS)])).manifest.resources[0].chunks == (A, B)


@pytest.mark.parametrize("changes", [{"chunk_size": 1024}, {"chunk_algorithm": "sha256"}])
def test_chunks_of_another_making_are_left_alone(changes):
    read = read_manifest(payload([resource("a", annotations={**CHUNKS, **changes})]))
    assert read.manifest.resources[0].chunks is None


@pytest.mark.parametrize(
    "changes",
    [
        {"chunks": [A.hex(), "00"]},
        {"chunks": [A.hex() + " "]},
        {"chunks": ["zz" * 32]},
        {"chunks": [5]},
        {"chunks": "x"},
        {"chunk_size": None},
        {"chunk_size": "4194304"},
        {"chunk_size": 4194304.0},
        {"chunk_size": True},
        {"chunk_algorithm": None},
        {"chunk_algorithm": ["blake3"]},
    ],
)
def test_chunk_digests_of_a_wrong_form_are_malformed(changes):
    refused(payload([resource("a", annotations={**CHUNKS, **changes})]), "SIG008")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda t: st.lists(t) | st.dictionaries(st.text(), t),
    )
)
def test_any_predicate_is_read_or_refused(predicate):
    subject = {"name": "m", "digest": {"sha256": root(A)}}
    with pytest.raises((Malformed, Unreadable)):
        read_manifest(statement(subject=[subject], predicate=predicate))
