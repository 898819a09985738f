"""Static clipping: rows longer than tau are shortened to it."""

from __future__ import annotations

from provenance.aggregation.clipping import shortened
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.pre.model import Scaled, Step, norms
from provenance.aggregation.rule import Choices, Parameter

__all__ = ["CLIP"]


def _mix(space: Geometry, choices: Choices) -> Scaled:
    return Scaled(shortened(norms(space), space.length(choices.parameters["tau"])))


CLIP = Step(
    name="clip",
    title="rows longer than tau are shortened to it",
    mix=_mix,
    kappa=lambda _n, _f, _kappa, _parameters: None,
    source="none: clipping moves the honest mean too, when tau is less than honest lengths (see Karimireddy et al.)",
    equivariant=False,
    parameters={"tau": Parameter(1.0, "the greatest length")},
)
