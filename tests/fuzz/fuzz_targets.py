"""What is fuzzed: bytes in, nothing out; only errors of our own may be raised, and those only where they are documented."""

from __future__ import annotations

from collections.abc import Callable

from policies import BUILTIN
from provenance.attestations.bundle import parse_bundle
from provenance.attestations.oms import read_manifest
from provenance.attestations.statement import parse_statement
from provenance.errors import ProvenanceError
from provenance.scanning.context import Context
from provenance.scanning.detect import HEAD_BYTES, TAIL_BYTES, detect
from provenance.scanning.formats.templates import template_faults
from provenance.scanning.pickles.reading import read_streams
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.readers import BytesReader
from provenance.scanning.scan import _READERS, _scan_nested
from provenance.scanning.verb import scan_bytes

__all__ = ["TARGETS"]

_NAMES = {"text": "config.yaml", "json": "config.json", "packed": "a.gz"}
_FORMATS = BUILTIN["harmless"].formats


def _scan(data: bytes, name: str) -> None:
    """The whole scan, which would make a finding of a reader's failure."""
    assert not [found for found in scan_bytes(data, name).findings if "the reader failed" in found.message]


def _reader(name: str) -> Callable[[bytes], None]:
    """The reader of a format, whatever the bytes look like, and the whole scan."""

    def target(data: bytes) -> None:
        file = _NAMES.get(name, f"file.{name}")
        _scan(data, file)
        if name in _READERS:
            _READERS[name](Context(_FORMATS, _scan_nested), BytesReader(data), data[:HEAD_BYTES], file)

    return target


def _pickle(data: bytes) -> None:
    context = Context(_FORMATS, _scan_nested)
    for persistent in (False, True):
        read_streams(ReaderSource(BytesReader(data)), context.allowed, Report(), persistent=persistent)


def _template(data: bytes) -> None:
    list(template_faults(data.decode("utf-8", "replace")))


def _detect(data: bytes) -> None:
    detect(data, len(data), data[-TAIL_BYTES:], "x.bin")
    _scan(data, "x.bin")


def _parser(parse: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        try:
            parse(data)
        except ProvenanceError as error:
            assert error.message

    return target


def _statement(data: bytes) -> None:
    for parse in (parse_statement, read_manifest):
        _parser(parse)(data)


_READ = (
    "torch numpy zip tar packed safetensors keras hdf5 gguf onnx savedmodel xgboost lightgbm skops json text"
)
TARGETS: dict[str, Callable[[bytes], None]] = {
    "pickle": _pickle,
    **{name: _reader(name) for name in _READ.split()},
    "template": _template,
    "detect": _detect,
    "bundle": _parser(parse_bundle),
    "statement": _statement,
}
