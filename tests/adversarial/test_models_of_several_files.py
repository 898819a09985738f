"""An attacker who hands over a model of several files: ONNX with its data beside it, a SavedModel's directory."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

import provenance
from provenance.scanning.verb import scan, scan_bytes

RAW = bytes(range(256)) * 4


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | int | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(*entries: tuple[str, str]) -> bytes:
    return field(8, "w") + b"".join(field(13, field(1, key) + field(2, value)) for key, value in entries)


def onnx(*tensors: bytes, node: bytes = b"") -> bytes:
    graph = field(1, field(4, "Gemm") + node) + field(2, "g") + b"".join(field(5, one) for one in tensors)
    return field(1, 8) + field(2, "x") + field(7, graph)


def there(root: Path, **files: bytes) -> tuple[str, set[str]]:
    root.mkdir(exist_ok=True)
    for name, data in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found = scan(root)
    return found.decision, {finding.rule for finding in found.findings}


def test_data_beside_a_model(tmp_path: Path, key: Path, public: Path):
    first = tensor(("location", "model.onnx.data"), ("offset", "0"), ("length", "512"))
    second = tensor(
        ("location", "./model.onnx.data"), ("offset", "512"), ("length", "512"), ("checksum", "ab")
    )
    assert there(
        tmp_path / "a", sub__model_dot_onnx=onnx(first, second), **{"sub__model.onnx.data": RAW}
    ) == (
        "accepted",
        set(),
    )
    provenance.sign(tmp_path / "a", key=key)
    assert provenance.verify(tmp_path / "a", keys=public).decision == "accepted"


def test_data_that_no_model_refers_to(tmp_path: Path):
    model = onnx(tensor(("location", "a.data")))
    assert there(tmp_path / "a", model_dot_onnx=model, b_dot_data=RAW) == ("undecided", {"FMT001"})
    assert there(tmp_path / "b", model_dot_onnx=model, **{"sub__a.data": RAW}) == ("undecided", {"FMT001"})


def test_data_that_is_too_short(tmp_path: Path):
    model = onnx(tensor(("location", "a.data"), ("offset", "1000"), ("length", "25")))
    assert there(tmp_path / "a", model_dot_onnx=model, a_dot_data=RAW)[1] >= {"FMT009"}


def test_data_that_is_something_else(tmp_path: Path):
    import pickle

    class Runs:
        def __reduce__(self):
            return print, ("ran",)

    model = onnx(tensor(("location", "a.data"), ("length", "8")))
    decision, rules = there(tmp_path / "a", model_dot_onnx=model, a_dot_data=pickle.dumps(Runs()))
    assert decision == "refused"
    assert rules & {"PKL002", "PKL004"}
    assert there(tmp_path / "b", model_dot_onnx=model, a_dot_data=b"\x7fELF" + bytes(100))[0] == "refused"


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ([("location", "/etc/passwd")], "FMT010"),
        ([("location", "../x")], "FMT010"),
        ([("location", "a/../../x")], "FMT010"),
        ([("location", "")], "FMT010"),
        ([("offset", "3")], "FMT010"),
        ([("location", "x"), ("basepath", "/etc")], "FMT010"),
        ([("location", "x"), ("location", "/etc/passwd")], "FMT010"),
        ([("location", "x"), ("__init__", "y")], "FMT010"),
        ([("location", "x"), ("offset", "-1")], "FMT009"),
        ([("location", "x"), ("length", "9" * 30)], "FMT009"),
        ([("location", "x"), ("length", "²")], "FMT009"),
    ],
)
def test_where_external_data_may_lie(entries, rule):
    inside = [
        onnx(tensor(*entries)),
        onnx(node=field(5, field(5, tensor(*entries)))),  # an attribute
        onnx(node=field(5, field(6, field(5, tensor(*entries))))),  # a graph in an attribute
        onnx(node=field(5, field(22, field(1, tensor(*entries))))),  # a sparse one
        onnx() + field(20, field(1, field(5, tensor(*entries)))),  # training
        onnx() + field(25, field(1, "f") + field(7, field(5, field(5, tensor(*entries)))) + field(10, "own")),
    ]
    for model in inside:
        found = scan_bytes(model, "m.onnx")
        assert found.decision == "refused"
        assert {finding.rule for finding in found.findings} == {rule}


def test_operators_in_graphs_within_functions():
    custom = field(1, field(4, "Run") + field(7, "evil"))
    body = field(1, "f") + field(7, field(4, "If") + field(5, field(6, custom))) + field(10, "own")
    assert {finding.rule for finding in scan_bytes(onnx() + field(25, body), "m.onnx").findings} == {"FMT011"}


# --- TensorFlow -----------------------------------------------------------------------------------------------------


def graph(operator: str, attribute: bytes = b"") -> bytes:
    return field(1, field(1, "n") + field(2, operator) + (field(5, attribute) if attribute else b"")) + field(
        4, b""
    )


def saved(operator: str, *, library: bool = False) -> bytes:
    body = (
        field(2, field(1, field(1, b"x") + field(3, field(1, "n") + field(2, operator))))
        if library
        else graph(operator)
    )
    return field(1, 1) + field(2, field(1, b"\n\x01x") + field(2, body))


def block(*entries: tuple[bytes, bytes]) -> bytes:
    out = b""
    for name, value in entries:
        out += varint(0) + varint(len(name)) + varint(len(value)) + name + value
    return out + struct.pack("<2I", 0, 1)


def index(*variables: tuple[int, int, int], shards: int = 1) -> bytes:
    """The index of variables, each (file, offset, size)."""
    entries = [(b"", field(1, shards))]
    entries += [(b"v%d" % number, field(1, 1) + field(3, shard) + field(4, offset) + field(5, size)) for number, (shard, offset, size) in enumerate(variables)]  # fmt: skip
    data = block(*entries)
    top = block((b"w", varint(0) + varint(len(data))))
    table = data + bytes(5) + top + bytes(5)
    footer = varint(0) + varint(0) + varint(len(data) + 5) + varint(len(top))
    return table + footer.ljust(40, b"\0") + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


LAYERS = [
    {"class_name": "Dense", "config": {"units": 1}},
    {"class_name": "Lambda", "config": {"function": ["4wEA"]}},
]


def metadata(layer: dict) -> bytes:
    node = field(2, 1) + field(3, "root.layer-0") + field(4, "_tf_keras_layer") + field(5, json.dumps(layer))
    return field(1, node) * 2


FINGERPRINT = field(1, 2**63 + 5) + field(2, 7) + field(3, 8) + field(4, 9) + field(5, 10) + field(6, b"")
DIRECTORY = {
    "saved_model_dot_pb": saved("MatMul"),
    "fingerprint_dot_pb": FINGERPRINT,
    "keras_metadata_dot_pb": metadata(LAYERS[0]),
    "variables__variables_dot_index": index((0, 0, 512), (0, 512, 512)),
    "variables__variables.data-00000-of-00001": RAW,
    "assets__vocabulary_dot_txt": b"a\nb\n",
}


def test_a_whole_saved_model(tmp_path: Path):
    assert there(tmp_path / "a", **DIRECTORY) == ("accepted", set())
    formats = {file.format for file in scan(tmp_path / "a").files}
    assert formats == {"savedmodel", "text"}


def test_a_saved_model_with_less_than_it_says(tmp_path: Path):
    short = {**DIRECTORY, "variables__variables_dot_index": index((0, 1000, 100))}
    assert there(tmp_path / "a", **short)[1] >= {"FMT009"}
    assert there(tmp_path / "b", **{**DIRECTORY, "variables__variables_dot_index": b"x"})[0] == "undecided"
    strange = {**DIRECTORY, "variables__other.data-00000-of-00001": RAW}
    assert there(tmp_path / "c", **strange) == ("undecided", {"FMT001"})


def test_layers_with_code(tmp_path: Path):
    evil = {**DIRECTORY, "keras_metadata_dot_pb": metadata(LAYERS[1])}
    assert there(tmp_path / "a", **evil) == ("refused", {"FMT012"})


@pytest.mark.parametrize(
    "operator",
    [
        *(
            "ReadFile",
            "WriteFile",
            "PyFunc",
            "EagerPyFunc",
            "PyFuncStateless",
            "MatchingFiles",
            "ImmutableConst",
        ),
        *(
            "TextLineDataset",
            "TFRecordReaderV2",
            "FixedLengthRecordDatasetV2",
            "ExperimentalSqlDataset",
            "LMDBReader",
        ),
        *("LoadLibrary", "DebugIdentityV3", "SaveDatasetV2", "RemoteCall", "CacheDatasetV2", "DecodeProtoV2"),
    ],
)
def test_operators_that_reach_out(operator):
    for data in (saved(operator), saved(operator, library=True), graph(operator) * 3):
        found = scan_bytes(data, "x.pb")
        assert (found.files[0].format, found.decision) == ("savedmodel", "refused")
        assert {finding.rule for finding in found.findings} == {"FMT011"}


def test_a_print_into_a_file():
    evil = graph("PrintV2", field(1, "output_stream") + field(2, field(2, "file:///tmp/x")))
    plain = graph("PrintV2", field(1, "output_stream") + field(2, field(2, "stderr")))
    assert scan_bytes(evil, "x.pb").decision == "refused"
    assert scan_bytes(plain, "x.pb").decision == "accepted"


@pytest.mark.parametrize(
    ("data", "decision"),
    [
        (index((3, 0, 1)), "refused"),
        (index(shards=0), "refused"),
        (index(shards=2**40), "refused"),
        (index((0, 0, 1))[-48:], "refused"),
        (index((0, 0, 1)).replace(b"\0\2\x08v0", b"\x63\2\x08v0"), "refused"),
        (b"\x01" + bytes(200) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "undecided"),
    ],
)
def test_forged_indices(data, decision):
    assert scan_bytes(data, "variables.index").decision == decision
