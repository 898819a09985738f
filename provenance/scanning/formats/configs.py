"""Configuration in JSON: every object however nested, texts of JSON among the values too.

A file in which none of the keys stands is not parsed. One that is too large to parse and has any of them, or cannot be
parsed, is undecided.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from provenance.scanning.context import Context
from provenance.scanning.formats.config_keys import NEEDLES, SHORT_NEEDLES, Fault, key_faults
from provenance.scanning.formats.json_text import NotJson, TooDeep, decode_json
from provenance.scanning.formats.keras_config import keras_faults
from provenance.scanning.readers import Reader

__all__ = ["config_faults", "read_config_text", "read_json"]

_MAX_JSON: Final = 64 << 20
_MAX_VALUES: Final = 4_000_000
_MAX_LINES: Final = 100_000  # lines with a key that are parsed
_MAX_TEXTS: Final = 4  # texts of JSON within texts of JSON
_MAX_FAULTS: Final = 50
_STEP: Final = 16 << 20
_OVERLAP: Final = 256
_BOM: Final = b"\xef\xbb\xbf"


def read_json(context: Context, reader: Reader) -> None:
    """Look through a JSON file, or JSON lines, for keys that lead to code."""
    if reader.size > _MAX_JSON:
        if _has_needle(reader):
            large = f"it is larger than {_MAX_JSON >> 20} MiB"
            context.add("FMT016", f"it has keys that lead to code or templates, and {large}")
        return
    data = reader.read_at(0, reader.size)
    if NEEDLES.search(data):
        read_config_text(context, data, "", lines=True)


def _has_needle(reader: Reader) -> bool:
    """Search the whole file, a part at a time."""
    return any(
        SHORT_NEEDLES.search(reader.read_at(offset, _STEP + _OVERLAP))
        for offset in range(0, reader.size, _STEP)
    )


def read_config_text(
    context: Context, data: bytes, where: str, *, keras: bool = False, lines: bool = False
) -> None:
    """Judge a configuration in JSON. ``keras``: it is of a model of Keras's; ``lines``: JSON lines will do as well."""
    data = data.removeprefix(_BOM)
    try:
        faults = _limited(config_faults(decode_json(data), keras=keras))
    except TooDeep:
        faults = [("values lie deeper in one another than is read", "FMT016")]
    except NotJson:
        faults = _limited(_line_faults(data)) if lines else [("what should be JSON is none", "FMT016")]
    for fault, rule in faults:
        context.add(rule, fault, where=where)


def _limited(faults: Iterator[Fault]) -> list[Fault]:
    """As many as anyone reads, each once."""
    found: dict[Fault, None] = {}
    for fault in faults:
        found.setdefault(fault)
        if len(found) >= _MAX_FAULTS:
            break
    return list(found)


def _line_faults(data: bytes) -> Iterator[Fault]:
    """JSON lines: those with a key in them are parsed; what is no JSON there leaves the question open."""
    done, count = -1, 0
    for match in NEEDLES.finditer(data):
        if match.start() < done:
            continue
        begin, end = data.rfind(b"\n", 0, match.start()) + 1, data.find(b"\n", match.end())
        done = end if end >= 0 else len(data)
        count += 1
        try:
            value = decode_json(data[begin:done]) if count <= _MAX_LINES else None
        except (NotJson, TooDeep):
            value = None
        if value is None:
            yield "a part with keys that lead to code is no JSON that is read", "FMT016"
            return
        yield from config_faults(value, texts=_MAX_TEXTS)


def config_faults(value: Any, *, keras: bool = False, texts: int = 0) -> Iterator[Fault]:
    """Yield (what is wrong, rule id) for all that a configuration names which runs code, however nested.

    ``texts``: how many texts of JSON this one lies in already.
    """
    pending, count = [value], 0
    while pending:
        value = pending.pop()
        count += 1
        if count > _MAX_VALUES:
            yield "it has more values than are looked at", "FMT016"
            return
        if isinstance(value, str):
            yield from _text_faults(value, keras=keras, texts=texts)
            continue
        if isinstance(value, list | dict):
            pending.extend(filter(_worth_a_look, value.values() if isinstance(value, dict) else value))
        if isinstance(value, dict):
            yield from keras_faults(value, keras=keras)
            yield from key_faults(value)


def _worth_a_look(item: Any) -> bool:
    return isinstance(item, list | dict) or (isinstance(item, str) and item[:1] in ("{", "["))


def _text_faults(text: str, *, keras: bool, texts: int) -> Iterator[Fault]:
    """A text that is itself JSON, as some writers nest configurations."""
    if texts >= _MAX_TEXTS or not NEEDLES.search(text.encode("utf-8", "replace")):
        return
    try:
        value = decode_json(text)
    except TooDeep:
        yield "values lie deeper in one another than is read", "FMT016"
    except NotJson:
        return
    else:
        if not isinstance(value, str):
            yield from config_faults(value, keras=keras, texts=texts + 1)
