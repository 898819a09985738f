"""MoNNA: the mean of the n-f rows nearest to one's own, which is the first unless ``own`` names another."""

from __future__ import annotations

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Parameter, Rule, chosen, majority

__all__ = ["MONNA"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    own = int(choices.parameters["own"])
    if own >= space.n:
        raise ValueError(f"own must be a row, from 0 to {space.n - 1}, not {own}")
    by_rank = sorted(range(space.n), key=lambda row: space.rank[row])
    near = space.ordered(space.squares[by_rank[own]].tolist())
    return chosen(near[: space.n - choices.faulty], space.n)


def _kappa(n: int, faulty: int) -> float:
    return 2.0 * faulty * (5.0 + 6.0 * faulty) / (n - faulty)


MONNA = Rule(
    name="monna",
    title="the mean of the n-f rows nearest to one's own, the first",
    least=majority,
    kappa=_kappa,
    source="derived in docs/aggregation.md, for sets S with one's own row in them: 2f(5 + 6f)/(n-f)",
    condition="n > 2f, and the row of one's own is honest",
    combine=_combine,
    parameters={"own": Parameter(0.0, "the row of one's own, from 0", open=False, whole=True)},
)
