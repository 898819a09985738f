"""Files around a pickle: archives, compression, arrays, other formats' names, and two formats in one file."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.corpus.opcodes import counted, framed, glob, push, short_text

__all__ = ["CONTAINERS", "Container", "zipped"]

# (pickle, random numbers) -> (suffix of the file's name, its bytes).
Container = Callable[[bytes, random.Random], tuple[str, bytes]]

_SUFFIXES = (".pkl", ".pickle", ".bin", ".pt", ".pth", ".ckpt", ".dat", ".model", ".joblib", ".p", "")
_WRONG = (
    ".safetensors",
    ".json",
    ".txt",
    ".h5",
    ".onnx",
    ".gguf",
    ".npy",
    ".npz",
    ".zip",
    ".md",
    ".csv",
    ".png",
)
_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
_SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive, by Python's own writer."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def _torch(data: bytes, *, method: int = zipfile.ZIP_STORED, root: str = "archive") -> bytes:
    names = f"{root}/data.pkl", f"{root}/byteorder", f"{root}/version"
    return zipped(*zip(names, (data, b"little", b"3\n"), strict=True), method=method)


def _in_header(data: bytes, offset: int, change: bytes, *, central: bool) -> bytes:
    """A torch zip with some bytes of the first member's header replaced."""
    archive = bytearray(_torch(data))
    at = (archive.find(b"PK\x01\x02") if central else 0) + offset
    archive[at : at + len(change)] = change
    return bytes(archive)


def _legacy(part: int) -> Container:
    """The five pickles of torch's legacy form, one of them the payload."""

    def build(data: bytes, _rng: random.Random) -> tuple[str, bytes]:
        honest: tuple[Any, ...] = (1001, _SYSTEM, {}, [])
        parts = [_MAGIC, *(pickle.dumps(value, 2) for value in honest)]
        parts[part] = data
        return ".pth", b"".join(parts)

    return build


def _tar(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def _array(data: bytes, descr: str = "'|O'") -> bytes:
    """An array of objects in numpy's format."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + counted(header.encode(), "<H") + data


def _joblib(data: bytes) -> bytes:
    """A joblib array wrapper, behind whose state the pickle of an array of objects stands."""
    dtype = glob("numpy", "dtype") + push(("O8", False, True)) + b"R"
    dtype += push((3, "|", None, None, None, -1, -1, 63)) + b"b"
    state = b"}(" + push("subclass") + glob("numpy", "ndarray") + push("shape") + push((1,)) + push("order")
    state += push("C") + push("dtype") + dtype + push("allow_mmap") + push(False) + b"u"
    wrapper = b"\x80\x04" + glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b"
    return wrapper + data + b"."


def _loads_bytes(data: bytes) -> bytes:
    """A load within a load: torch's _load_from_bytes over a legacy file."""
    inner = _legacy(3)(data, random.Random())[1]
    return b"\x80\x04" + glob("torch.storage", "_load_from_bytes") + b"B" + counted(inner, "<I") + b"\x85R."


def _behind_safetensors(data: bytes) -> bytes:
    archive = _torch(data)
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(archive)], "data_offsets": [0, len(archive)]}})
    return counted(header.encode(), "<Q") + archive


def _named(suffixes: tuple[str, ...], build: Callable[[bytes], bytes] = bytes) -> Container:
    return lambda data, rng: (rng.choice(suffixes), build(data))


def _pickle_in_tar_name(data: bytes) -> bytes:
    """A tar whose first member's name is a harmless pickle, so that it is both."""
    return _tar(("N.", b""), ("sys_info", push(_SYSTEM) + b"."), ("pickle", data), ("storages", b"K\0."))


CONTAINERS: Mapping[str, Container] = {
    "a pickle": _named(_SUFFIXES),
    "a wrong extension": _named(_WRONG),
    "a torch zip": _named((".pt", ".pth", ".bin", ".ckpt"), _torch),
    "a deflated torch zip": _named((".pt",), lambda data: _torch(data, method=zipfile.ZIP_DEFLATED)),
    "a torch zip in capitals": _named((".pt",), lambda data: _torch(data).replace(b"data.pkl", b"DATA.PKL")),
    "a torch zip with an encryption bit": _named(
        (".pt",), lambda data: _in_header(data, 6, b"\x01\0", central=False)
    ),
    "a torch zip with a central encryption bit": _named(
        (".pt",), lambda data: _in_header(data, 8, b"\x01\0", central=True)
    ),
    "a torch zip with another local name": _named(
        (".pt",), lambda data: _in_header(data, 30, b"archive/data.txt", central=False)
    ),
    "a torch zip with another central name": _named(
        (".pt",), lambda data: _in_header(data, 46, b"archive/data.txt", central=True)
    ),
    "a torch zip with a wrong CRC": _named(
        (".pt",), lambda data: _in_header(data, 16, bytes(4), central=True)
    ),
    "a torch zip with two pickles": _named(
        (".pt",),
        lambda data: zipped(("a/data.pkl", b"\x80\x02}."), ("A/data.pkl", data), ("a/version", b"3\n")),
    ),
    "a torch zip behind other bytes": _named((".pt",), lambda data: b"\x80\x02}." + _torch(data)),
    "a torch zip before other bytes": _named((".pt",), lambda data: _torch(data) + bytes(100)),
    "a torch zip with another member": _named(
        (".pt",), lambda data: zipped(("a/data.pkl", b"\x80\x02}."), ("a/extra/more.pkl", data))
    ),
    **{f"torch's legacy form, part {part}": _legacy(part) for part in range(5)},
    "torch's oldest form": _named(
        (".pt",), lambda data: _tar(("sys_info", data), ("pickle", data), ("storages", b"K\0."))
    ),
    "a load within a load": _named((".pkl", ".pt"), _loads_bytes),
    "an array of objects": _named((".npy",), _array),
    "an array of rows with objects": _named(
        (".npy",), lambda data: _array(data, "[('a', '<f4'), ('b', '|O')]")
    ),
    "an archive of arrays": _named((".npz",), lambda data: zipped(("a.npy", _array(data)))),
    "joblib": _named((".joblib", ".pkl"), _joblib),
    "joblib, packed": _named((".joblib",), lambda data: zlib.compress(_joblib(data))),
    "gzip": _named((".pkl.gz", ".gz", ".pt"), lambda data: gzip.compress(data, mtime=0)),
    "bzip2": _named((".pkl.bz2", ".bz2"), bz2.compress),
    "xz": _named((".pkl.xz", ".xz"), lzma.compress),
    "lzma": _named((".lzma",), lambda data: lzma.compress(data, lzma.FORMAT_ALONE)),
    "zlib": _named((".z", ".pkl"), zlib.compress),
    "packed twice": _named((".gz",), lambda data: gzip.compress(bz2.compress(data), mtime=0)),
    "a zip": _named((".zip",), lambda data: zipped(("model/weights", data))),
    "a zip in a zip": _named(
        (".zip",), lambda data: zipped(("a.zip", zipped(("b.zip", zipped(("x.bin", data))))))
    ),
    "a torch zip in a zip": _named((".zip",), lambda data: zipped(("model.pt", _torch(data)))),
    "a tar": _named((".tar",), lambda data: _tar(("weights.pkl", data))),
    "a packed tar": _named(
        (".tar.gz",), lambda data: gzip.compress(_tar(("weights", _torch(data))), mtime=0)
    ),
    "nemo": _named(
        (".nemo",), lambda data: _tar(("model_config.yaml", b"a: 1\n"), ("model_weights.ckpt", _torch(data)))
    ),
    "a model archive": _named(
        (".mar",), lambda data: zipped(("MAR-INF/MANIFEST.json", b"{}"), ("model.pt", _torch(data)))
    ),
    "an exported program": _named(
        (".pt2",),
        lambda data: zipped(("archive_format", b"pt2"), ("data/sample_inputs/model.pt", _torch(data))),
    ),
    "keras with a pickle": _named(
        (".keras",),
        lambda data: zipped(("config.json", b"{}"), ("metadata.json", b"{}"), ("assets/x.pkl", data)),
    ),
    "skops with a pickle": _named(
        (".skops",), lambda data: zipped(("schema.json", b"{}"), ("model.joblib", _joblib(data)))
    ),
    "safetensors and a zip": _named((".safetensors",), _behind_safetensors),
    "text and a zip": _named((".txt", ".md"), lambda data: b"Read me.\n" * 50 + _torch(data)),
    "gguf and a zip": _named(
        (".gguf",), lambda data: b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(8) + _torch(data)
    ),
    "a pickle and a tar": _named((".pt", ".tar"), _pickle_in_tar_name),
    "a pickle in a pickle": _named(
        (".pkl",),
        lambda data: b"\x80\x04" + framed(glob("pickle", "loads") + b"B" + counted(data, "<I") + b"\x85R."),
    ),
    "a list of bytes with a pickle": _named(
        (".pkl",), lambda data: b"\x80\x04](" + short_text("x") + b"e0" + data
    ),
}
