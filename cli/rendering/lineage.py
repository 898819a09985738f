"""Lineages for people and for programs: trees, lists of what is tainted, differences."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cli.rendering.report import EXIT_STATUS, Report
from cli.rendering.trees import Branch, tree_lines
from cli.rendering.wording import count
from policies import outcome

if TYPE_CHECKING:
    from provenance.lineage.differences import Differences, Source
    from provenance.lineage.impact import Impact
    from provenance.lineage.lineage import Lineage
    from provenance.lineage.neighbourhood import Neighbour, Neighbourhood
    from provenance.lineage.paths import LineagePath, Step

__all__ = ["diff_report", "impact_report", "neighbourhood_report", "trace_report"]

_DIGITS = 12
_MEANING = {
    "proven": "every way ends in a contribution, or in an artifact that somebody accepted signed",
    "asserted": "somebody says so whom nobody accepted here vouches for",
    "missing": "for some of it no statement could be found",
}


def trace_report(found: Lineage) -> Report:
    """Report where an artifact, or one record of it, comes from."""
    details: dict[str, Any] = {
        "status": found.status,
        "digest": found.digest,
        "ends": len(found.paths) if found.record is not None else len(found.traced.ends),
        "paths": [_plain(path) for path in found.paths],
    }
    lines = tree_lines(_merged(found.paths))
    if found.record is not None:
        details["record"] = _plain(found.record)
        lines.extend(_record_lines(found))
    lines.append(f"{found.status}: {_MEANING[found.status]}")
    return Report(
        command="lineage trace",
        subject=found.path,
        decision=found.decision,
        exit_status=found.exit_status,
        findings=found.findings,
        details=details,
        lines=tuple(lines),
    )


def impact_report(found: Impact, subject: str) -> Report:
    """Report what is tainted."""
    here = _here()
    places = [each.path.removeprefix(here) for each in found.tainted]
    width = max(map(len, places), default=0)
    lines = [f"{count(len(found.tainted), 'artifact')} tainted by {found.asked}"]
    for place, each in zip(places, found.tainted, strict=True):
        way = f"  via {' -> '.join(each.via[:-1])}" if len(each.via) > 1 else ""
        doubt = "" if each.certain else "  (asserted)"
        lines.append(f"  {place:<{width}}  {each.digest[:_DIGITS]}{way}{doubt}")
    return _told("lineage impact", subject, found.findings, {"tainted": _plain(found.tainted)}, lines)


def diff_report(found: Differences, subject: str, *, findings: Sequence[Any] = ()) -> Report:
    """Report how the sources of two artifacts differ."""
    lines = [_source_line("+", each) for each in found.came]
    lines += [_source_line("-", each) for each in found.went]
    for change in found.changed:
        before, after = (", ".join(each.signers) or "nobody" for each in (change.before, change.after))
        signers = f"signed by {before}, now by {after}" if change.signers_differ else f"signed by {after}"
        lines.append(
            f"~ {change.name}  {change.before.digest[:_DIGITS]} -> {change.after.digest[:_DIGITS]}  {signers}"
        )
    lines.append(
        f"{len(found.came)} came, {len(found.went)} went, {len(found.changed)} changed, {found.common} in common"
    )
    details = {
        "came": _plain(found.came),
        "went": _plain(found.went),
        "changed": [{**_plain(each), "signers_differ": each.signers_differ} for each in found.changed],
        "common": found.common,
    }
    return _told("lineage diff", subject, tuple(findings), details, lines)


def neighbourhood_report(found: Neighbourhood) -> Report:
    """Report what lies around an artifact."""
    start = Branch(_label("", found.path, found.digest, found.status))
    sources = [
        *tree_lines([_grown(f"made from ({count(len(found.sources), 'source')})", found.sources)]),
        *tree_lines(
            [_grown(f"went into ({count(len(found.products), 'product')})", found.products, forward=True)]
        ),
    ]
    details = {
        "status": found.status,
        "digest": found.digest,
        "sources": _plain(found.sources),
        "products": _plain(found.products),
    }
    return _told("lineage show", found.path, found.findings, details, [start.label, *sources])


def _told(
    command: str, subject: str, findings: tuple[Any, ...], details: dict[str, Any], lines: Sequence[str]
) -> Report:
    """Report an answer that is no judgement."""
    decision = outcome(findings)
    return Report(
        command=command,
        subject=subject,
        decision=decision,
        exit_status=EXIT_STATUS[decision],
        findings=findings,
        details=details,
        lines=tuple(lines),
    )


def _plain(value: Any) -> Any:
    """Turn an answer into JSON's values; paths below the working directory start from there."""
    return _from(_here(), msgspec.to_builtins(value))


def _from(here: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: item.removeprefix(here)
            if key in {"path", "statement"} and isinstance(item, str)
            else _from(here, item)
            for key, item in value.items()
        }
    return [_from(here, item) for item in value] if isinstance(value, list | tuple) else value


def _here() -> str:
    return os.getcwd().rstrip("/") + "/"


def _merged(paths: Sequence[LineagePath]) -> list[Branch]:
    """Grow one tree of paths that begin alike; what ends a path says who vouches for it.

    What lies on the way is proven in itself alone, and is not called so above sources that may be missing.
    """
    roots: dict[Any, Branch] = {}
    for path in paths:
        level = roots
        for number, step in enumerate(path.steps):
            key = (step.name, step.digest, step.statement)
            if key not in level:
                level[key] = Branch(_step_label(step, step.status.removeprefix("proven")), level={})
            if number == len(path.steps) - 1:
                level[key].label = _step_label(step, step.status + _end_label(path))
            level = level[key].level
    return list(roots.values())


def _step_label(step: Step, said: str) -> str:
    by = f"  ({step.kind}, {_by(step.signer)})" if step.kind else ""
    return _label(step.role, step.name, step.digest, said) + by


def _label(role: str, name: str, digest: str, status: str) -> str:
    return "  ".join(filter(None, (" ".join(filter(None, (role, name))), digest[:_DIGITS], status)))


def _by(signer: str) -> str:
    """Say who signed; a fingerprint is shortened, for it stands in JSON in full."""
    if signer == "nobody":
        return "nobody signed"
    return f"signed by {signer[:7]}{signer[7:19]}…" if signer.startswith("SHA256:") else f"signed by {signer}"


def _end_label(path: LineagePath) -> str:
    if path.steps[-1].status != "proven":
        return ""
    if path.contributor:
        licence = f", {path.licence}" if path.licence else ""
        return f", contributed by {path.contributor}{licence}"
    return f", {_by(path.vouchers[0])}" if path.vouchers else ""


def _record_lines(found: Lineage) -> list[str]:
    record = found.record
    assert record is not None
    by = f" by {record.contributor}" if record.contributor else ""
    lines = [f"record {record.index}: {record.origin}{by}"]
    if record.proof is not None:
        proof = record.proof
        lines.append(
            f"proof: record {proof.index} of {proof.count} in {record.batch}, {len(proof.path)} hashes to the root "
            f"{proof.root[:_DIGITS]}"
        )
    return lines


def _source_line(mark: str, source: Source) -> str:
    by = f"  {', '.join(map(_by, source.signers))}" if source.signers else ""
    return _label(mark, source.name, source.digest, source.status) + by


def _grown(label: str, neighbours: Sequence[Neighbour], *, forward: bool = False) -> Branch:
    root, here = Branch(label, level={}), _here()
    branches: list[Branch] = []
    for number, each in enumerate(neighbours):
        # Forward, the role is that of the artifact above in what was made from it.
        place = each.path.removeprefix(here)
        label = _label("" if forward else each.role, place, each.digest, each.status)
        how = f"{each.kind}, as {each.role}" if forward and each.role else each.kind
        branch = Branch(f"{label}  ({how}, {_by(each.signer)})", level={})
        branches.append(branch)
        parent = root if each.parent < 0 else branches[each.parent]
        parent.level[number] = branch
    return root
