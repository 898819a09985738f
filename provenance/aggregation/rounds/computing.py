"""From admitted updates to the bytes of a result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from policies import Finding, finding
from provenance.aggregation.aggregating import aggregate
from provenance.aggregation.guarantees import Guarantee, guarantee
from provenance.aggregation.passes import Passes
from provenance.aggregation.plan import Plan, known_rule, planned
from provenance.aggregation.rounds.admission import Admission
from provenance.aggregation.rounds.engine import HERE, Engine
from provenance.aggregation.rounds.output import Output, written
from provenance.aggregation.rounds.result import Computed
from provenance.aggregation.rounds.stream import OpenUpdate, StreamedUpdates
from provenance.aggregation.rounds.weighing import sample_for, weighing_of
from provenance.aggregation.updates import Updates
from provenance.artifacts.cores import on_all_cores
from provenance.attestations.weighing import FACTORS
from provenance.errors import UsageError

__all__ = ["Recipe", "RoundUpdates", "combine", "compute", "describe", "observes"]

_QUICK = 1 << 26  # values among which distances are measured in any case
_MANY = 1 << 20  # contributors: more than any rule asks for


class RoundUpdates(Updates, Protocol):
    """The updates of a round, less the base model where they are taken as differences from it."""

    @property
    def base(self) -> OpenUpdate | None:
        """The base model that is subtracted."""

    @property
    def digests(self) -> tuple[str, ...]:
        """The root digests (hex) of the updates."""


class Recipe(msgspec.Struct, frozen=True):
    """How updates are to be combined; raises ``UsageError`` where there is no such rule, step or parameter."""

    rule: str
    faulty: int
    pre: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}

    def __post_init__(self) -> None:
        """Refuse what no number of updates could make right."""
        try:
            self.plan(_MANY)
        except ValueError as error:
            raise UsageError(str(error)) from error

    @property
    def linear(self) -> bool:
        """Say whether the result is a weighted sum of the updates."""
        return known_rule(self.rule).kernel is None

    def plan(self, n: int, rights: Sequence[float] | None = None) -> Plan:
        """Plan for n updates; raises ``ValueError`` where the conditions do not hold."""
        return planned(
            self.rule,
            n=n,
            faulty=self.faulty,
            pre=self.pre,
            voting_rights=rights,
            parameters=self.parameters,
        )

    def guarantee(self, n: int, rights: Sequence[float]) -> tuple[Guarantee | None, tuple[Finding, ...]]:
        """Say what the rule guarantees for so many verified updates, or why it guarantees nothing (AGG013)."""
        try:
            self.plan(n, rights or None)
            found = guarantee(self.rule, n=n, faulty=self.faulty, pre=self.pre, parameters=self.parameters)
            return found, ()
        except ValueError as error:
            return None, (finding("AGG013", str(error)),)

    def needs_base(self, admission: Admission, broken: Sequence[Finding]) -> tuple[Finding, ...]:
        """Say that the base model is missing, where the rule works on the differences from it (AGG014)."""
        if broken or admission.findings or admission.base is not None or admission.form == "delta":
            return ()
        if self.plan(max(1, len(admission.claims))).equivariant:
            return ()
        digest = admission.base_digest
        said = (
            f"{self.rule} works on the differences from the base model, which is not there (sha256:{digest})"
        )
        return (finding("AGG014", said, hint="name the base model with --base"),)


def compute(
    admission: Admission,
    recipe: Recipe,
    rights: Sequence[float],
    target: Path,
    *,
    threads: int | None = None,
    observe: bool = False,
    engine: Engine = HERE,
) -> Computed:
    """Combine the updates of a round into the file ``target``, which holds the same bytes wherever it is computed.

    Rules that are not translation-equivariant work on the differences of weights from the base model. Raises
    ``Refused`` (AGG015) where an update is no longer what was verified, ``UsageError`` where nothing can be written.
    """
    ready = admission.ready
    described = describe(str(admission.round), recipe, admission.form)
    if ready is not None and ready.is_of(admission.updates, rights, recipe, described, target):
        ready.output.publish()
        return ready.computed
    plan = recipe.plan(len(admission.claims), rights)
    layout = admission.updates[0].examined.layout
    centre = admission.base if admission.form == "weights" and not plan.equivariant else None
    updates = on_all_cores(OpenUpdate.tagged, admission.updates)
    stream = StreamedUpdates(updates, layout, centre and centre.tagged())
    with written(target, layout, described) as output:
        return combine(stream, recipe, rights, output, threads=threads, observe=observe, passes=engine.passes)


def combine(
    stream: RoundUpdates,
    recipe: Recipe,
    rights: Sequence[float],
    output: Output,
    *,
    threads: int | None,
    observe: bool,
    passes: Passes | None,
) -> Computed:
    """Combine the rows of a stream into an open output."""
    sample = None if recipe.linear else sample_for(stream.digests, stream.d)
    result = aggregate(
        stream,
        rule=recipe.rule,
        faulty=recipe.faulty,
        pre=recipe.pre,
        voting_rights=rights,
        parameters=recipe.parameters,
        threads=threads,
        out=_writer(output, stream.base),
        observe=observes(stream.n, stream.d, observe=observe),
        sample=sample,
        passes=passes,
    )
    measured = output.measured()
    assert result.coefficients is not None
    return Computed(
        measured=measured,
        digest=hashlib.sha256(measured.digest).hexdigest(),
        coefficients=result.coefficients,
        weighing=FACTORS if sample is None else weighing_of(sample),
        diameter=result.diameter,
        heterogeneity=result.heterogeneity,
    )


def observes(n: int, d: int, *, observe: bool) -> bool:
    """Say whether distances are measured, whatever the rule."""
    return observe or n * d <= _QUICK


def describe(name: str, recipe: Recipe, form: str) -> dict[str, str]:
    """What a person sees who opens the file; no time and no path, so that the bytes are the same everywhere."""
    return {"round": name, "rule": recipe.rule, "form": form}


def _writer(output: Output, centre: OpenUpdate | None) -> Callable[[int, np.ndarray[Any, Any]], None]:
    """Store values as they come, and put them back on the base model where they are differences from it."""
    if centre is None:
        return output.store
    base = StreamedUpdates([centre], output.layout)

    def store(start: int, values: np.ndarray[Any, Any]) -> None:
        output.store(start, values + base.chunks(start, start + len(values))[0].astype(np.float64))

    return store
