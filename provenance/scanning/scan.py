"""What is in this file? One file at a time: its format by content, and what reading it showed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from policies.evidence import FileEvidence, Reference
from policies.findings import finding
from policies.formats import PICKLE_CARRIERS, PICKLE_FORMATS
from policies.judging import judge_files
from policies.policy import FormatPolicy
from provenance.errors import Malformed, ProvenanceError
from provenance.scanning.context import Context
from provenance.scanning.detect import HEAD_BYTES, TAIL_BYTES, detect
from provenance.scanning.detecting.streams import decompressor
from provenance.scanning.formats.hdf.superblock import find_superblock
from provenance.scanning.pickles.sniffing import FIRST_BYTES, sniff
from provenance.scanning.readers import Reader

__all__ = ["examine", "imported_globals", "scan_member"]

Read = Callable[[Context, Reader, bytes, str], None]

_END_OF_ZIP = b"PK\x05\x06"
_NUMPY = b"\x93NUMPY"


def examine(reader: Reader, name: str, policy: FormatPolicy) -> FileEvidence:
    """Scan a file like ``scan_member``, with a finding in place of an exception where it cannot be read."""
    try:
        return scan_member(reader, name, policy)
    except ProvenanceError as error:
        unread = finding(error.code or "ART008", error.message, path=name)
        return FileEvidence(path=name, format="unknown", size=reader.size, findings=(unread,))


def scan_member(reader: Reader, name: str, policy: FormatPolicy) -> FileEvidence:
    """Read one file through ``reader`` and say what it is and what was found in it.

    ``policy`` says by which profiles pickles are read and which formats members of archives may have; judging the
    file's own format is left to ``policies.decide``. Raises Unreadable (ART008) where reading fails.
    """
    context = Context(policy, _scan_nested)
    found = "unknown"
    try:
        found = _scan(context, reader, name)
    except (MemoryError, RecursionError, OverflowError) as error:  # the bounds should not let it come to this
        context.add("ARC007", f"reading goes beyond the bounds: {type(error).__name__}")
    except ProvenanceError:
        raise
    except Exception as error:  # noqa: BLE001 - one file that a reader fails on must not hide the others
        context.add("FMT001", f"the reader failed on this file ({type(error).__name__}): please report it")
    context.take_report()
    return FileEvidence(
        path=name,
        format=found,
        size=reader.size,
        findings=tuple(context.findings),
        refers=tuple(Reference(*reference) for reference in context.refers.items()),
    )


def imported_globals(reader: Reader, name: str, policy: FormatPolicy) -> dict[tuple[str, str], bool]:
    """The (module, name) pairs that the file's pickles import, each with whether the policy allows it."""
    context = Context(policy, _scan_nested)
    _scan(context, reader, name)
    return context.report.globals


def _scan_nested(context: Context, reader: Reader, name: str) -> str:
    """Read a member of an archive, and judge its format as that of a file of its own."""
    found = _scan(context, reader, name)
    context.findings = [
        context.located(judged) if not judged.where else judged
        for judged in judge_files(context.policy, [FileEvidence(path="", format=found, size=reader.size)])
    ] + context.findings
    return found


def _scan(context: Context, reader: Reader, name: str) -> str:
    """Detect the format, and read the file by it unless the policy refuses the format in any case."""
    context.name = name
    head = reader.read_at(0, HEAD_BYTES)
    tail = head if reader.size <= HEAD_BYTES else reader.read_at(reader.size - TAIL_BYTES, TAIL_BYTES)
    found = detect(head, reader.size, tail, name)
    if found != "hdf5" and decompressor(head) is None and find_superblock(reader) >= 0:
        if found == "unknown":
            found = "hdf5"
        else:
            context.add("ARC010", "an HDF5 file lies behind the first bytes, where its library looks for one")
    if context.policy.pickle == "refuse" and (found in PICKLE_FORMATS or found in PICKLE_CARRIERS):
        return found  # refused whatever it holds
    _READERS.get(found, _nothing)(context, reader, head, name)
    # "P" names a persistent object, at which loaders that know none stop.
    if head[:1] != b"P" and head[:1] and head[0] in FIRST_BYTES and found not in _OWN_PICKLES:
        _look_for_pickle(context, reader, head)
    if (found not in _ZIPS or head[:6] == _NUMPY) and _END_OF_ZIP in tail and decompressor(head) is None:
        _look_for_zip(context, reader, tail)
    return context.packed_format or found


def _nothing(_context: Context, _reader: Reader, _head: bytes, _name: str) -> None:
    """Formats that hold nothing to be read."""


def _pickle(context: Context, reader: Reader, head: bytes, name: str) -> None:
    """Pickles, also packed ones and arrays of objects."""
    from provenance.scanning.pickles.reading import read_streams, with_joblib
    from provenance.scanning.pickles.source import ReaderSource

    if head[:6] == _NUMPY:
        _array(context, reader, head, name)
    elif decompressor(head) is not None and sniff(head, reader.size) == "no":
        _packed(context, reader, name)
    else:
        allowed = with_joblib(context.allowed) if b"joblib" in head else context.allowed
        read_streams(ReaderSource(reader), allowed, context.report, where=context.where)
        context.take_report()


def _torch(context: Context, reader: Reader, head: bytes, name: str) -> None:
    """The three forms of ``torch.save``."""
    from provenance.scanning.containers.tar_files import read_tar
    from provenance.scanning.containers.torch_legacy import read_torch_legacy
    from provenance.scanning.containers.torch_zip import read_torch_zip

    if head[:1] == b"\x80":
        read_torch_legacy(context, reader)
    elif decompressor(head) is not None:
        _packed(context, reader, name)
    elif _END_OF_ZIP in reader.read_at(max(0, reader.size - TAIL_BYTES), TAIL_BYTES) or head[:2] == b"PK":
        read_torch_zip(context, reader)
    else:
        context.add("FMT008", "the file is a tar of pickles")
        read_tar(context, reader)


def _zip(context: Context, reader: Reader, head: bytes, name: str) -> None:
    from provenance.scanning.containers.zip_files import read_zip

    if decompressor(head) is not None:
        _packed(context, reader, name)
    else:
        read_zip(context, reader)


def _code_carrier(context: Context, reader: Reader, head: bytes, name: str) -> None:
    """Archives that bring their own code: said, and read like any other."""
    context.add("FMT005", "the file holds a program that runs when the model is used")
    _zip(context, reader, head, name)


def _torchscript(context: Context, reader: Reader, head: bytes, name: str) -> None:
    from provenance.scanning.containers.torchscript import read_torchscript

    if decompressor(head) is not None:
        _packed(context, reader, name)
    else:
        read_torchscript(context, reader)


def _tar(context: Context, reader: Reader, head: bytes, name: str) -> None:
    from provenance.scanning.containers.tar_files import read_tar

    if decompressor(head) is not None:
        _packed(context, reader, name)
    else:
        read_tar(context, reader)


def _array(context: Context, reader: Reader, head: bytes, name: str) -> None:
    from provenance.scanning.arrays import read_array

    if head[:6] == _NUMPY:
        read_array(context, reader)
    else:
        _zip(context, reader, head, name)


def _safetensors(context: Context, reader: Reader, _head: bytes, _name: str) -> None:
    from provenance.scanning.safetensors import MAX_HEADER_BYTES, header_length, parse_header

    try:
        length = header_length(reader.read_at(0, 8), reader.size)
        parse_header(reader.read_at(0, 8 + min(length, MAX_HEADER_BYTES)), reader.size)
    except Malformed as error:
        context.add(error.code or "FMT003", error.message)


def _packed(context: Context, reader: Reader, name: str) -> None:
    from provenance.scanning.containers.packed import read_packed

    read_packed(context, reader, name)


def _packed_or_nothing(context: Context, reader: Reader, head: bytes, name: str) -> None:
    """Formats that are read only where they are packed: what is inside is found again there."""
    if decompressor(head) is not None:
        _packed(context, reader, name)


def _unknown(context: Context, reader: Reader, head: bytes, name: str) -> None:
    """What has no format is unpacked where it is packed; programs are told."""
    from provenance.scanning.formats.programs import read_unknown

    if decompressor(head) is not None:
        _packed(context, reader, name)
    else:
        read_unknown(context, reader)


def _data(context: Context, reader: Reader, head: bytes, name: str, found: str) -> None:
    """Formats of data, each by the reader of its own; packed ones are unpacked first."""
    if decompressor(head) is not None:
        _packed(context, reader, name)
    elif found == "json":
        from provenance.scanning.formats.configs import read_json

        read_json(context, reader)
    elif found == "text":
        from provenance.scanning.formats.texts import read_text

        read_text(context, reader, head, name)
    else:
        module = import_module(f"provenance.scanning.formats.{found}")
        getattr(module, f"read_{found}")(context, reader)


def _of(found: str) -> Read:
    return lambda context, reader, head, name: _data(context, reader, head, name, found)


def _look_for_pickle(context: Context, reader: Reader, head: bytes) -> None:
    """ARC010 where a file of another format is also a pickle that imports something."""
    from provenance.scanning.pickles.reading import read_streams
    from provenance.scanning.pickles.report import Report
    from provenance.scanning.pickles.source import ReaderSource

    if sniff(head, reader.size) in ("calls", "open"):
        report = Report()
        read_streams(ReaderSource(reader), context.allowed, report)
        if report.globals:
            module, name = next(iter(report.globals))
            context.add("ARC010", f"the file is also a pickle, which imports {module}.{name}"[:200])


def _look_for_zip(context: Context, reader: Reader, tail: bytes) -> None:
    """ARC010 where a zip ends with the file: its last record leads to a directory, or stands behind one of zip64.

    Some readers count back from the record to the directory, others go where it says.
    """
    at = tail.rfind(_END_OF_ZIP, 0, max(0, len(tail) - 18))
    if at < 0:
        return
    length, offset = (int.from_bytes(tail[at + place : at + place + 4], "little") for place in (12, 16))
    places = (reader.size - len(tail) + at - length, offset)
    if (
        not length
        or tail[max(0, at - 20) : at][:4] == b"PK\x06\x07"
        or any(0 <= place < reader.size and reader.read_at(place, 4) == b"PK\x01\x02" for place in places)
    ):
        context.add("ARC010", "a zip archive ends with the file")


_OWN_PICKLES = frozenset(("pickle", "joblib", "torch", "text", "code"))
_ZIPS = frozenset(("torch", "torchscript", "torch-export", "keras", "numpy", "skops", "mar", "zip"))
_READERS: Mapping[str, Read] = {
    "pickle": _pickle,
    "joblib": _pickle,
    "torch": _torch,
    "torchscript": _torchscript,
    "torch-export": _code_carrier,
    "numpy": _array,
    "skops": _zip,
    "mar": _code_carrier,
    "zip": _zip,
    "tar": _tar,
    "nemo": _tar,
    "safetensors": _safetensors,
    **{
        found: _of(found)
        for found in (
            "json",
            "text",
            "keras",
            "onnx",
            "gguf",
            "hdf5",
            "savedmodel",
            "xgboost",
            "lightgbm",
            "parquet",
        )
    },
    "code": _packed_or_nothing,
    "unknown": _unknown,
}
