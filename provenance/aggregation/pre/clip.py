"""Static clipping: rows longer than tau are shortened to it."""

from __future__ import annotations

import numpy as np

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.pre.model import Scaled, Step, norms
from provenance.aggregation.rules.model import Choices, Parameter
from provenance.aggregation.updates import Floats

__all__ = ["CLIP", "shortened"]


def shortened(lengths: Floats, most: float) -> Floats:
    """Give the factors that bring lengths down to ``most``: 1 for those that are no longer."""
    longer = lengths > most
    factors: Floats = np.where(longer, most / np.where(longer, lengths, 1.0), 1.0)
    return factors


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
