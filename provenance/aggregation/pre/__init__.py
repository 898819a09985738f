"""Pre-aggregators, one a file, and the table of them: each makes new rows of the rows, for a rule to combine."""

from __future__ import annotations

from collections.abc import Mapping

from provenance.aggregation.pre.arc import ARC
from provenance.aggregation.pre.bucketing import BUCKETING
from provenance.aggregation.pre.clip import CLIP
from provenance.aggregation.pre.model import Step
from provenance.aggregation.pre.nnm import NNM

__all__ = ["STEPS"]

STEPS: Mapping[str, Step] = {step.name: step for step in (CLIP, ARC, NNM, BUCKETING)}
