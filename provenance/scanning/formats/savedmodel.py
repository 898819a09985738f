"""TensorFlow's SavedModel: operators that read or write files or call Python, layers with code, where variables lie.

Format: ``saved_model.proto``, ``meta_graph.proto``, ``graph.proto``, ``function.proto`` (NodeDef: name 1, op 2,
attr 5), ``saved_metadata.proto`` (Keras's layers in ``keras_metadata.pb``). A graph may also stand by itself.
"""

from __future__ import annotations

import re
from typing import Final

from provenance.scanning.context import Context
from provenance.scanning.detect import HEAD_BYTES
from provenance.scanning.detecting.protobuf import TABLE_MAGIC, has_keras_metadata, is_graph
from provenance.scanning.formats.configs import read_config_text
from provenance.scanning.formats.protobuf import BrokenMessage, Field, fields, text
from provenance.scanning.formats.tensor_bundle import read_index
from provenance.scanning.readers import Reader

__all__ = ["read_savedmodel"]

_FORBIDDEN: Final = re.compile(
    r"(?:ReadFile|WriteFile|MatchingFiles|ImmutableConst|LoadLibrary|SaveSlices|DumpTensor|DecodeProtoV2|EncodeProto"
    r"|(?:Eager)?PyFunc(?:Stateless)?|RemoteCall|RemoteFusedGraphExecute|RpcCall|RpcClient|RpcServer\w*|Debug\w+"
    r"|CreateSummary(?:File|Db)Writer|GcsConfigure\w+|BigQuery\w+|Bigtable\w+"
    r"|(?:\w*(?:TextLine|FixedLengthRecord|TFRecord|Sql|LMDB|WholeFile|Csv|CSV|MatchingFiles|Raw|Snapshot|Cache)"
    r"(?:Dataset|Reader)\w*)|(?:Experimental)?DatasetToTFRecord|(?:Save|Load)Dataset\w*|AnonymousMemoryCache)\Z"
)
_TO_FILE: Final = b"file://"
_MAX_SHOWN: Final = 20
_MAX_METADATA: Final = 64 << 20
_NODE_METADATA: Final = 5
# SavedModel: meta graphs 2; MetaGraphDef: graph 2; GraphDef: nodes 1, library 2; FunctionDef: nodes 3.
_INTO: Final[dict[str, dict[int, str]]] = {
    "saved": {2: "meta"},
    "meta": {2: "graph"},
    "graph": {1: "node", 2: "library"},
    "library": {1: "function"},
    "function": {3: "node"},
}


def read_savedmodel(context: Context, reader: Reader) -> None:
    """Read one file of a SavedModel: the graphs, Keras's layers, or the index of the variables.

    FMT011 for each forbidden operator, FMT012 for layers with code, FMT009 where a message is broken.
    """
    if reader.read_at(max(0, reader.size - 8), 8) == TABLE_MAGIC:
        read_index(context, reader)
        return
    try:
        head = reader.read_at(0, HEAD_BYTES)
        if has_keras_metadata(head, reader.size):
            _read_layers(context, reader)
        else:
            _read_graphs(context, reader, "graph" if is_graph(head, reader.size) else "saved")
    except BrokenMessage as error:
        context.add("FMT009", str(error))


def _read_layers(context: Context, reader: Reader) -> None:
    """Each node's metadata is JSON, from which Keras makes the layer anew."""
    for node in fields(reader, 0, reader.size):
        for field in fields(reader, node.start, node.end):
            if field.number == _NODE_METADATA and field.end - field.start <= _MAX_METADATA:
                read_config_text(
                    context, reader.read_at(field.start, field.end - field.start), "", keras=True
                )


def _read_graphs(context: Context, reader: Reader, kind: str) -> None:
    seen: set[str] = set()
    _walk(reader, kind, (0, reader.size), seen)
    found = sorted(operator for operator in seen if _FORBIDDEN.match(operator))
    for operator in found[:_MAX_SHOWN]:
        context.add("FMT011", f"the operator `{operator[:80]}` reads or writes files or calls Python")
    if "PrintV2 to a file" in seen:
        context.add("FMT011", "the operator `PrintV2` writes to a file")


def _walk(reader: Reader, kind: str, span: tuple[int, int], seen: set[str]) -> None:
    into = _INTO.get(kind, {})
    operator, prints = "", False
    for field in fields(reader, *span):
        inner = into.get(field.number)
        if inner is not None:
            _walk(reader, inner, (field.start, field.end), seen)
        elif kind == "node" and field.number == 2:
            operator = text(reader, field, 256)
        elif kind == "node" and field.number == 5:
            prints = prints or _to_file(reader, field)
    if operator:
        seen.add("PrintV2 to a file" if operator == "PrintV2" and prints else operator)


def _to_file(reader: Reader, field: Field) -> bool:
    """Whether an attribute names a file to write to."""
    return _TO_FILE in reader.read_at(field.start, min(field.end - field.start, 4096))
