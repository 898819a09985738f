"""The verb ``trace``: where an artifact comes from, proven, asserted or missing, and the questions that follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from policies import Decision, Evidence, Finding, LineagePolicy, Policy, SignaturePolicy, decide
from policies.findings import DecisionName
from provenance.lineage.opening import AnyPath, Opened, moment, open_lineage, trust_in
from provenance.lineage.paths import LineagePath, Status, paths_to_ends
from provenance.lineage.references import reference_to
from provenance.lineage.subjects import subject_of
from provenance.lineage.tracing import Traced, follow
from provenance.signing.keys import PublicKey

if TYPE_CHECKING:
    from provenance.artifacts.reading import Progress
    from provenance.lineage.differences import Differences
    from provenance.lineage.exports.graph import ExportGraph
    from provenance.lineage.impact import Impact
    from provenance.lineage.records import RecordTrace

__all__ = ["DEFAULT_DEPTH", "Lineage", "trace"]

DEFAULT_DEPTH = 16


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """Where an artifact comes from.

    ``status`` is "proven" where every way ends in a contribution or an artifact signed by somebody accepted,
    "asserted" where somebody not accepted says so, and "missing" where nobody does. ``paths`` lead to each end.
    ``decision`` is that of a policy that asks for proof. ``record`` is the answer about one record, if one was asked
    about: status, paths and decision are then about that record alone. ``traced`` and ``opened`` are what exports and
    reports build on: every artifact on the way with the verdict on it, and the statements.
    """

    path: str
    digest: str
    status: Status
    paths: tuple[LineagePath, ...]
    findings: tuple[Finding, ...]
    decision: DecisionName
    exit_status: int
    record: RecordTrace | None = None
    traced: Traced = field(repr=False)
    opened: Opened = field(repr=False)

    def impact(self) -> Impact:
        """Follow the artifact downstream: everything in the stores that was made from it."""
        from provenance.lineage.impact import impact_of_reference

        return impact_of_reference(self.traced.start, self.opened)

    def graph(self) -> ExportGraph:
        """Return the artifacts and steps, as exports for other tools take them."""
        from provenance.lineage.exports.graph import export_graph

        return export_graph(self.traced, made=self.opened.authority.now)

    def diff(self, other: Lineage) -> Differences:
        """Compare the sources of this artifact with those of another: what came, what went, what changed."""
        from provenance.lineage.differences import compare

        return compare(self.traced, other.traced)


def trace(  # noqa: PLR0913 (the options of the command)
    path: AnyPath,
    *,
    store: AnyPath | Iterable[AnyPath] = (),
    keys: AnyPath | PublicKey | Iterable[AnyPath | PublicKey] = (),
    roster: AnyPath | None = None,
    roster_keys: Iterable[AnyPath | PublicKey] = (),
    record: int | None = None,
    as_of: datetime | date | str | None = None,
    max_depth: int = DEFAULT_DEPTH,
    progress: Progress | None = None,
) -> Lineage:
    """Follow an artifact back to its origins, through the statements beside it and in the stores; no network is used.

    ``keys`` are the public keys trusted to sign statements (and the roster, where no ``roster_keys`` are given); the
    members of the ``roster`` are trusted to contribute. ``record`` asks for one record instead, counted from 0.
    ``as_of`` judges keys and revocations as of the end of a past day.

    Returns a ``Lineage`` whatever the answer. Raises ``UsageError`` for a question that cannot be asked, ``Refused`` or
    ``Undecided`` for a roster that does not count, ``Unreadable`` for what cannot be read.
    """
    path = Path(path)
    opened = open_lineage(
        path,
        stores=_several(store),
        trust=trust_in(keys),
        roster=roster,
        roster_keys=roster_keys,
        now=moment(as_of),
    )
    start = reference_to(subject_of(path, progress=progress))
    if record is not None:
        from provenance.lineage.record_tracing import trace_record

        return trace_record(path, record, start, opened)
    traced = follow(start, opened.statements, opened.authority, max_depth=max_depth)
    return answer(str(path), traced, opened)


def answer(path: str, traced: Traced, opened: Opened) -> Lineage:
    """Turn what was found into an answer, judged by a policy that asks for proof."""
    judged = _judge(path, traced, opened)
    return Lineage(
        path=path,
        digest=traced.start.sha256,
        status=traced.status,
        paths=paths_to_ends(traced, opened.authority),
        findings=judged.findings,
        decision=judged.decision,
        exit_status=judged.exit_status,
        traced=traced,
        opened=opened,
    )


def _judge(path: str, traced: Traced, opened: Opened) -> Decision:
    policy = Policy(
        name="proven lineage",
        signatures=SignaturePolicy(required=False, threshold=0),
        lineage=LineagePolicy(require="proven"),
    )
    evidence = Evidence(
        subject=path,
        digest=traced.start.sha256,
        lineage=traced.status,
        lineage_ends=traced.ends,
        lineage_findings=(*opened.findings, *traced.findings),
    )
    return decide(policy, evidence, now=opened.authority.now)


def _several(given: AnyPath | Iterable[AnyPath]) -> tuple[AnyPath, ...]:
    from provenance.lineage.opening import paths_of

    return paths_of(given)
