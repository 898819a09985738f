"""Rules about archives and compressed streams (``ARC``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["CONTAINER_RULES"]

CONTAINER_RULES = (
    Rule(
        id="ARC001",
        title="a member name that occurs twice in an archive",
        explanation="Two members have the same name once letter case is folded. Some loaders take the first, others "
        "the last: what was checked need not be what is loaded.",
        hint="do not load the file",
    ),
    Rule(
        id="ARC002",
        title="an archive whose headers contradict each other",
        explanation="A zip describes each member twice. Here name, flags, method, size or checksum differ between the "
        "two, or the members overlap: readers differ in what they see.",
        hint="do not load the file",
    ),
    Rule(
        id="ARC003",
        title="an archive with a flag that hides its content",
        explanation="A member is marked as encrypted, patched or otherwise special. Some loaders ignore the mark and "
        "read on, while scanners give up.",
        hint="do not load the file",
    ),
    Rule(
        id="ARC004",
        title="bytes that no member of an archive owns",
        explanation="Bytes stand before, between or behind the members, where another reader may find another file.",
        hint="pack the archive again",
    ),
    Rule(
        id="ARC005",
        title="a member with a wrong checksum",
        explanation="The checksum of a member is not that of its bytes. Some loaders ignore that and load it all the "
        "same.",
        hint="fetch the file again",
    ),
    Rule(
        id="ARC006",
        title="a member that leaves the archive",
        explanation="The name of a member is absolute, climbs by .., or the member is a link or a device: unpacking "
        "would write or read elsewhere.",
        hint="do not unpack the file",
    ),
    Rule(
        id="ARC007",
        title="an archive beyond the bounds of the reader",
        outcome="undecided",
        explanation="The archive unpacks to more bytes, or has more members or levels, than the reader follows.",
        hint="do not load the file",
    ),
    Rule(
        id="ARC008",
        title="a damaged archive",
        outcome="undecided",
        explanation="The archive is cut off or its directory does not describe it, so its members cannot be told.",
        hint="fetch the file again",
    ),
    Rule(
        id="ARC009",
        title="an archive packed in a way that is not read",
        outcome="undecided",
        explanation="The method of compression is not one that this version unpacks, so the content is not known.",
        hint="pack the archive again with deflate",
    ),
    Rule(
        id="ARC010",
        title="a file that is two files",
        explanation="The file is valid in two formats at once: loaders differ in which of the two they load.",
        hint="do not load the file",
    ),
)
