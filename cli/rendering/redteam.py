"""What a red team found, as a table or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from provenance.aggregation.redteam import Outcome, RedTeam

__all__ = ["as_json", "as_text"]


def as_text(found: RedTeam) -> str:
    """Write a line an attack, then the worst beside the bound."""
    guarantee = found.guarantee
    name = " + ".join([*guarantee.pre, guarantee.rule])
    lines = [f"{name}: {guarantee.faulty} of {guarantee.n} contributors attack", ""]
    lines.append(f"{'attack':<18} {'harm':>9} {'kappa':>9}")
    lines += [_line(outcome) for outcome in found.outcomes]
    lines += ["", *_closing(found)]
    return "\n".join(lines) + "\n"


def _line(outcome: Outcome) -> str:
    line = f"{outcome.attack:<18} {_number(outcome.harm):>9} {_number(outcome.kappa):>9}"
    return f"{line}  {outcome.stopped or outcome.title}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _closing(found: RedTeam) -> list[str]:
    guarantee, worst = found.guarantee, found.worst
    lines = [f"honest spread (root mean square): {found.heterogeneity:.4g}"]
    if found.undisturbed is not None:
        lines.append(f"harm without attackers: {found.undisturbed:.4g}")
    if worst is not None:
        lines.append(f"worst harm: {_number(worst.harm)} ({worst.attack}), kappa {_number(worst.kappa)}")
    if guarantee.per_right is not None:
        lines.append(
            f"bound: {_number(found.bound)}, {guarantee.per_right:.4g} for each unit of voting right"
        )
    elif found.bound is None:
        lines.append(f"bound: none; {guarantee.source}")
    else:
        lines.append(
            f"bound: {_number(found.bound)}, kappa {_number(guarantee.kappa)} "
            f"(no rule has less than {guarantee.lower_bound:.4g}); {guarantee.source}"
        )
    return [*lines, _verdict(found)]


def _verdict(found: RedTeam) -> str:
    if not found.holds:
        return f"{click.style('broken', fg='red', bold=True)}: an attack went beyond the bound"
    if found.bound is None:
        return f"{click.style('unbounded', fg='yellow', bold=True)}: these attacks are not all that there are"
    return f"{click.style('held', fg='green', bold=True)}: no attack went beyond the bound"


def as_json(found: RedTeam) -> str:
    """Write one object."""
    guarantee, worst = found.guarantee, found.worst
    document = {
        "schema": 1,
        "command": "redteam",
        "rule": guarantee.rule,
        "pre": list(guarantee.pre),
        "n": guarantee.n,
        "faulty": guarantee.faulty,
        "attacks": [asdict(outcome) for outcome in found.outcomes],
        "worst": None
        if worst is None
        else {"attack": worst.attack, "harm": worst.harm, "kappa": worst.kappa},
        "bound": found.bound,
        "heterogeneity": found.heterogeneity,
        "undisturbed": found.undisturbed,
        "guarantee": {
            "kappa": guarantee.kappa,
            "lower_bound": guarantee.lower_bound,
            "averaging": guarantee.averaging,
            "averaging_lower_bound": guarantee.averaging_lower_bound,
            "per_right": guarantee.per_right,
            "conditions": list(guarantee.conditions),
            "source": guarantee.source,
        },
        "holds": found.holds,
    }
    return json.dumps(document, indent=2) + "\n"
