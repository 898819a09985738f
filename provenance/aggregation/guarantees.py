"""What a rule guarantees for n contributors of whom at most f are faulty, and when it guarantees nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provenance.aggregation.plan import Plan, planned

__all__ = ["Guarantee", "guarantee"]


@dataclass(frozen=True)
class Guarantee:
    """The constants of a rule, with S any n - f rows, mean_S their mean and V their mean squared distance from it.

    ``kappa``: |result - mean_S|^2 <= kappa V, the (f, kappa)-robustness of arXiv 2302.01772; None where no constant
    is known. ``lower_bound``: f/(n-2f), below which no rule has kappa. ``averaging``: |result - mean_S| is at most this
    times the diameter of S, and ``averaging_lower_bound`` is f/(2h), below which no rule has it (h = n - f).
    ``per_right``: the farthest that one unit of voting right moves the result, in the updates' unit, where there is
    such a bound. ``conditions`` are those that hold here; ``source`` says where the constant comes from.
    """

    rule: str
    pre: tuple[str, ...]
    n: int
    faulty: int
    conditions: tuple[str, ...]
    kappa: float | None
    source: str
    lower_bound: float
    averaging: float | None
    averaging_lower_bound: float
    per_right: float | None
    equivariant: bool

    @property
    def honest(self) -> int:
        """How many contributors are honest at least."""
        return self.n - self.faulty

    def harm(self, heterogeneity: float) -> float | None:
        """Bound the distance of the result from the honest mean, for the root of V; None where no constant is known."""
        return None if self.kappa is None else math.sqrt(self.kappa) * heterogeneity

    def unavoidable_harm(self, dimensions: int, deviation: float = 1.0) -> float:
        """Give f sqrt(d)/h times the honest deviation per coordinate: so the worst harm to any rule grows."""
        return self.faulty * math.sqrt(dimensions) / self.honest * deviation

    def worst_heterogeneity(self, observed: float) -> float:
        """Bound the root of V from that of all n rows: sum_S |x - mean_S|^2 is no more than the sum over all."""
        return observed * math.sqrt(self.n / self.honest)

    def explain(
        self, *, diameter: float | None = None, heterogeneity: float | None = None
    ) -> tuple[str, ...]:
        """Say in plain words what is guaranteed, and what it comes to with what was observed in a round."""
        return tuple(_sentences(self, diameter, heterogeneity))


def guarantee(
    rule: str,
    *,
    n: int,
    faulty: int,
    pre: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> Guarantee:
    """Give the guarantee of a rule behind pre-aggregators; raises ValueError where a condition fails."""
    plan = planned(rule, n=n, faulty=faulty, pre=pre, parameters=parameters)
    kappa = _kappa(plan)
    honest = n - faulty
    lower = faulty / (n - 2 * faulty)
    return Guarantee(
        rule=plan.rule.name,
        pre=tuple(step.name for step in plan.steps),
        n=n,
        faulty=faulty,
        conditions=_conditions(plan),
        kappa=kappa,
        source="; ".join([plan.rule.source, *(f"{step.name}: {step.source}" for step in plan.steps)]),
        lower_bound=lower,
        # V is the mean of half the squared distances of pairs, and honest - 1 of each row's honest are not its own
        averaging=None if kappa is None else math.sqrt(kappa * (honest - 1) / (2 * honest)),
        averaging_lower_bound=faulty / (2 * honest),
        per_right=1.0 / plan.choices.parameters["W"] if "W" in plan.choices.parameters else None,
        equivariant=plan.equivariant,
    )


def _kappa(plan: Plan) -> float | None:
    """Start from the rule's constant for as many rows as reach it, and go back through the steps."""
    faulty = plan.choices.faulty
    kappa = plan.rule.kappa(plan.counts[-1], faulty)
    if plan.rule.name == "monna" and plan.counts[-1] < plan.counts[0]:
        return None  # an honest row of one's own does not make its bucket honest
    stages = zip(plan.steps, plan.step_choices, plan.counts[:-1], strict=True)
    for step, choices, n in reversed(list(stages)):
        if kappa is None:
            return None
        kappa = step.kappa(n, faulty, kappa, choices.parameters)
    return kappa


def _conditions(plan: Plan) -> tuple[str, ...]:
    found = []
    for step, n in zip(plan.steps, plan.counts[:-1], strict=True):
        found.append(f"{step.name}: n > 2f ({n} > {2 * plan.choices.faulty})")
    values = f"n = {plan.counts[-1]}, f = {plan.choices.faulty}"
    found.append(f"{plan.rule.name}: {plan.rule.condition} ({values})")
    return tuple(found)


def _sentences(bound: Guarantee, diameter: float | None, heterogeneity: float | None) -> Iterator[str]:
    name = " + ".join([*bound.pre, bound.rule])
    who = f"any {bound.faulty} of {bound.n} contributors" if bound.faulty else "nobody"
    if bound.kappa is None:
        yield f"{name}: no constant is known that bounds how far {who} can move the result from the honest mean."
    else:
        yield (
            f"{name}: whatever {who} send, the result is within {math.sqrt(bound.kappa):.3g} times the honest "
            f"spread of the honest mean (kappa {bound.kappa:.3g}; no rule can promise less than "
            f"{bound.lower_bound:.3g})."
        )
    if bound.per_right is not None:
        yield f"One unit of voting right moves the result by {bound.per_right:.3g} at most, however many are faulty."
    if heterogeneity is not None:
        worst = bound.worst_heterogeneity(heterogeneity)
        yield (
            f"In this round the updates lie {heterogeneity:.3g} (root mean square) from their mean"
            + (f", and {diameter:.3g} from each other at most" if diameter is not None else "")
            + f"; the honest ones have no more than {worst:.3g} of spread."
        )
        harm = bound.harm(worst)
        if harm is not None:
            yield f"Together: the result is within {harm:.3g} of the mean of the honest, whoever they are."
