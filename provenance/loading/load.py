"""The verb ``load``: tensors, once every byte of the artifact is proven to be what an accepted signer signed."""

from __future__ import annotations

from os import PathLike
from typing import Any, Unpack

from policies import PICKLE_FORMATS
from provenance.artifacts.listing import FileEntry
from provenance.attestations.strict_json import convert, decode
from provenance.errors import Malformed, UsageError
from provenance.loading.arrays import Framework, check_framework, tensors_from
from provenance.loading.buffers import allocate
from provenance.loading.proving import ProvenFile, Room, prove
from provenance.loading.signed import hand_out
from provenance.scanning.safetensors import Header, header_length, parse_header
from provenance.verification import VerifyOptions, gather

__all__ = ["load"]

AnyPath = str | PathLike[str]
_INDEX = ".safetensors.index.json"
_MAX_INDEX = 64 * 1024 * 1024


def load(
    path: AnyPath,
    *,
    framework: Framework = "numpy",
    **options: Unpack[VerifyOptions],
) -> dict[str, Any]:
    """Verify an artifact and return its tensors by name, as numpy arrays or torch tensors.

    Each safetensors file is read once, into the memory that becomes the tensors, and nothing is returned before the
    last byte of the artifact is proven: by the signed chunk digests where there are any, else by the file digests.
    A sharded model is loaded by its ``*.safetensors.index.json``. Where the policy allows pickles, a lone ``.pt`` goes
    through ``torch.load(weights_only=True)``. ``options`` are those of ``VerifyOptions``.

    Raises ``Refused`` or ``Undecided`` with the verification, ``Malformed``
    where an index and its files disagree, and ``UsageError`` where there is nothing to load.
    """
    check_framework(framework)
    gathered = gather(path, **options)
    verification, files = prove(gathered, _keep)
    hand_out(gathered, verification)
    weights = [file for file in files if file.format == "safetensors"]
    if weights:
        return _tensors(weights, [file for file in files if file.entry.name.endswith(_INDEX)], framework)
    pickles = [file for file in files if file.format in PICKLE_FORMATS]
    if len(pickles) == 1 and framework == "torch":
        from provenance.loading.checkpoints import load_checkpoint

        return load_checkpoint(pickles[0])
    raise UsageError(f"there are no tensors to load in {path}", hint="load() reads safetensors files")


def _keep(entry: FileEntry, found: str, _descriptor: int) -> Room | None:
    """Weights, and the index that tells which of them belong together, are handed out; so they are kept."""
    index = entry.name.endswith(_INDEX) and entry.size <= _MAX_INDEX
    kept = index or found == "safetensors" or found in PICKLE_FORMATS
    return Room(allocate(entry.size)) if kept else None


def _tensors(weights: list[ProvenFile], indexes: list[ProvenFile], framework: Framework) -> dict[str, Any]:
    chosen, mapping = _chosen(weights, indexes)
    headers = {file.entry.name: _header(file) for file in chosen}
    if mapping is not None:
        _check_index(mapping, headers)
    tensors: dict[str, Any] = {}
    for file in chosen:
        found = tensors_from(headers[file.entry.name], file.buffer, framework)
        double = next((name for name in found if name in tensors), None)
        if double is not None:
            raise UsageError(f"the tensor {double} is in several files", hint="name the file to load")
        tensors |= found
    return tensors


def _chosen(
    weights: list[ProvenFile], indexes: list[ProvenFile]
) -> tuple[list[ProvenFile], dict[str, str] | None]:
    """Return the files that make up the model, and the index's map from tensor to file, if there is one."""
    top = [file for file in indexes if "/" not in file.entry.name]
    if len(top) > 1:
        raise UsageError("there are several indexes of sharded models", hint="name the file to load")
    if not top:
        shallow = [file for file in weights if "/" not in file.entry.name]
        return shallow or weights, None
    mapping = _weight_map(top[0])
    by_name = {file.entry.name: file for file in weights}
    missing = sorted(set(mapping.values()) - set(by_name))
    if missing:
        raise Malformed(
            f"the index names {missing[0][:200]}, which is no signed safetensors file", code="FMT003"
        )
    return [by_name[name] for name in sorted(set(mapping.values()))], mapping


def _weight_map(index: ProvenFile) -> dict[str, str]:
    """Read the map from tensor to file; a tensor that is named twice makes it malformed."""
    try:
        tree = decode(bytes(memoryview(index.buffer)), dict[str, Any], what="it", max_bytes=_MAX_INDEX)
        return convert(tree.get("weight_map"), dict[str, str], what="its weight_map")
    except Malformed as error:
        message = f"{index.entry.name} is no index of a sharded model: {error.message}"
        raise Malformed(message, code="FMT003") from error


def _check_index(mapping: dict[str, str], headers: dict[str, Header]) -> None:
    """The index and the headers must say the same of every tensor."""
    actual = {tensor.name: name for name, header in headers.items() for tensor in header.tensors}
    if sum(len(header.tensors) for header in headers.values()) != len(actual):
        raise Malformed("two files of the sharded model hold a tensor of the same name", code="FMT003")
    for tensor in sorted(set(mapping) | set(actual)):
        if mapping.get(tensor) != actual.get(tensor):
            raise Malformed(
                f"the index and the files disagree about the tensor {tensor[:200]}", code="FMT003"
            )


def _header(file: ProvenFile) -> Header:
    view = memoryview(file.buffer)
    length = header_length(bytes(view[:8]), file.entry.size)
    return parse_header(bytes(view[: 8 + length]), file.entry.size)
