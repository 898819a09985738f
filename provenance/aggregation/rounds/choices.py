"""Which rules would do for a round: the table that ``--explain`` shows."""

from __future__ import annotations

import msgspec

from provenance.aggregation.guarantees import guarantee
from provenance.aggregation.rules import RULES

__all__ = ["RuleChoice", "choices_for"]


class RuleChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One rule for n updates of which some are faulty: the least n it accepts, and its constant or why it has none."""

    rule: str
    title: str
    least_n: int
    kappa: float | None
    averaging: float | None
    usable: bool
    condition: str


def choices_for(n: int, faulty: int) -> tuple[RuleChoice, ...]:
    """Say of every rule whether it would do for ``n`` verified updates, and what it would guarantee."""
    return tuple(_choice(name, n, faulty) for name in RULES)


def _choice(name: str, n: int, faulty: int) -> RuleChoice:
    rule = RULES[name]
    try:
        found = guarantee(name, n=n, faulty=faulty)
    except ValueError as error:
        return RuleChoice(
            rule=name,
            title=rule.title,
            least_n=rule.least(faulty),
            kappa=None,
            averaging=None,
            usable=False,
            condition=str(error),
        )
    return RuleChoice(
        rule=name,
        title=rule.title,
        least_n=rule.least(faulty),
        kappa=found.kappa,
        averaging=found.averaging,
        usable=True,
        condition="; ".join(found.conditions),
    )
