"""An attacker who wraps: arrays of structures, streams in streams, archives that are two files, programs."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest

from provenance.scanning.verb import scan_bytes


class Runs:
    def __reduce__(self):
        return print, ("ran",)


EVIL = pickle.dumps(Runs())


def judged(data: bytes, name: str = "x.bin") -> tuple[str, str, set[str]]:
    scan = scan_bytes(data, name)
    return scan.files[0].format, scan.decision, {finding.rule for finding in scan.findings}


def array(value: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def header(descr: str, shape: str = "(2,)", *, version: int = 1) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    size = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text


STRUCTURES = [
    np.zeros(3, dtype=[("a", "i4"), ("b", "f8", (2, 3)), ("c", "S3"), ("d", "U2")]),
    np.zeros((2, 2), dtype=[("a", [("b", "i4"), ("c", [("d", "?")])])]),
    np.zeros(3, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    np.zeros(3, dtype=[(("a title", "a"), "i4")]),
    np.zeros(3, dtype=[("a", "M8[ns]"), ("b", "V5"), ("c", "c16")]),
    np.zeros(0, dtype=[("a", "i4")]),
    np.zeros((), dtype=[("a", "i4")]),
]


@pytest.mark.parametrize("value", STRUCTURES, ids=lambda value: str(value.dtype))
def test_arrays_of_structures(value):
    data = array(value)
    assert judged(data) == ("numpy", "accepted", set())
    assert judged(data + EVIL)[1:] == ("undecided", {"FMT006"})
    if value.size:
        assert judged(data[:-1])[1:] == ("undecided", {"FMT006"})


@pytest.mark.parametrize(
    ("data", "decision"),
    [
        (header("[('a', '|O')]") + EVIL, "refused"),
        (header("[('a', [('b', 'O')])]") + EVIL, "refused"),
        (header("'|' 'O'") + EVIL, "refused"),
        (header(r"'|\x4f'") + EVIL, "undecided"),
        (header("[" * 200 + "]" * 200), "undecided"),
        (header("[('a', '<f8', (99999999999999,))]"), "undecided"),
        (header("'<f8'", "(99999999999999999999999999,)"), "undecided"),
        (header("'<f8'", "(-2,)") + bytes(16), "undecided"),
        (header("'<f8'", "(2,), 'x': 1") + bytes(16), "undecided"),
        (b"\x93NUMPY\x02\0" + struct.pack("<I", 1 << 31) + b"{", "undecided"),
        (header("'<f8'", version=9) + bytes(16), "undecided"),
    ],
)
def test_forged_headers_of_arrays(data, decision):
    assert judged(data, "a.npy")[1] == decision


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}


@pytest.mark.parametrize("outer", PACKERS)
@pytest.mark.parametrize("inner", PACKERS)
def test_streams_in_streams(outer, inner):
    for data, decision in ((EVIL, "refused"), (pickle.dumps([1]), "accepted")):
        packed = PACKERS[outer](PACKERS[inner](data))
        assert judged(packed)[:2] == ("pickle", decision)
    assert judged(PACKERS[outer](PACKERS[inner](b"some text\n" * 5)))[:2] == ("text", "accepted")


def test_many_streams_in_one_another():
    data = EVIL
    for _ in range(12):
        data = gzip.compress(data)
    assert judged(data)[1] == "undecided"


def test_a_stream_behind_a_stream():
    assert judged(gzip.compress(pickle.dumps(1)) + EVIL)[1] == "refused"
    assert judged(gzip.compress(EVIL)[:-6])[1] != "accepted"


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, data in members.items():
            out.writestr(name, data)
    return file.getvalue()


def tape(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as out:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    return file.getvalue()


def test_formats_that_hold_pickles():
    assert judged(tape({"model_config.yaml": b"a: 1\n", "model_weights.ckpt": EVIL}))[:2] == (
        "nemo",
        "refused",
    )
    assert judged(tape({"model_config.yaml": b"_target_: os.system\n"}))[2] >= {"FMT014"}
    assert judged(archive({"MAR-INF/MANIFEST.json": b"{}", "weights.pt": EVIL}))[:2] == ("mar", "refused")
    exported = archive({"archive_format": b"pt2", "data/sample_inputs/model.pt": EVIL})
    assert judged(exported)[0] == "torch-export"
    assert judged(exported)[2] >= {"FMT002", "PKL002"}
    assert judged(b"7z\xbc\xaf\x27\x1c" + bytes(30))[:2] == ("7z", "refused")
    assert judged(archive({"a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(30)}))[1] == "refused"


FRONTS = [
    b'{"a": 1}',
    b"text\n",
    b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(8),
    struct.pack("<Q", 2) + b"{}",
    array(np.arange(3)),
    pickle.dumps([1]),
    gzip.compress(b"text"),
]


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: repr(front[:6]))
def test_a_zip_behind_another_file(front):
    assert judged(front + archive({"archive/data.pkl": EVIL}))[1] == "refused"
    assert judged(front + archive({"a.txt": b"text"}))[1] == "refused"


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01" + bytes(100),
        b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(100),
        b"\xcf\xfa\xed\xfe" + bytes(100),
        b"\0asm\1\0\0\0" + bytes(30),
        b"\xa7\r\r\n" + bytes(30),
    ],
)
def test_programs(data):
    assert judged(data)[1:] == ("refused", {"FMT001", "FMT017"})
    assert judged(archive({"lib/x": data}))[1:] == ("refused", {"FMT001", "FMT017"})


# --- skops ----------------------------------------------------------------------------------------------------------


def schema(loader: str, module: str, name: str) -> bytes:
    inner = {"__class__": name, "__module__": module, "__loader__": loader, "content": {}}
    return json.dumps(
        {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": [inner]}
    ).encode()


def test_types_of_skops():
    for node in (
        ("ObjectNode", "sklearn.linear_model._logistic", "LogisticRegression"),
        ("NdArrayNode", "numpy", "ndarray"),
        ("RandomStateNode", "numpy.random.mtrand", "RandomState"),
        ("FunctionNode", "numpy", "log1p"),
        ("JsonNode", "builtins", "str"),
    ):
        assert judged(archive({"schema.json": schema(*node)})) == ("skops", "accepted", set()), node


@pytest.mark.parametrize(
    "node",
    [
        ("ObjectNode", "os", "system"),
        ("ObjectNode", "numpy", "memmap"),
        ("ObjectNode", "builtins", "eval"),
        ("TypeNode", "subprocess", "Popen"),
        ("FunctionNode", "numpy", "fromfile"),
        ("FunctionNode", "os", "system"),
        ("OperatorFuncNode", "operator", "methodcaller"),
        ("MethodNode", "sklearn.linear_model._logistic", "LogisticRegression"),
        ("PartialNode", "functools", "partial"),
    ],
)
def test_types_that_skops_would_import(node):
    for members in (
        {},
        {"config.json": b"{}", "metadata.json": b"{}"},
        {"data.pkl": pickle.dumps({})},
        {"a.npy": array(np.arange(2))},
    ):
        data = archive({**members, "schema.json": schema(*node)})
        assert judged(data)[1] == "refused", members
    assert judged(archive({"schema.json": schema(*node).decode().encode("utf-16")}))[2] >= {"FMT015"}


def test_a_schema_that_is_no_text():
    assert judged(archive({"schema.json": b"\xff\xfe\xfd{"}))[1] != "accepted"
    assert judged(archive({"schema.json": b"[" * 100_000}))[1] == "undecided"
