"""The worst harm that known attacks do to a rule, beside the bound that no attack exceeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from provenance.aggregation.aggregating import aggregate_arrays
from provenance.aggregation.attacks import ATTACKS, Attack, Scene
from provenance.aggregation.attacks.logistic import training_round
from provenance.aggregation.guarantees import Guarantee, guarantee
from provenance.aggregation.updates import Grid

__all__ = ["Outcome", "RedTeam", "red_team"]

DIMENSIONS: Final = 128


@dataclass(frozen=True)
class Outcome:
    """What an attack came to: the distance of the result from the honest mean, and its square over their variance.

    Both are None where the round was refused, for too few updates were left; ``stopped`` says what a check did.
    """

    attack: str
    title: str
    harm: float | None
    kappa: float | None
    stopped: str


@dataclass(frozen=True)
class RedTeam:
    """All attacks on one rule; ``bound`` is what no attack exceeds, None where no constant is known.

    ``undisturbed`` is the distance without attackers, ``heterogeneity`` the root of the honest variance. For a rule
    with a bound per unit of voting right, harm is the distance from the result without the attackers.
    """

    guarantee: Guarantee
    outcomes: tuple[Outcome, ...]
    heterogeneity: float
    undisturbed: float | None
    bound: float | None

    @property
    def worst(self) -> Outcome | None:
        """The attack that did most harm."""
        return max(
            (each for each in self.outcomes if each.harm is not None),
            key=lambda each: each.harm or 0.0,
            default=None,
        )

    @property
    def holds(self) -> bool:
        """Say whether no attack went beyond the bound."""
        worst = self.worst
        return self.bound is None or worst is None or (worst.harm or 0.0) <= self.bound * (1.0 + 1e-6)


def red_team(
    rule: str,
    *,
    faulty: int,
    contributors: int,
    pre: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> RedTeam:
    """Let every attack try a rule on a round of logistic regression; raises ValueError where a condition fails."""
    bound = guarantee(rule, n=contributors, faulty=faulty, pre=pre, parameters=parameters)
    scene = training_round(honest=contributors - faulty, faulty=faulty, dimensions=DIMENSIONS, seed=seed)
    heterogeneity = float(np.sqrt(((scene.honest - scene.mean) ** 2).sum() / len(scene.honest)))

    def result(rows: Grid) -> Any:
        return aggregate_arrays(
            np.concatenate([rows, scene.honest]),
            rule=rule,
            faulty=faulty,
            pre=pre,
            parameters=parameters,
            threads=1,
        )

    centre = scene.mean if bound.per_right is None else result(scene.own[:0])
    scene = replace(scene, harm=lambda rows: float(np.sqrt(((result(rows) - centre) ** 2).sum())))
    return RedTeam(
        guarantee=bound,
        outcomes=tuple(_outcome(attack, scene, heterogeneity) for attack in ATTACKS.values())
        if faulty
        else (),
        heterogeneity=heterogeneity,
        undisturbed=_harm(scene, scene.own[:0]),
        bound=faulty * bound.per_right if bound.per_right is not None else bound.harm(heterogeneity),
    )


def _outcome(attack: Attack, scene: Scene, heterogeneity: float) -> Outcome:
    attempt = attack.craft(scene)
    harm = _harm(scene, attempt.rows)
    stopped = attempt.stopped
    if harm is None:
        stopped = "; ".join(
            part for part in (stopped, "the round is refused: too few updates are left") if part
        )
    kappa = None if harm is None else harm * harm / (heterogeneity * heterogeneity)
    return Outcome(attack.name, attack.title, harm, kappa, stopped)


def _harm(scene: Scene, rows: Grid) -> float | None:
    """Give the harm of rows, which may be fewer than the attackers; None where the rule's condition fails then."""
    try:
        harm = scene.harm(rows)
    except ValueError:
        return None
    return harm if math.isfinite(harm) else math.inf
