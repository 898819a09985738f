"""Values of pickles: each stream is read by the machine, and what it makes is flattened."""

from __future__ import annotations

from typing import Any

from provenance.loading.converting.content import Uncarried, bytes_of, once
from provenance.loading.converting.flattening import Flat, flatten
from provenance.loading.converting.keeping import Items
from provenance.loading.converting.numpy_values import NUMPY_MAKERS, rebuild_array
from provenance.loading.converting.operations import KEEPING
from provenance.loading.converting.torch_values import (
    TORCH_REBUILDS,
    Carried,
    Lookup,
    Stored,
    rebuild,
    whole_storage,
)
from provenance.scanning.pickles.allowlist import Allowed
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.reading import read_stream
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.pickles.torch_legacy import ITEM_BYTES
from provenance.scanning.pickles.values import Made, Storage, Text
from provenance.scanning.readers import Reader, SliceReader

__all__ = ["Broken", "flatten_legacy", "flatten_pickle", "flatten_stream"]

_PARTS = 5
_OBJECT, _KEYS = 3, 4


class Broken(Exception):
    """The file is not what its format says; (rule id, message)."""


def flatten_pickle(reader: Reader, allowed: Allowed) -> Flat:
    """Flatten what the first pickle of a file makes; that others follow it is said."""
    machine = Machine(ReaderSource(reader), allowed, Report())
    flat = flatten_stream(machine, reader, _no_storages(reader, allowed))
    if machine.offset < reader.size:
        flat.left.append(("", f"{reader.size - machine.offset} bytes behind the first pickle"))
    return flat


def flatten_stream(machine: Machine, reader: Reader, lookup: Lookup) -> Flat:
    """Flatten what the next stream of a machine makes. Raises Broken, and TooLarge."""
    return _flatten(_read(machine), reader, lookup)


def _read(machine: Machine) -> Any:
    if not read_stream(machine, KEEPING):
        found = machine.report.findings[-1]
        raise Broken(found.rule, found.message)
    return machine.result


def _flatten(value: Any, reader: Reader, lookup: Lookup) -> Flat:
    def carry(value: Any) -> Carried | None:
        if isinstance(value, Storage):
            return whole_storage(value, lookup)
        module, name = value.entry.module, value.entry.name
        if module.startswith(("numpy", "joblib")) and name in NUMPY_MAKERS:
            return rebuild_array(value, reader)
        if module.startswith("torch") and name in TORCH_REBUILDS:
            carried = rebuild(name, value.arguments, lookup)
            return carried if value.state is None else carried._replace(left=("the state of a tensor",))
        return None

    def read_text(text: Text) -> str:
        data = reader.read_at(text.start, text.length)
        try:
            if text.form == "utf-8":
                return data.decode("utf-8", "surrogatepass")
            if text.form == "raw":
                return data.decode("raw-unicode-escape")
        except UnicodeDecodeError as error:
            raise Uncarried("a string with a wrong escape") from error
        raise Uncarried("a string of bytes")

    return flatten(value, carry, read_text)


def _no_storages(reader: Reader, allowed: Allowed) -> Lookup:
    """In a plain pickle, a storage is bytes that hold a file of torch's own."""

    def lookup(named: Storage | Made) -> tuple[Storage, Stored]:
        if not isinstance(named, Made) or named.entry.name != "_load_from_bytes":
            raise Uncarried("a tensor without its storage")
        value, storages = _read_legacy(bytes_of(named.arguments[0], reader), allowed)
        if not isinstance(value, Storage) or value.key not in storages:
            raise Uncarried("a tensor over something else than a storage")
        return value, Stored(storages[value.key])

    return once(lookup)


def flatten_legacy(reader: Reader, allowed: Allowed) -> Flat:
    """Flatten a file that torch wrote before 1.6: five pickles, then the storages, always little-endian."""
    value, storages = _read_legacy(reader, allowed)

    def lookup(named: Storage | Made) -> tuple[Storage, Stored]:
        if not isinstance(named, Storage) or named.key not in storages:
            raise Uncarried("a tensor without its storage")
        return named, Stored(storages[named.key])

    return _flatten(value, reader, lookup)


def _read_legacy(reader: Reader, allowed: Allowed) -> tuple[Any, dict[str, Reader]]:
    """The object, and the bytes of each storage, which follow in the order of the fifth pickle."""
    machine = Machine(ReaderSource(reader), allowed, Report())
    results = []
    for part in range(_PARTS):
        machine.persistent = part == _OBJECT
        results.append(_read(machine))
        end = machine.offset
        machine.reset()
    keys = results[_KEYS].items if isinstance(results[_KEYS], Items) else []
    return results[_OBJECT], _storages(reader, end, keys, machine.report.storages)


def _storages(reader: Reader, pos: int, keys: list[Any], known: dict[str, Storage]) -> dict[str, Reader]:
    found: dict[str, Reader] = {}
    for key in keys:
        storage = known.get(key) if isinstance(key, str) else None
        if storage is None or key in found:
            raise Broken("PKL013", "the storages behind the pickles are not those that it names")
        if int.from_bytes(reader.read_at(pos, 8), "little") != storage.items:
            raise Broken("PKL013", f"storage {key} has another size than the pickle says")
        length = storage.items * ITEM_BYTES.get(storage.kind, 1)
        found[key] = SliceReader(reader, pos + 8, length)
        if found[key].size != length:
            raise Broken("PKL013", f"storage {key} reaches beyond the end of the file")
        pos += 8 + length
    return found
