"""Which format is this? Answered from the bytes; a name only tells apart what the bytes cannot, or raises suspicion."""

from __future__ import annotations

from provenance.scanning.detecting.archives import tar_format, zip_format
from provenance.scanning.detecting.binary import binary_format
from provenance.scanning.detecting.protobuf import TABLE_MAGIC
from provenance.scanning.detecting.streams import unpack_head
from provenance.scanning.detecting.texts import json_format, text_format
from provenance.scanning.pickles.sniffing import FIRST_BYTES, sniff

__all__ = ["HEAD_BYTES", "TAIL_BYTES", "detect"]

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 64 * 1024
_NESTED = 4  # compressed streams within compressed streams that are followed

_END_OF_ZIP = b"PK\x05\x06"
_NUMPY = b"\x93NUMPY"
_LEGACY_TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number, as the first of five pickles
_PICKLE_NAMES = (
    *(".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".dill", ".pk", ".p", ".dat", ".data"),
    *(
        ".model",
        ".mdl",
        ".npy",
        ".npz",
        ".sav",
        ".cpkl",
        ".pth.tar",
        ".weights",
        ".pt2",
        ".th",
        ".t7",
        ".cloudpickle",
    ),
)

_LOADED = (
    ".pkl",
    ".pickle",
    ".pk",
    ".pt",
    ".pth",
    ".ckpt",
    ".joblib",
    ".dill",
    ".cpkl",
    ".cloudpickle",
    ".th",
)


def detect(head: bytes, size: int, tail: bytes = b"", name: str = "") -> str:
    """Name the format (DESIGN section 5) of a file of ``size`` bytes from its first and last 64 KiB.

    ``tail`` may be left out where ``head`` is the whole file. An empty file is ``text``; what fits nothing is
    ``unknown``. Never raises.
    """
    return _detect(head[:HEAD_BYTES], size, tail or (head if size <= len(head) else b""), name, 0)


def _detect(head: bytes, size: int, tail: bytes, name: str, depth: int) -> str:
    """The common cases first, by their first bytes; then whatever is an archive; then pickles; then the rest."""
    if not head:
        return "text" if not size else "unknown"
    first = head[0]
    if head[8:9] == b"{" and head[4:8] == b"\0\0\0\0":
        return "safetensors"  # whether the header is sound is for its reader to say
    # Four bytes may be numbers of an array; whether a zip ends with one is looked at when it is read.
    if head[:4] == b"PK\x03\x04" or (_END_OF_ZIP in tail and head[:6] != _NUMPY):
        return zip_format(head, tail)
    if first in b"{[ \t\r\n\xef" and (found := json_format(head)):
        return found
    if first in FIRST_BYTES and (found := _pickle_format(head, size, name)):
        return found
    return (
        text_format(head, size, name)
        or binary_format(head, size)
        or tar_format(head)
        or _unpacked_format(head, name, depth)
        or ("savedmodel" if tail.endswith(TABLE_MAGIC) else "unknown")
    )


def _pickle_format(head: bytes, size: int, name: str) -> str:
    """``pickle``, ``joblib``, ``torch`` (legacy), or empty; texts of words that a walk takes for imports are none."""
    if head[:4] == b"GGUF":
        return ""
    if head[0] != 0x80 or head[1:2] > b"\x05":  # what begins with PROTO is taken for one, and for no text
        found = sniff(head, size)
        if found == "no" or (found == "odd" and not name.lower().endswith(_LOADED)):
            return ""
        # Lines of words may look like imports that lead nowhere, or like persistent ids, which plain loaders refuse.
        doubtful = found == "imports" or (found in ("open", "inert") and head[:1] == b"P")
        if doubtful and not name.lower().endswith(_PICKLE_NAMES) and text_format(head, size, name):
            return ""
    if tar_format(head):
        return "pickle"
    if head[:2] == b"\x80\x02" and head[2 : 2 + len(_LEGACY_TORCH)] == _LEGACY_TORCH:
        return "torch"
    return "joblib" if b"joblib" in head and b"numpy_pickle" in head else "pickle"


def _unpacked_format(head: bytes, name: str, depth: int) -> str:
    """The format of what a compressed stream holds, or empty."""
    inner = unpack_head(head, HEAD_BYTES) if depth < _NESTED else None
    if inner is None:
        return ""
    if not inner and len(head) >= HEAD_BYTES:
        return "unknown"  # nothing comes out before a whole block went in; reading the file will tell
    # How long the content is cannot be told from its beginning: anything longer than what was unpacked will do.
    size = len(inner) if len(inner) < HEAD_BYTES else 1 << 62
    return _detect(inner, size, inner if size == len(inner) else b"", _without_suffix(name), depth + 1)


def _without_suffix(name: str) -> str:
    """`a.csv.gz` -> `a.csv`."""
    return (
        name.rpartition(".")[0]
        if name.lower().endswith((".gz", ".bz2", ".xz", ".lzma", ".z", ".zlib"))
        else name
    )
