"""TensorFlow SavedModel: operators that read or write files or call Python.

Format: ``saved_model.proto``, ``meta_graph.proto``, ``graph.proto``, ``function.proto``. NodeDef: name 1, op 2.
"""

from __future__ import annotations

from provenance.scanning.context import Context
from provenance.scanning.formats.protobuf import BrokenMessage, fields, text
from provenance.scanning.readers import Reader

__all__ = ["read_savedmodel"]

_FORBIDDEN = (
    "ReadFile WriteFile PyFunc PyFuncStateless EagerPyFunc MatchingFiles ImmutableConst LoadLibrary RawDataset "
    "SaveSlices DumpTensor FixedLengthRecordDataset TextLineDataset TFRecordDataset WholeFileReader "
    "WholeFileReaderV2 TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 "
    "TFRecordReader TFRecordReaderV2"
)
# SavedModel: meta graphs 2; MetaGraphDef: graph 2; GraphDef: nodes 1, library 2; FunctionDef: nodes 3.
_INTO = {
    "saved": {2: "meta"},
    "meta": {2: "graph"},
    "graph": {1: "node", 2: "library"},
    "library": {1: "function"},
    "function": {3: "node"},
}


def read_savedmodel(context: Context, reader: Reader) -> None:
    """Walk all graphs and functions; FMT011 for each forbidden operator, FMT009 where a message is broken."""
    seen: set[str] = set()
    try:
        _walk(reader, "saved", 0, reader.size, seen)
    except BrokenMessage as error:
        context.add("FMT009", str(error))
    for operator in sorted(seen.intersection(_FORBIDDEN.split())):
        context.add("FMT011", f"the operator `{operator}` reads or writes files or calls Python")


def _walk(reader: Reader, kind: str, start: int, end: int, seen: set[str]) -> None:
    into = _INTO.get(kind, {})
    for field in fields(reader, start, end):
        inner = into.get(field.number)
        if inner is not None:
            _walk(reader, inner, field.start, field.end, seen)
        elif kind == "node" and field.number == 2:
            seen.add(text(reader, field, 256))
