"""An attacker hands over a checkpoint to be converted: no code of it runs, and no lie of it reaches the result."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import provenance
from provenance.errors import UsageError
from provenance.loading.convert import Conversion, convert
from provenance.loading.converting.steadiness import Changed, Steady


class Global:
    """Pickled as an import by name, which need not exist here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    def __init__(self, module: str, name: str, *arguments: Any) -> None:
        self.function, self.arguments = Global(module, name), arguments


class Stored:
    """A storage by its persistent id."""

    def __init__(self, items: Any, key: str = "0", kind: str = "FloatStorage") -> None:
        self.pid = ("storage", Global("torch", kind), key, "cpu", items)


def dumps(value: Any) -> bytes:
    """Protocol 0 by hand: whatever the attacker wants to say."""
    if isinstance(value, Global):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Call):
        return dumps(value.function) + dumps(value.arguments) + b"R"
    if isinstance(value, Stored):
        return dumps(value.pid) + b"Q"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(dumps, value)) + b"t"
    if isinstance(value, dict):
        return b"(" + b"".join(dumps(key) + dumps(item) for key, item in value.items()) + b"d"
    if isinstance(value, bool) or value is None:
        return {None: b"N", True: b"I01\n", False: b"I00\n"}[value]
    return (
        f"I{value}\n".encode()
        if isinstance(value, int)
        else b"V" + value.encode("raw-unicode-escape") + b"\n"
    )


def tensor(sizes: Any, strides: Any, offset: Any = 0, items: Any = 4, **storage: Any) -> Call:
    hooks = Call("collections", "OrderedDict")
    return Call(
        "torch._utils", "_rebuild_tensor_v2", Stored(items, **storage), offset, sizes, strides, False, hooks
    )


GOOD = tensor((2, 2), (2, 1))
FOUR = np.arange(4, dtype="<f4").tobytes()


def archive(value: Any, records: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("m/data.pkl", value if isinstance(value, bytes) else dumps(value) + b".")
        file.writestr("m/byteorder", b"little")
        for key, data in ({"0": FOUR} if records is None else records).items():
            file.writestr(f"m/data/{key}", data)
        file.writestr("m/version", b"3\n")
    return out.getvalue()


def converted(where: Path, data: bytes, **options: Any) -> Conversion:
    (where / "source.pt").write_bytes(data)
    return convert(where / "source.pt", where / "result.safetensors", **options)


def refused(where: Path, data: bytes, rule: str, *, decision: str = "refused", **options: Any) -> Conversion:
    result = converted(where, data, **options)
    assert (result.decision, result.path) == (decision, None), result.findings
    assert rule in {found.rule for found in result.findings}, result.findings
    assert os.listdir(where) == ["source.pt"]
    return result


def test_an_honest_file_converts(tmp_path: Path) -> None:
    result = converted(tmp_path, archive({"w": GOOD}))
    assert result.decision == "accepted", result.findings
    assert load_file(tmp_path / "result.safetensors")["w"].tolist() == [[0, 1], [2, 3]]


# --- Sizes that are lies ----------------------------------------------------------------------------------------------

LIES = {
    "beyond the storage": tensor((5,), (1,)),
    "beyond by stride": tensor((2, 2), (3, 1)),
    "beyond by offset": tensor((4,), (1,), 1),
    "negative stride": tensor((2,), (-1,), 3),
    "negative offset": tensor((2,), (1,), -1),
    "negative size": tensor((-1, -4), (1, 1)),
    "overflow of the count": tensor((1 << 62, 8), (0, 0)),
    "overflow of the end": tensor((2,), ((1 << 64) - 1,)),
    "overflow beside an empty axis": tensor((0, 1 << 40, 1 << 40), (1, 1, 1)),
    "fewer strides": tensor((2, 2), (1,)),
    "sizes that are no numbers": tensor(("2", 2), (2, 1)),
    "no sizes": tensor(None, None),
    "too many dimensions": tensor((1,) * 70, (1,) * 70),
}


@pytest.mark.parametrize("value", LIES.values(), ids=LIES.keys())
def test_a_tensor_that_reaches_out_of_its_storage(tmp_path: Path, value: Call) -> None:
    refused(tmp_path, archive({"w": value}), "CNV001")
    refused(tmp_path, archive({"w": value}), "CNV004", partial=True)


@pytest.mark.parametrize(
    ("value", "records", "rule"),
    [
        (tensor((4,), (1,), items=4), {"0": FOUR[:12]}, "PKL013"),
        (tensor((4,), (1,), items=4), {"0": FOUR * 2}, "PKL013"),
        (tensor((4,), (1,), items=1 << 40), None, "PKL013"),
        (tensor((4,), (1,)), {}, "ARC008"),
        (tensor((4,), (1,), key="1"), None, "ARC008"),
    ],
    ids=["shorter", "longer", "huge", "no record", "another key"],
)
@pytest.mark.parametrize("partial", [False, True])
def test_a_record_of_another_size(
    tmp_path: Path, value: Call, records: Any, rule: str, *, partial: bool
) -> None:
    refused(
        tmp_path,
        archive({"w": value}, records),
        rule,
        decision="undecided" if rule == "ARC008" else "refused",
        partial=partial,
    )


def test_a_record_that_was_damaged(tmp_path: Path) -> None:
    data = bytearray(archive({"w": GOOD}))
    data[data.index(FOUR)] ^= 1
    refused(tmp_path, bytes(data), "ARC005", partial=True)


def test_a_file_that_would_grow_beyond_all_measure(tmp_path: Path) -> None:
    refused(
        tmp_path, archive({"w": tensor((1_000_000_000,), (0,))}), "CNV005", decision="undecided", partial=True
    )
    many = {f"w{n}": tensor((1_000_000,), (0,)) for n in range(100)}
    refused(tmp_path, archive(many), "CNV005", decision="undecided")
    assert converted(tmp_path, archive({"w": tensor((1000,), (0,))})).decision == "accepted"


def test_an_array_whose_shape_is_not_its_bytes(tmp_path: Path) -> None:
    honest = pickle.dumps(np.arange(6, dtype="<i4").reshape(2, 3), 2)
    assert converted(tmp_path, honest).decision == "accepted"
    os.remove(tmp_path / "result.safetensors")
    for old, new in (
        (b"K\x02K\x03", b"K\x02K\x04"),
        (b"K\x02K\x03", b"K\x02K\x01"),
        (b"U\x02i4", b"U\x02i8"),
    ):
        if old in honest:
            refused(tmp_path, honest.replace(old, new), "CNV001")


# --- Code on the way --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["os", "posix", "numpy.f2py.crackfortran", "mine.models"])
def test_code_beside_the_tensors_is_not_run_but_named(tmp_path: Path, module: str) -> None:
    value = {"w": GOOD, "optimizer": Call(module, "system", "touch RAN")}
    result = refused(tmp_path, archive(value), "PKL002")
    assert [(one.name, "system" in one.what) for one in result.left_behind] == [("optimizer", True)]
    result = converted(tmp_path, archive(value), partial=True)
    assert result.decision == "accepted"
    assert list(load_file(tmp_path / "result.safetensors")) == ["w"]
    assert not Path("RAN").exists()


def test_code_that_makes_the_tensors(tmp_path: Path) -> None:
    made = Call("torch._utils", "_rebuild_tensor_v2", Call("os", "getpid"), 0, (2, 2), (2, 1), False, None)
    refused(tmp_path, archive({"w": made}), "PKL002")
    refused(tmp_path, archive({"w": made}), "CNV004", partial=True)


def test_code_behind_the_pickle(tmp_path: Path) -> None:
    body = dumps({"w": GOOD}) + b"."
    result = refused(tmp_path, archive(body + dumps(Call("os", "getpid")) + b"."), "CNV001")
    assert "behind the pickle" in result.left_behind[0].what


def test_a_pickle_of_two_readings(tmp_path: Path) -> None:
    """A frame that ends inside an argument."""
    body = b"\x80\x04\x95" + (8).to_bytes(8, "little") + b"\x8c\x10" + b"a" * 16 + b"."
    refused(tmp_path, archive(body), "PKL009", partial=True)


WATCH = """
import os, sys
seen = []
def hook(event, arguments):
    if armed and event in ("import", "compile", "exec", "os.system", "subprocess.Popen", "os.exec", "socket.connect",
                           "ctypes.dlopen", "pickle.find_class", "marshal.loads"):
        seen.append((event, str(arguments[0])[:80]))
armed = False
from provenance.loading.convert import convert
for source in sys.argv[2:]:
    convert(source, sys.argv[1], partial=True)  # imports what converting needs
sys.addaudithook(hook)
armed = True
found = [convert(source, sys.argv[1], partial=True).decision for source in sys.argv[2:]]
armed = False
print(found, seen)
"""


def test_nothing_is_imported_unpickled_or_run(tmp_path: Path) -> None:
    values = {
        "a.pt": archive({"w": GOOD, "x": Call("antigravity", "fly"), "y": Call("os", "system", "touch RAN")}),
        "b.pkl": pickle.dumps({"w": np.arange(3)}),
        "c.pkl": b"cantigravity\nfly\n.",
    }
    for name, data in values.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "antigravity.py").write_text("raise SystemExit(7)")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            WATCH,
            str(tmp_path / "r.safetensors"),
            *(str(tmp_path / name) for name in values),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == "['accepted', 'accepted', 'refused'] []"
    assert not (tmp_path / "RAN").exists()


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {"a.b": GOOD, "a": {"b": GOOD}},
        {"a.b": 1, "a": {"b": GOOD}},
        {"a": {"b": 1, "c": GOOD}, "a.b": GOOD},
        {1: GOOD, "1": GOOD},
        {"x": {1: 2, "1": 3}, "w": GOOD},
        {"": {"": GOOD}, ".": GOOD},
    ],
    ids=str,
)
@pytest.mark.parametrize("partial", [False, True])
def test_names_that_collide(tmp_path: Path, value: Any, *, partial: bool) -> None:
    refused(tmp_path, archive(value), "CNV002", partial=partial)


def test_a_quantised_tensor_whose_scale_takes_anothers_place(tmp_path: Path) -> None:
    scheme = (Global("torch", "per_tensor_affine"), 1, 0)
    quantised = Call(
        "torch._utils",
        "_rebuild_qtensor",
        Stored(16, kind="QInt8Storage"),
        0,
        (4,),
        (1,),
        scheme,
        False,
        None,
    )
    refused(
        tmp_path,
        archive({"w": quantised, "w.scale": tensor((4,), (1,), key="1")}, {"0": FOUR, "1": FOUR}),
        "CNV002",
    )


def test_names_that_a_header_cannot_have(tmp_path: Path) -> None:
    refused(tmp_path, archive({"__metadata__": GOOD}), "CNV003", partial=True)
    refused(tmp_path, archive(dumps({"\ud800": GOOD}) + b"."), "CNV003", partial=True)
    name = 'a"\\\n\x00é'
    data = b"\x80\x02}X" + len(name.encode()).to_bytes(4, "little") + name.encode() + dumps(GOOD) + b"s."
    assert converted(tmp_path, archive(data)).decision == "accepted"
    assert list(load_file(tmp_path / "result.safetensors")) == [name]


@pytest.mark.parametrize(
    "value",
    [
        b"I0x" + b"f" * 60_000 + b"\n",
        b"V" + b"a" * 70_000 + b"\\u12\n",
        b"S'" + b"a" * 70_000 + b"\\x1'\n",
        b"\x8d" + (70_000).to_bytes(8, "little") + b"\xff" * 70_000,
        b"(I0x" + b"f" * 60_000 + b"\nNd",
        b"\x8b\xff\0\0\0" + b"\x7f" * 255,
    ],
    ids=["integer", "escape", "old escape", "no UTF-8", "key", "long integer"],
)
def test_values_that_no_text_can_hold(tmp_path: Path, value: bytes) -> None:
    body = b"(Vw\n" + dumps(GOOD) + b"Vx\n" + value + b"d."
    result = refused(tmp_path, archive(body), "CNV001")
    assert [one.name for one in result.left_behind] == ["x"]


def test_a_tensor_whose_sizes_no_text_can_hold(tmp_path: Path) -> None:
    huge = b"I0x" + b"f" * 60_000 + b"\n"
    for place in (b"(I2\nI2\nt", b"(I2\nI1\nt"):
        body = (dumps({"w": GOOD}) + b".").replace(place, b"(" + huge + b"I1\nt")
        refused(tmp_path, archive(body), "CNV001")


# --- Work without end -------------------------------------------------------------------------------------------------


def bomb(levels: int) -> bytes:
    """Each list holds the one before it twice."""
    return b"]q\x00" + b"".join(b"(h%ch%clq%c" % (n, n, n + 1) for n in range(levels)) + b"."


@pytest.mark.parametrize(
    "data",
    [bomb(30), b"]" * 2000 + b"a" * 1999 + b".", b"]q\x00h\x00a.", b"}q\x00(VX\nh\x00u."],
    ids=["shared", "nested", "in itself", "dict in itself"],
)
def test_values_without_end(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path, archive(data), "CNV005", decision="undecided", partial=True)
    refused(tmp_path, data, "CNV005", decision="undecided", partial=True)


def many(value: bytes, times: int) -> bytes:
    """A list that holds one value many times."""
    return value + b"q\x010](" + b"h\x01" * times + b"e."


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (pickle.dumps(np.zeros(500_000, "u1"), 0)[:-1], "CNV005"),
        (b"V" + b"a" * 1_000_000 + b"\\u12\n", "CNV005"),
        (dumps(Call("collections", "OrderedDict")) + b"(" + b"F1.5\nN" * 50_000 + b"u", "CNV005"),
    ],
    ids=["array", "text", "dict"],
)
def test_one_value_that_is_held_a_great_many_times(tmp_path: Path, value: bytes, rule: str) -> None:
    refused(tmp_path, many(value, 100_000), rule, decision="undecided", partial=True)


def test_a_rebuild_within_rebuilds(tmp_path: Path) -> None:
    inner: Any = GOOD
    for _ in range(300):
        inner = Call("torch._utils", "_rebuild_parameter", inner, False, None)
    assert converted(tmp_path, archive({"w": inner})).decision in ("accepted", "undecided", "refused")


# --- Where the result goes --------------------------------------------------------------------------------------------


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "source.safetensors"
    source.write_bytes(archive({"w": GOOD}))
    before = source.read_bytes()
    os.link(source, tmp_path / "hard.safetensors")
    os.symlink(source, tmp_path / "soft.safetensors")
    for name in ("source", "hard", "soft"):
        with pytest.raises(UsageError, match="is the source itself"):
            convert(source, tmp_path / f"{name}.safetensors")
    with pytest.raises(UsageError, match="is the source itself"):
        convert(source, tmp_path / "." / ".." / tmp_path.name / "source.safetensors")
    assert source.read_bytes() == before


def test_a_link_in_the_place_of_the_result_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    os.symlink(tmp_path / "precious", tmp_path / "result.safetensors")
    assert converted(tmp_path, archive({"w": GOOD})).decision == "accepted"
    assert (tmp_path / "precious").read_text() == "keep me"
    assert not (tmp_path / "result.safetensors").is_symlink()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "source.pt").write_bytes(archive({"w": GOOD}))
    (tmp_path / "directory.safetensors").mkdir()
    for name in ("result.bin", "result", "directory.safetensors", "absent/result.safetensors"):
        with pytest.raises(UsageError):
            convert(tmp_path / "source.pt", tmp_path / name)
    with pytest.raises(UsageError, match="is a directory"):
        convert(tmp_path, tmp_path / "result.safetensors")
    assert convert(tmp_path / "absent", tmp_path / "result.safetensors").exit_status == 3


def test_an_old_result_stays_where_the_conversion_is_refused(tmp_path: Path) -> None:
    (tmp_path / "result.safetensors").write_bytes(b"old")
    assert converted(tmp_path, archive({"w": LIES["negative stride"]})).decision == "refused"
    assert (tmp_path / "result.safetensors").read_bytes() == b"old"


# --- Other files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "rule", "decision"),
    [
        (b"", "CNV003", "refused"),
        (b"hello there, this is a text", "CNV003", "refused"),
        (b"\x00\x01\x02\x03" * 100, "CNV003", "refused"),
        (b"\x80\x02}q\x00.", "CNV004", "refused"),
        (b"\x80\x04\x95", "PKL003", "undecided"),
        (b"\x93NUMPY\x01\x00\x05\x00junk", "FMT006", "undecided"),
    ],
)
def test_files_without_tensors(tmp_path: Path, data: bytes, rule: str, decision: str) -> None:
    result = converted(tmp_path, data, partial=True)
    assert rule in {found.rule for found in result.findings}, result.findings
    assert result.path is None
    assert result.decision in (decision, "refused")


def test_a_legacy_file_whose_storages_are_others(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    file = io.BytesIO()
    torch.save({"w": torch.arange(3)}, file, _use_new_zipfile_serialization=False)
    data = file.getvalue()
    at = len(data) - 24 - 8
    assert int.from_bytes(data[at : at + 8], "little") == 3
    refused(tmp_path, data[:at] + (4).to_bytes(8, "little") + data[at + 8 :], "PKL013", partial=True)
    refused(tmp_path, data[:-1], "PKL013", partial=True)
    refused(tmp_path, data + b"x", "PKL013", partial=True)


def test_a_source_that_changes_while_it_is_read(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    descriptor = os.open(source, os.O_RDONLY)
    try:
        steady = Steady(descriptor, digest=True)
        steady.confirm()
        source.write_bytes(b"two")
        with pytest.raises(Changed):
            steady.confirm()
    finally:
        os.close(descriptor)


def test_the_statement_names_the_bytes_that_were_read(tmp_path: Path, key: Path, public: Path) -> None:
    import base64
    import hashlib
    import json

    (tmp_path / "source.pt").write_bytes(archive({"w": GOOD}))
    result = convert(tmp_path / "source.pt", tmp_path / "result.safetensors", key=key)
    assert result.signature is not None
    assert result.statement is not None
    assert provenance.verify(tmp_path / "result.safetensors", keys=[public]).decision == "accepted"
    payload = json.loads(
        base64.b64decode(json.loads(result.statement.read_bytes())["dsseEnvelope"]["payload"])
    )
    definition = payload["predicate"]["buildDefinition"]
    assert definition["buildType"] == "https://ml-provenance.readthedocs.io/build-types/convert/v1"
    source = definition["resolvedDependencies"][0]
    digest = hashlib.sha256((tmp_path / "source.pt").read_bytes()).hexdigest()
    assert (source["name"], source["annotations"]["fileSha256"]) == ("source.pt", digest)
    written = hashlib.sha256((tmp_path / "result.safetensors").read_bytes()).hexdigest()
    assert payload["subject"][0]["annotations"]["fileSha256"] == written
