"""What the commands about rounds share: their options, and how a round is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.rendering.report import Report

if TYPE_CHECKING:
    from provenance.aggregation.rounds.choices import RuleChoice
    from provenance.aggregation.rounds.claims import Rejected
    from provenance.aggregation.rounds.result import Accepted, Replay, Round

__all__ = ["parameters_option", "pre_option", "replay_report", "round_report", "rule_option"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def rule_option(function: Decorated) -> Decorated:
    """Add ``--rule``."""
    return click.option("--rule", required=True, metavar="RULE", help="The rule, such as trimmed-mean.")(
        function
    )


def pre_option(function: Decorated) -> Decorated:
    """Add ``--pre``, in the order of application."""
    return click.option(
        "--pre",
        multiple=True,
        metavar="P",
        help="Apply this first: nnm, clip, arc or bucketing; may be repeated.",
    )(function)


def parameters_option(function: Decorated) -> Decorated:
    """Add ``--parameter K=V``: numbers and words by name."""
    return click.option(
        "--parameter",
        "parameters",
        multiple=True,
        metavar="K=V",
        callback=_parameters,
        help="A parameter of the rule or of what comes before it, such as W=0.5; may be repeated.",
    )(function)


def _parameters(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name or name in found:
            raise click.BadParameter(f"{value!r} is not K=V, each K once")
        found[name] = _value(text)
    return found


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def round_report(updates: str, found: Round, *, explain: bool) -> Report:
    """Turn a round into a report; with ``explain`` it says of every rule what it would do for this round."""
    import msgspec

    from provenance.aggregation.rounds.choices import choices_for

    details: dict[str, Any] = {
        "round": found.round,
        "rule": found.rule,
        "faulty": found.faulty,
        "n": found.n,
        "pre": list(found.pre),
        "parameters": dict(found.parameters),
        "form": found.form,
        "base": found.base,
        "accepted": [_accepted(each) for each in found.accepted],
        "rejected": [_rejected(each) for each in found.rejected],
        "guarantee": _tree(found.guarantee),
        "diameter": found.diameter,
        "heterogeneity": found.heterogeneity,
        "coefficients": _tree(found.weighing),
        "digest": found.digest,
        "output": str(found.output) if found.output else "",
        "statement": str(found.statement) if found.statement else "",
    }
    table = choices_for(found.n, found.faulty) if explain else ()
    if explain:
        details["rules"] = msgspec.to_builtins(table)
    return Report(
        command="aggregate",
        subject=updates,
        base=updates,
        decision=found.decision,
        exit_status=found.exit_status,
        findings=found.findings,
        checked_files=found.n + len(found.rejected),
        checked_bytes=found.checked_bytes,
        details=details,
        lines=(*_lines(found), *_table(table)),
    )


def _tree(found: Any) -> dict[str, Any] | None:
    import msgspec

    if found is None:
        return None
    tree: dict[str, Any] = msgspec.to_builtins(found, enc_hook=str)
    return tree


def _accepted(each: Accepted) -> dict[str, Any]:
    return {
        "contributor": each.contributor,
        "path": each.path,
        "rule": "",
        "message": "",
        "digest": each.digest,
        "key": each.key,
        "voting_right": each.voting_right,
        "coefficient": each.coefficient,
    }


def _rejected(each: Rejected) -> dict[str, Any]:
    return {
        "contributor": each.contributor,
        "path": each.path,
        "rule": each.rule,
        "message": each.message,
        "digest": each.digest,
    }


def _lines(found: Round) -> Iterator[str]:
    yield f"round {found.round}: {found.n} updates count, {len(found.rejected)} do not"
    yield from _parts(found)
    if found.guarantee is not None:
        yield from found.guarantee.explain(diameter=found.diameter, heterogeneity=found.heterogeneity)
    if found.digest:
        yield f"result: sha256:{found.digest}" + (f" in {found.output}" if found.output else "")


def _parts(found: Round | Replay) -> Iterator[str]:
    width = max((len(each.contributor) for each in found.accepted), default=0)
    for each in found.accepted:
        part = "" if each.coefficient is None else f"  part {each.coefficient:.4f}"
        yield f"  {each.contributor:<{width}}  voting right {each.voting_right:g}{part}  {each.path}"
    if found.weighing is not None:
        yield f"part: {found.weighing}"


def _table(choices: tuple[RuleChoice, ...]) -> Iterator[str]:
    if choices:
        yield f"{'rule':<20} {'least n':>7} {'kappa':>8}  for this round"
    for each in choices:
        kappa = "-" if each.kappa is None else f"{each.kappa:.3g}"
        yield f"{each.rule:<20} {each.least_n:>7} {kappa:>8}  {'usable' if each.usable else each.condition}"


def replay_report(output: str, found: Replay) -> Report:
    """Turn a replay into a report."""
    details = {
        "round": found.round,
        "rule": found.rule,
        "n": len(found.accepted),
        "accepted": [_accepted(each) for each in found.accepted],
        "rejected": [_rejected(each) for each in found.rejected],
        "digest": found.digest,
        "recomputed": found.recomputed,
        "signer": found.signer,
        "coefficients": _tree(found.weighing),
    }
    lines = []
    if found.recomputed:
        lines.append(f"round {found.round} by {found.rule}: recomputed sha256:{found.recomputed}")
        lines += _parts(found)
    return Report(
        command="replay",
        subject=output,
        decision=found.decision,
        exit_status=found.exit_status,
        findings=found.findings,
        checked_files=len(found.accepted),
        checked_bytes=found.checked_bytes,
        details=details,
        lines=tuple(lines),
    )
