"""What is in this file? One file at a time: its format by content, and what reading it showed."""

from __future__ import annotations

from policies.evidence import FileEvidence
from policies.policy import FormatPolicy
from provenance.scanning.detect import HEAD_BYTES, TAIL_BYTES, detect
from provenance.scanning.readers import Reader

__all__ = ["scan_member"]


def scan_member(reader: Reader, name: str, policy: FormatPolicy) -> FileEvidence:  # noqa: ARG001
    """Read one file through ``reader`` and say what it is and what was found in it.

    ``policy`` says which profiles pickles are read by; judging the format itself is left to ``policies.decide``.
    Raises Unreadable (ART008) where reading fails.
    """
    head = reader.read_at(0, HEAD_BYTES)
    tail = b"" if reader.size <= HEAD_BYTES else reader.read_at(max(0, reader.size - TAIL_BYTES), TAIL_BYTES)
    found = detect(head, reader.size, tail, name)
    return FileEvidence(path=name, format=found, size=reader.size)
