"""An attacker hides a call in a pickle: in each story the call is found, whatever stands around it.

The payload is ``os.getpid``, which harms nobody; the scanner knows it no better than ``os.system``.
"""

from __future__ import annotations

import bz2
import copyreg
import functools
import gzip
import io
import lzma
import operator
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections import OrderedDict

import msgspec
import numpy as np
import pytest

from policies import BUILTIN, FormatPolicy
from provenance.scanning.verb import scan_bytes

MODULE, NAME = b"posix", b"getpid"
CALL = b"c" + MODULE + b"\n" + NAME + b"\n)R"  # GLOBAL, EMPTY_TUPLE, REDUCE


def short(text: bytes) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text


def long(text: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text


def frame(body: bytes) -> bytes:
    return b"\x95" + struct.pack("<Q", len(body)) + body


def refused(data: bytes, *rules: str, name: str = "model.pkl") -> None:
    scan = scan_bytes(data, name)
    found = {finding.rule for finding in scan.findings if finding.severity == "error"}
    assert scan.decision == "refused", (scan.decision, scan.findings)
    assert not rules or found & set(rules), scan.findings


# --- R1: the operands of STACK_GLOBAL -------------------------------------------------------------------------------

OPERANDS = {
    "plain": short(MODULE) + short(NAME),
    "long strings": long(MODULE) + b"\x8d" + struct.pack("<Q", len(NAME)) + NAME,
    "escaped": b"V\\u0070osix\n" + b"S'get\\x70id'\n",
    "binstring": b"U\x05" + MODULE + b"T" + struct.pack("<i", len(NAME)) + NAME,
    "by the memo": short(MODULE) + b"q\x05" + short(NAME) + b"q\x06" + b"00" + b"h\x05h\x06",
    "by a long memo": short(MODULE)
    + b"r\xff\xff\0\0"
    + short(NAME)
    + b"\x940j\xff\xff\0\0"
    + b"2"
    + b"0"
    + short(NAME),
    "put stores the top": short(b"math") + short(MODULE) + b"p7\n0" + b"0" + b"g7\n" + short(NAME),
    "overwritten memo": short(b"math") + b"q\1" + short(MODULE) + b"q\1" + b"00" + b"h\1" + short(NAME),
    "dup decoy": short(MODULE) + b"2" + b"0" + short(NAME) + b"2" + b"0",
    "pop decoys": short(MODULE) + short(NAME) + short(b"math") + b"0" + b"(" + short(b"sqrt") + b"1",
}


@pytest.mark.parametrize("operands", OPERANDS.values(), ids=OPERANDS.keys())
def test_operands_of_stack_global_are_followed(operands):
    refused(b"\x80\x04" + operands + b"\x93)R.", "PKL002")


@pytest.mark.parametrize(
    "operands",
    [
        b"cbuiltins\nstr\n)R" + short(NAME),
        short(MODULE) + b"K\1",
        short(MODULE) + b"]",
        b"c_codecs\nencode\n" + short(MODULE) + short(b"latin1") + b"\x86R" + short(NAME),
        b"X" + struct.pack("<I", 70_000) + b"a" * 70_000 + short(NAME),
    ],
    ids=["called", "a number", "a list", "computed", "too long"],
)
def test_operands_that_are_no_plain_strings(operands):
    refused(b"\x80\x04" + operands + b"\x93)R.", "PKL004", "PKL005")


# --- R2: every way to call ------------------------------------------------------------------------------------------

GLOBAL = b"c" + MODULE + b"\n" + NAME + b"\n"
CALLS = {
    "reduce": GLOBAL + b")R.",
    "inst": b"(i" + MODULE + b"\n" + NAME + b"\n.",
    "obj": b"(" + GLOBAL + b"o.",
    "obj and pop": b"(" + GLOBAL + b"o0N.",
    "newobj": b"\x80\x02" + GLOBAL + b")\x81.",
    "newobj_ex": b"\x80\x04" + GLOBAL + b")}\x92.",
    "result discarded": GLOBAL + b")R0N.",
    "in a tuple": b"(" + GLOBAL + b")RNt.",
    "as a key": b"}" + GLOBAL + b")RNs.",
    "build with it": b"ccollections\nOrderedDict\n)R" + CALL + b"b.",
    "without stop": CALL,
    "then garbage": CALL + b"\xff\xfe garbage",
    "setstate": b"ccollections\nOrderedDict\n)R}S'__setstate__'\n" + GLOBAL + b"sb.",
}


@pytest.mark.parametrize("body", CALLS.values(), ids=CALLS.keys())
def test_every_way_to_call(body):
    refused(body, "PKL002")
    refused(body, "PKL002", name="model.safetensors")
    refused(body, "PKL002", name="")


def test_extension_codes():
    registered = b"ccopyreg\nadd_extension\n(S'posix'\nS'getpid'\nK\x01tR0"
    refused(b"\x80\x02" + registered + b"\x82\x01)R.", "PKL002", "PKL007")
    for code in (b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\0\0\0"):
        refused(b"\x80\x02" + code + b")R.", "PKL007")


def test_persistent_ids_outside_torch():
    refused(b"Pposix.getpid\n.", "PKL008")
    refused(b"\x80\x02" + short(b"x") + b"Q.", "PKL008")


# --- R3: frames -----------------------------------------------------------------------------------------------------


def test_an_argument_that_crosses_its_frame():
    inner = CALL + b"."
    body = b"\x8c" + bytes([len(inner) + 1]) + b"x"  # the string's rest lies behind the frame
    refused(b"\x80\x04" + frame(body) + inner + b".", "PKL009", "PKL002")


def test_a_frame_in_a_frame():
    refused(b"\x80\x04" + frame(frame(b"N") + b"0N."), "PKL009")


def test_a_frame_that_ends_elsewhere():
    refused(b"\x80\x04\x95" + struct.pack("<Q", 100) + b"N." + bytes(98), "PKL009")


# --- R4: the shape of the stream ------------------------------------------------------------------------------------

PADDINGS = {
    "a long string": b"X" + struct.pack("<I", 12_000_000) + b"a" * 12_000_000 + b"0",
    "long bytes": b"B" + struct.pack("<I", 12_000_000) + bytes(12_000_000) + b"0",
    "none, pop": b"N0" * 200_000,
    "a long line": b"V" + b"a" * 3_000_000 + b"\n0",
    "floats": b"F1.5\n0" * 30_000,
    "a bytearray": b"\x96" + struct.pack("<Q", 1_000_000) + bytes(1_000_000) + b"0",
    "another pickle": b"\x80\x04N.",
    "many pickles": b"\x80\x04N." * 5_000,
    "a magic number": pickle.dumps(0x1950A86A20F9469CFC6C, 2),
}


@pytest.mark.parametrize("padding", PADDINGS.values(), ids=PADDINGS.keys())
def test_padding_hides_nothing(padding):
    refused(padding + CALL + b".", "PKL002")


def test_buffers_from_outside():
    refused(b"\x80\x05\x97\x98.", "PKL011")


# --- R5, R7: names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pathlib", "os.getpid"),
        ("torch", "os.getpid"),
        ("numpy.lib._npyio_impl", "os.getpid"),
        ("torch.serialization", "pickle.loads"),
        ("collections", "_sys.exit"),
        ("collections", "OrderedDict.__class__"),
        ("collections", "OrderedDict.fromkeys"),
        ("builtins", "set.__init__"),
    ],
)
def test_dotted_names(module, name):
    refused(b"\x80\x04" + short(module.encode()) + short(name.encode()) + b"\x93)R.", "PKL004")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("__builtin__", "eval"),
        ("builtins", "exec"),
        ("builtins", "getattr"),
        ("builtins", "__import__"),
        ("nt", "system"),
        ("posix", "system"),
        ("os", "popen"),
        ("_pickle", "loads"),
        ("_operator", "attrgetter"),
        ("_io", "open"),
        ("commands", "getoutput"),
        ("copy_reg", "add_extension"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("numpy", "load"),
        ("joblib", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("numpy.f2py.crackfortran", "getlincoef"),
        ("collections", "namedtuple"),
        ("torch.", "float32"),
        ("some-module", "system"),
        ("ｏｓ", "system"),
    ],
)
def test_names_that_are_on_no_allowlist(module, name):
    refused(b"c" + module.encode() + b"\n" + name.encode() + b"\n(S'1'\ntR.", name="x.pkl")


# --- R6: state and items on what is not fresh -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        b"ccollections\nOrderedDict\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nfloat32\n",
        b"]",
        b"}",
        b"S'text'\n",
    ],
)
def test_state_only_on_fresh_instances(target):
    refused(target + b"}S'x'\nK\1sb.", "PKL006")


def test_items_only_on_what_takes_them():
    refused(b"ccollections\nOrderedDict\nS'x'\nK\1s.", "PKL006")
    refused(b"cnumpy\ndtype\n(S'f4'\nK\0K\1tRK\0K\1s.", "PKL006")
    refused(b"ccollections\nOrderedDict\n)RK\1a.", "PKL006")
    refused(b"\x80\x04](K\1\x90.", "PKL006")


def test_allowed_functions_are_no_values():
    function = b"ctorch._utils\n_rebuild_tensor_v2\n"
    refused(function + b".", "PKL005")
    refused(b"]" + function + b"a.", "PKL005")
    refused(b"ccollections\ndefaultdict\n(" + function + b"tR.", "PKL005")
    refused(
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ccollections\nOrderedDict\n)Rctorch\nTensor\n)}tR.",
        "PKL005",
    )
    refused(b"ctorch._tensor\n_rebuild_from_type_v2\n(" + GLOBAL + b"ctorch\nTensor\n)}tR.", "PKL002")


def test_constants_are_not_called():
    refused(b"cbuiltins\nlist\n(cbuiltins\nrange\n(K\0K\1tRtR.", "PKL005")
    refused(b"ctorch\nfloat32\n)R.", "PKL005")


def test_arguments_that_only_cost_memory():
    refused(b"cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.", "PKL005")
    refused(b"cbuiltins\nset\n(cbuiltins\nrange\n(K\0J\xff\xff\xff\x7ftRtR.", "PKL005")


@pytest.mark.parametrize("maker", [b"ccollections\nCounter\n", b"ccollections\ndeque\n"])
def test_items_from_a_range(maker):
    refused(maker + b"(cbuiltins\nrange\n(K\0J\xff\xff\xff\x7ftRtR.", "PKL005")


def test_a_maker_of_indices_makes_no_other_objects():
    """It calls ``cls.__new__(cls, **keywords)``: with ``numpy.memmap`` that would open a file."""
    policy = msgspec.structs.replace(
        BUILTIN["harmless"], formats=FormatPolicy(pickle="allowlist", profiles=("pandas",))
    )
    for cls in (b"cnumpy\nmemmap\n", b"ccollections\ndeque\n"):
        data = b"cpandas.core.indexes.base\n_new_Index\n(" + cls + b"}S'filename'\nS'x'\nstR."
        assert scan_bytes(data, policy=policy).decision == "refused"


def test_another_encoding():
    refused(b"c_codecs\nencode\n(S'x'\nS'zlib'\ntR.", "PKL005")


# --- R8: what Python itself writes for gadgets ----------------------------------------------------------------------


class Gadget:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


GADGETS = [
    Gadget(os.getpid, ()),
    Gadget(eval, ("1",)),
    Gadget(functools.partial(os.getpid), ()),
    Gadget(operator.methodcaller("x"), (1,)),
    Gadget(operator.attrgetter("a.b"), (1,)),
    Gadget(map, (os.getpid, [1])),
    Gadget(getattr, ("x", "upper")),
    Gadget(pickle.loads, (b"N.",)),
    OrderedDict(a=Gadget(os.getpid, ())),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("gadget", GADGETS, ids=range(len(GADGETS)))
def test_gadgets_as_python_writes_them(gadget, protocol):
    refused(pickle.dumps(gadget, protocol), "PKL002")
    refused(pickle.dumps({"weights": [1.0, 2.0], "x": (1, {"y": gadget})}, protocol), "PKL002")


# --- R10: whatever lies around it -----------------------------------------------------------------------------------

PAYLOAD = pickle.dumps(Gadget(os.getpid, ()), 2)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def tarred(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def object_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Gadget(os.getpid, ())], dtype=object), allow_pickle=True)
    return file.getvalue()


def structured_array() -> bytes:
    file = io.BytesIO()
    array = np.zeros(1, dtype=[("a", "f4"), ("b", object)])
    array["b"][0] = Gadget(os.getpid, ())
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def legacy(index: int) -> bytes:
    parts = [
        pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {}, [])
    ]
    parts[index] = PAYLOAD
    return b"".join(parts)


WRAPPED = {
    "gzip": gzip.compress(PAYLOAD),
    "zlib": zlib.compress(PAYLOAD),
    "bz2": bz2.compress(PAYLOAD),
    "xz": lzma.compress(PAYLOAD),
    "lzma": lzma.compress(PAYLOAD, lzma.FORMAT_ALONE),
    "twice": gzip.compress(zlib.compress(PAYLOAD)),
    "torch zip": zipped(("archive/data.pkl", PAYLOAD), ("archive/version", b"3\n")),
    "deflated": zipped(("archive/data.pkl", PAYLOAD), method=zipfile.ZIP_DEFLATED),
    "upper case": zipped(("ARCHIVE/DATA.PKL", PAYLOAD)),
    "zip in zip": zipped(("a.zip", zipped(("b.zip", zipped(("x", PAYLOAD)))))),
    "another member": zipped(("archive/data.pkl", b"\x80\x02}."), ("archive/extra/x.bin", PAYLOAD)),
    "tar": tarred("weights", PAYLOAD),
    "tar.gz": gzip.compress(tarred("weights", PAYLOAD)),
    "object array": object_array(),
    "structured array": structured_array(),
    "npz": zipped(("a.npy", object_array())),
    "nemo": tarred("model_weights.ckpt", zipped(("archive/data.pkl", PAYLOAD))),
    "mar": zipped(("MAR-INF/MANIFEST.json", b"{}"), ("model.pt", zipped(("m/data.pkl", PAYLOAD)))),
    "keras": zipped(("config.json", b"{}"), ("metadata.json", b"{}"), ("x.pkl", PAYLOAD)),
    **{f"legacy torch, part {index}": legacy(index) for index in range(5)},
}


@pytest.mark.parametrize("data", WRAPPED.values(), ids=WRAPPED.keys())
@pytest.mark.parametrize("name", ["model.safetensors", "model.bin", "model", "config.json"])
def test_containers_hide_nothing(data, name):
    refused(data, name=name)


@pytest.mark.parametrize("part", range(5))
def test_a_load_within_a_load(part):
    inner = legacy(part)
    outer = b"\x80\x04ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(inner)) + inner + b"\x85R."
    refused(outer, "PKL002")


def test_a_load_of_what_is_not_there_to_be_read():
    refused(b"\x80\x04ctorch.storage\n_load_from_bytes\n(S'x'\ntR.", "PKL005")
    refused(b"\x80\x04ctorch.storage\n_load_from_bytes\n(cbuiltins\nbytes\n(C\1xtRtR.", "PKL005")


def test_a_tar_whose_first_name_is_a_pickle():
    refused(tarred((CALL + b".").decode(), b"text"), "PKL002")


def test_a_zip_that_ends_with_another_file():
    tensor = zipped(("archive/data.pkl", PAYLOAD))
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (len(tensor), len(tensor))
    refused(struct.pack("<Q", len(header)) + header + tensor, "ARC010", name="model.safetensors")
    refused(b"a text\n" * 100 + tensor, "ARC004", name="model.txt")


# --- R11: denial of service -----------------------------------------------------------------------------------------


def undecided(data: bytes) -> None:
    scan = scan_bytes(data, "model.pkl")
    assert scan.decision == "undecided", scan.findings


DOUBLED = {
    "tuples": b"h\0h\0\x86q\0",
    "lists": b"](h\0h\0eq\0",
    "lists, one by one": b"]h\0ah\0aq\0",
    "dicts": b"}(K\0h\0K\1h\0uq\0",
    "sets": b"\x8f(h\0h\0K\1\x86\x90q\0",
    "objects": b"ccollections\nOrderedDict\n)R(K\0h\0K\1h\0uq\0",
    "states": b"ccollections\nOrderedDict\n)R}(S'a'\nh\0S'b'\nh\0ubq\0",
    "arguments": b"ccollections\ndeque\n](h\0h\0e\x85Rq\0",
    "queues": b"ccollections\ndeque\n)R(h\0h\0eq\0",
    "keys": b"}h\0h\0\x86Nsq\0",
}


@pytest.mark.parametrize("doubled", DOUBLED.values(), ids=DOUBLED.keys())
def test_an_exponential_structure_is_read_in_linear_time(doubled):
    body = b"\x80\x04K\1q\0" + doubled * 5_000 + b"."
    undecided(body)
    refused(body[:-1] + CALL + b".", "PKL002")
    assert scan_bytes(b"\x80\x04K\1q\0" + doubled * 20 + b".").decision == "accepted"


@pytest.mark.parametrize(
    "body",
    [
        b"\x80\x04Nr\xff\xff\xff\xff.",
        b"\x80\x04Np99999999999\n.",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
        b"\x80\x04\x8b\xff\xff\xff\x7f.",
        b"\x80\x02" + b"(" * 2_000_000,
        b"\x80\x04" + b"]" * 100,
        b"\x80\x04",
        b"\x80\x04h\x07.",
        b"\x80\x040.",
        b"\x80\x04I1_x\n.",
    ],
)
def test_broken_and_boundless_pickles_are_undecided(body):
    undecided(body)


def test_deep_nesting_of_compression_is_bounded():
    data = PAYLOAD
    for _ in range(12):
        data = gzip.compress(data)
    assert scan_bytes(data, "model.pkl").decision in ("refused", "undecided")


def test_a_bomb_is_bounded():
    data = gzip.compress(b"\x80\x04N0" + b"N0" * 1_000_000 + b"N.")
    assert scan_bytes(data, "x").decision == "accepted"
    assert (
        scan_bytes(zipped(("a/data.pkl", bytes(1 << 22)), method=zipfile.ZIP_DEFLATED), "x").decision
        != "accepted"
    )


def test_copyreg_is_used_as_python_uses_it():
    """The honest counterpart: what copyreg writes for an allowed class passes."""
    reconstructor = copyreg._reconstructor  # type: ignore[attr-defined]
    assert reconstructor.__module__ == "copyreg"
    assert (
        scan_bytes(pickle.dumps({"a": OrderedDict(b=1), "c": {1, 2}, "d": b"x", "e": 1j}, 0)).decision
        == "accepted"
    )
