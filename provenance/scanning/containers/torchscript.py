"""TorchScript archives: torch's zip with a program beside the weights, which torch's own interpreter runs.

Its pickles are read by torch's C++ unpickler, which knows no imports; ``__torch__`` are the program's own classes. No
inspection shows what the program does, so the format is refused unless a policy names it; its pickles are held to the
allowlist all the same, for loaders have been led to unpickle them.
Format: ``torch/csrc/jit/docs/serialization.md``.
"""

from __future__ import annotations

from typing import Any

from provenance.scanning.containers.zip_files import read_members
from provenance.scanning.containers.zip_members import open_archive, open_member
from provenance.scanning.context import Context
from provenance.scanning.pickles.allowlist import Allowed
from provenance.scanning.pickles.allowlist.model import Entry
from provenance.scanning.pickles.reading import read_streams
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.readers import Reader

__all__ = ["read_torchscript", "script_names"]

_PICKLES = ("data.pkl", "constants.pkl")
_FOLDERS = ("data", "constants", "tensors", "code", ".data")
_PLAIN = ("version", "byteorder", ".format_version", ".storage_alignment", "attributes.pkl")
_LISTS = (
    "build_intlist build_tensorlist build_doublelist build_boollist build_tensor_from_id restore_type_tag"
)


class _Names(dict[tuple[str, str], Entry]):
    """An allowlist that also knows the program's own classes."""

    def get(self, key: Any, default: Any = None) -> Any:
        """The entry of a global."""
        if key[0] == "__torch__" or key[0].startswith("__torch__."):
            return Entry(key[0], key[1], "any", "a class of the program", state=True)
        return super().get(key, default)


def read_torchscript(context: Context, reader: Reader) -> None:
    """Read the pickles of the program's values, and whatever is not torch's own as files."""
    archive = open_archive(reader, context)
    if archive is None:
        return
    root = archive.members[0].name.partition("/")[0] + "/" if archive.members else ""
    allowed = script_names(context.allowed)
    programs, left = 0, set()
    for member in archive.members:
        inside = member.name.removeprefix(root)
        programs += inside.startswith("code/") and inside.endswith(".py")
        if inside.partition("/")[0] in _FOLDERS or inside in _PLAIN:
            left.add(member.name)
        elif inside in _PICKLES:
            left.add(member.name)
            inner = open_member(archive, member, context)
            if inner is not None:
                where = ", ".join(part for part in (context.where, member.name) if part)
                read_streams(ReaderSource(inner), allowed, context.report, where=where, persistent=True)
    context.take_report()
    context.add("FMT005", f"TorchScript: {programs} files of code run when the model is called")
    read_members(context, archive, leave=frozenset(left))


def script_names(allowed: Allowed) -> Allowed:
    """The allowlist, with the classes of a program and the makers of its lists."""
    makers = {
        ("torch.jit._pickle", name): Entry("torch.jit._pickle", name, "function", "a list", check="inert")
        for name in _LISTS.split()
    }
    return _Names({**allowed, **makers})
