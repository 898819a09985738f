"""What stands in the way of a conversion, and what is only to be said."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec

from policies import Finding, finding
from provenance.loading.converting.flattening import Flat

__all__ = ["faults", "judged", "tied"]

# Found by scanning in values that are left behind; anything else says that the file itself is not sound.
_OF_VALUES = frozenset(
    (
        *("PKL002", "PKL004", "PKL005", "PKL006", "PKL007", "PKL008", "PKL011"),
        *("FMT001", "FMT002", "FMT012", "FMT014"),
    )
)
_MAX_LISTED = 200  # findings of one kind
_COPIES, _FREE_BYTES = 8, 64 << 20  # how much larger than the source the tensors may be


def judged(gathered: list[Finding], source: Path, *, partial: bool) -> tuple[Finding, ...]:
    """The findings, each once, with their path; what concerns values only is a warning where these are left behind."""
    found_so_far = []
    for one in dict.fromkeys(gathered):
        found = one if one.path else msgspec.structs.replace(one, path=str(source))
        if partial and found.severity == "error" and found.rule in _OF_VALUES:
            found = msgspec.structs.replace(found, severity="warning", hint="")
        found_so_far.append(found)
    return tuple(dict.fromkeys(found_so_far))


def faults(flat: Flat, *, partial: bool) -> list[Finding]:
    """What stands in the way of writing what was read."""
    found = [
        finding("CNV001", f"{what} cannot be carried over", where=name)
        for name, what in flat.left[:_MAX_LISTED]
    ]
    if len(flat.left) > _MAX_LISTED:
        found.append(finding("CNV001", f"{len(flat.left) - _MAX_LISTED} more values cannot be carried over"))
    if partial:
        found = [msgspec.structs.replace(one, severity="warning", hint="") for one in found]
    found += [
        finding("CNV002", f"{name!r} would be written twice", where=name) for name in flat.twice[:_MAX_LISTED]
    ]
    found += [
        finding("CNV003", f"{name!r} can be no name of a tensor")
        for name in [name for name in flat.arrays if not _is_name(name)][:_MAX_LISTED]
    ]
    if not flat.arrays:
        found.append(finding("CNV004", "there is no tensor in the file"))
    total = sum(array.nbytes for array in flat.arrays.values())
    if total > _COPIES * flat.source_bytes + _FREE_BYTES:
        found.append(finding("CNV005", f"the tensors take {total} bytes, the source has {flat.source_bytes}"))
    found += [
        finding("CNV007", f"{len(names)} tensors share their memory: {', '.join(names[:4])}", where=names[0])
        for names in tied(flat)[:_MAX_LISTED]
    ]
    return found


def _is_name(name: str) -> bool:
    """JSON has no lone surrogates, and the format keeps one name for itself."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name != "__metadata__"


def tied(flat: Flat) -> list[list[str]]:
    """Groups of names whose tensors are the same view of the same bytes."""
    groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for name, array in flat.arrays.items():
        if array.nbytes:
            groups[id(array.content), array.dtype, array.offset, array.shape, array.strides].append(name)
    return [names for names in groups.values() if len(names) > 1]
