"""R9 and R10: archives that show one content to the reader and another to the loader, and files that lie about themselves."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib

import numpy as np
from generating.model import MARKER, Vector, bad, call, glob, good, short, undecided

__all__ = ["CONTAINERS"]

GOOD = pickle.dumps({"epoch": 3, "names": ["a"]}, 2)
EVIL = b"\x80\2" + call(glob("posix", "mkdir"), short(MARKER)) + b"."
EVIL_TEXT = b"cposix\nmkdir\n(S'" + MARKER.encode() + b"'\ntR."


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in members:
            made.writestr(zipfile.ZipInfo(name), data, method)
    return bytearray(file.getvalue())


def torch_file(*more: tuple[str, bytes], body: bytes = GOOD, **options: int) -> bytearray:
    return archive(("m/data.pkl", body), ("m/version", b"3\n"), *more, **options)


def nth(data: bytes, signature: bytes, index: int) -> int:
    at = -1
    for _ in range(index + 1):
        at = data.index(signature, at + 1)
    return at


def patched(data: bytearray, signature: bytes, index: int, offset: int, value: bytes) -> bytes:
    """Other bytes in a header: PK12 is the directory's, PK34 the member's own."""
    at = nth(data, signature, index) + offset
    data[at : at + len(value)] = value
    return bytes(data)


CENTRAL, LOCAL = b"PK\1\2", b"PK\3\4"


def zip_vector(name: str, rules: str, data: bytes) -> Vector:
    return bad(name, rules, bytes(data), file="model.pt")


def descriptors() -> bytes:
    """As a program writes that cannot seek back."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as made:
        made.writestr(zipfile.ZipInfo("m/data.pkl"), GOOD)
        made.writestr(zipfile.ZipInfo("m/version"), b"3\n")
    return bytes(pipe.data)


def two_of_a_name() -> bytearray:
    data = torch_file(("m/dota.pkl", EVIL))
    return bytearray(bytes(data).replace(b"m/dota.pkl", b"m/data.pkl"))


def commented(comment: bytes) -> bytes:
    data = torch_file()
    data[-2:] = struct.pack("<H", len(comment))
    return bytes(data) + comment


def spanning() -> bytes:
    """The last end counts the first one to its directory."""
    data = commented(bytes(22))[:-22]
    count, length, offset = struct.unpack_from("<HII", data, len(data) - 12)
    return data + struct.pack("<4s4HIIH", b"PK\5\6", 0, 0, count, count, length + 22, offset, 0)


ZIPS = (
    zip_vector("two members of one name", "ARC001 PKL002", two_of_a_name()),
    zip_vector("two members of one name but for letter case", "ARC001 PKL002", torch_file(("m/DATA.PKL", EVIL))),
    zip_vector("a flag that says encrypted", "ARC003 ARC002", patched(torch_file(), CENTRAL, 0, 8, b"\1\0")),
    zip_vector("a flag in front of the data only", "ARC002", patched(torch_file(), LOCAL, 0, 6, b"\x20\0")),
    zip_vector("another name in front of the data", "ARC002", patched(torch_file(), LOCAL, 0, 30, b"m/dota.pkl")),
    zip_vector("another method in front of the data", "ARC002", patched(torch_file(), LOCAL, 0, 8, b"\x08\0")),
    zip_vector("a wrong checksum", "ARC005 ARC002", patched(torch_file(), CENTRAL, 0, 16, b"\0\0\0\0")),
    zip_vector("bytes in front", "ARC004", b"#!shell\n" + bytes(torch_file())),
    zip_vector("bytes behind", "ARC004", bytes(torch_file()) + b"x" * 100),
    zip_vector("an archive behind an archive", "ARC004 PKL002", bytes(torch_file()) + bytes(torch_file(body=EVIL))),
    zip_vector("an end within the comment", "ARC004", commented(b"PK\5\6" + bytes(18))),
    zip_vector("an end that spans the other one", "ARC004", spanning()),
    zip_vector("a name that climbs out", "ARC006", torch_file(("../../outside", b"text"))),
    zip_vector("an absolute name", "ARC006", torch_file(("/etc/outside", b"text"))),
    zip_vector("the payload, packed", "PKL002", torch_file(body=EVIL, method=zipfile.ZIP_DEFLATED)),
    zip_vector("the payload in an archive in the archive", "PKL002", torch_file(("m/more.zip", bytes(archive(("x", EVIL)))))),
    zip_vector(
        "torch's persistent id with a type that is refused",
        "PKL002",
        torch_file(
            ("m/data/0", b"\0" * 4),
            body=b"\x80\2(" + short("storage") + glob("mine", "S") + short("0") + short("cpu") + b"K\1tQ.",
        ),
    ),
    zip_vector(
        "a directory that leads in front of the file",
        "ARC004 ARC008",
        patched(torch_file(), b"PK\5\6", 0, 16, b"\xff\xff\xff\x7f"),
    ),
    undecided("cut off", "ARC008", bytes(torch_file())[:-10], file="model.pt"),
    good("stored members", bytes(torch_file(("m/data/0", b"\0" * 16))), file="model.pt"),
    good("packed members", bytes(torch_file(method=zipfile.ZIP_DEFLATED)), file="model.pt"),
    good("sizes behind the data", descriptors(), file="model.pt"),
    good("an archive of an archive", bytes(archive(("a.zip", bytes(archive(("b.txt", b"hello")))))), file="a.zip"),
)


def npy(value: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


class Runs:
    """Pickled as its payload."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (MARKER,)


def objects(descr: str, body: bytes = EVIL) -> bytes:
    """An array in numpy's format whose items are a pickle."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + body


def tar(*members: tuple[str, bytes, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(data) if kind == tarfile.REGTYPE else 0
            info.linkname = data.decode() if kind != tarfile.REGTYPE else ""
            made.addfile(info, io.BytesIO(data))
    return file.getvalue()


def legacy(*parts: bytes) -> bytes:
    """The five pickles of torch's old format, with some of them replaced."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    plain = [pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, system, {"epoch": 3}, [])]
    return b"".join(part or default for part, default in zip((*parts, *[b""] * 5), plain, strict=False))


FILES = (
    bad("a pickle called safetensors", "PKL002", EVIL, file="model.safetensors", runs=True),
    bad("a pickle without a suffix", "PKL002", EVIL, file="model", runs=True),
    bad("a pickle called a picture", "PKL002", EVIL, file="cat.png", runs=True),
    bad("a pickle of protocol 0, which has no magic", "PKL002", EVIL_TEXT, file="weights.bin", runs=True),
    bad("packed by gzip", "PKL002", gzip.compress(EVIL, mtime=0), file="model.pkl.gz"),
    bad("packed by bzip2", "PKL002", bz2.compress(EVIL), file="model.pkl.bz2"),
    bad("packed by xz", "PKL002", lzma.compress(EVIL), file="model.pkl.xz"),
    bad("packed by zlib", "PKL002", zlib.compress(EVIL), file="model.pkl.z"),
    bad("packed twice", "PKL002", gzip.compress(bz2.compress(EVIL), mtime=0), file="model.pkl"),
    bad("in a zip in a zip", "PKL002", bytes(archive(("a.zip", bytes(archive(("b", EVIL)))))), file="model.zip"),
    bad("in a tar", "PKL002", tar(("a.pkl", tarfile.REGTYPE, EVIL)), file="model.tar"),
    bad("a link in a tar", "ARC006", tar(("a", tarfile.SYMTYPE, b"/etc/passwd")), file="model.tar"),
    bad("a name in a tar that climbs out", "ARC006", tar(("../a", tarfile.REGTYPE, b"text")), file="model.tar"),
    bad("torch's old format, in the place of the magic number", "PKL002", legacy(b"", EVIL), file="model.pt"),
    bad("torch's old format, in the system information", "PKL002", legacy(b"", b"", EVIL), file="model.pt"),
    bad("torch's old format, in the object", "PKL002", legacy(b"", b"", b"", EVIL), file="model.pt"),
    bad("torch's old format, in the keys", "PKL002", legacy(b"", b"", b"", b"", EVIL), file="model.pt"),
    bad("an array of objects", "PKL002", objects("'|O'"), file="a.npy"),
    bad("an array of rows with objects", "PKL002", objects("[('a', '<i4'), ('b', '|O')]"), file="a.npy"),
    bad("an array of objects in a zip", "PKL002", bytes(archive(("a.npy", objects("'|O'")))), file="a.npz"),
    bad("a pickle called an array", "PKL002", EVIL, file="a.npy", runs=True),
    bad("an unknown archive", "FMT002", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(64), file="model.7z"),
    good("a plain pickle called anything", GOOD, file="anything"),
    good("a harmless pickle, packed", gzip.compress(GOOD, mtime=0), file="model.pkl.gz"),
    good("an array of numbers", npy(np.arange(6, dtype="<f4").reshape(2, 3)), file="a.npy"),
    good("an array of rows", npy(np.zeros(2, [("a", "<i4"), ("b", "<f8")])), file="a.npy"),
    good("torch's old format", legacy(), file="model.pt"),
    good("a tar of texts", tar(("a.txt", tarfile.REGTYPE, b"hello\n")), file="a.tar"),
)

CONTAINERS: dict[str, tuple[str, tuple[Vector, ...]]] = {
    "R09": ("zip files", ZIPS),
    "R10": ("files that are not what they are called", FILES),
}
