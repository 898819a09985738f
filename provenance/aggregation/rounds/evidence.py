"""The proof of equivocation, kept beside the result: both signed statements, as anybody can verify them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provenance.aggregation.rounds.claims import Claim
from provenance.artifacts.atomic import write_atomically
from provenance.artifacts.names import ATTESTATION_DIRECTORY
from provenance.errors import UsageError

__all__ = ["keep_evidence"]


def keep_evidence(output: Path, pairs: Sequence[tuple[Claim, Claim]]) -> Path | None:
    """Write the bundles of all pairs, a line each, to ``.provenance/<result>.equivocation.jsonl``; None for none."""
    if not pairs:
        return None
    target = output.parent / ATTESTATION_DIRECTORY / f"{output.name}.equivocation.jsonl"
    lines = [claim.bundle.replace(b"\n", b" ").strip() for pair in pairs for claim in pair]
    try:
        target.parent.mkdir(exist_ok=True)
        write_atomically(target, b"\n".join(lines) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
    return target
