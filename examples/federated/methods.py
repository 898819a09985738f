"""The four ways of combining updates that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["METHODS", "Method"]

FAULTY = 4


@dataclass(frozen=True)
class Method:
    """A rule and what it is called with."""

    title: str
    rule: str
    faulty: int = FAULTY
    pre: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)


METHODS = (
    Method("mean", "mean", faulty=0),  # it withstands nobody; whoever uses it believes that nobody attacks
    Method("trimmed mean", "trimmed-mean"),
    Method("NNM + trimmed mean", "trimmed-mean", pre=("nnm",)),
    # Nobody moves the model by more than 1/W = 0.5 in a round, however many attack; an honest update is about 1 long.
    Method("bounded influence", "bounded-influence", parameters={"W": 2.0}),
)
