"""The statement of a round: what was combined, how, and what was left out and why; enough to recompute it.

It is SLSA provenance of the build type ``aggregate``. ``externalParameters`` say how to combine, the dependencies of
the role ``update`` what, in the order of the contributors' ids; ``byproducts`` are what was left out.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from provenance.aggregation.rounds.claims import Rejected
from provenance.aggregation.rounds.result import Accepted, Round
from provenance.attestations.slsa import (
    ResourceDescriptor,
    SlsaProvenance,
    derivation,
    derivation_kind,
    provenance_statement,
    read_provenance,
    role_of,
)
from provenance.attestations.statement import Statement, Subject
from provenance.attestations.strict_json import convert
from provenance.attestations.weighing import Weighing
from provenance.errors import Malformed
from provenance.trust.roster import VerifiedRoster

__all__ = ["METHOD_VERSION", "Recorded", "read_round_statement", "round_statement"]

# Raised with every change after which the same updates give other bytes.
METHOD_VERSION: Final = "1"


class _Parameters(msgspec.Struct, frozen=True, kw_only=True):
    task: str
    round: int
    rule: str
    faulty: int
    pre: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    form: str = "weights"
    method: str = METHOD_VERSION
    max_norm: float | None = msgspec.field(name="maxNorm", default=None)


class _UpdateAnnotations(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    contributor: str
    statement: str = ""
    key: str = ""
    voting_right: float = 1.0
    coefficient: float | None = None


_WEIGHING: Any = Weighing | None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A round as its statement tells it; ``weighing`` is None where it does not say what coefficients are."""

    digest: str
    task: str
    number: int
    rule: str
    faulty: int
    pre: tuple[str, ...]
    parameters: dict[str, Any]
    form: str
    base: str
    method: str
    max_norm: float
    accepted: tuple[Accepted, ...]
    weighing: Weighing | None = None


def round_statement(
    subject: Subject,
    result: Round,
    *,
    task: str,
    number: int,
    roster: VerifiedRoster,
    base_name: str = "",
    max_norm: float = math.inf,
) -> Statement:
    """Make the statement about a result."""
    base = ResourceDescriptor(
        name=base_name or "base", digest={"sha256": result.base}, annotations={"role": "base"}
    )
    predicate = derivation(
        "aggregate",
        inputs=[base, *(_input(each) for each in result.accepted)],
        parameters={
            "task": task,
            "round": number,
            "rule": result.rule,
            "faulty": result.faulty,
            "pre": list(result.pre),
            "parameters": dict(result.parameters),
            "form": result.form,
            "method": METHOD_VERSION,
            **({"maxNorm": max_norm} if math.isfinite(max_norm) else {}),
        },
        internal={
            "roster": {
                "id": roster.roster.id,
                "version": roster.roster.version,
                "sha256": roster.digest,
            },
            "guarantee": msgspec.to_builtins(result.guarantee, enc_hook=str),
            "diameter": result.diameter,
            "heterogeneity": result.heterogeneity,
            "coefficients": msgspec.to_builtins(result.weighing),
        },
        byproducts=[_left_out(each) for each in result.rejected[:_MOST]],
    )
    return provenance_statement([subject], predicate)


_MOST: Final = 9_000  # byproducts of one statement


def _input(accepted: Accepted) -> ResourceDescriptor:
    return ResourceDescriptor(
        name=accepted.path[:4000],
        digest={"sha256": accepted.digest},
        annotations={
            "role": "update",
            "contributor": accepted.contributor,
            "statement": accepted.statement,
            "key": accepted.key,
            "votingRight": accepted.voting_right,
            "coefficient": accepted.coefficient,
        },
    )


def _left_out(rejected: Rejected) -> ResourceDescriptor:
    return ResourceDescriptor(
        name=rejected.path[:4000],
        digest={"sha256": rejected.digest} if rejected.digest else {},
        annotations={
            "role": "rejected",
            "contributor": rejected.contributor,
            "rule": rejected.rule,
            "message": rejected.message[:1000],
        },
    )


def read_round_statement(statement: Statement) -> Recorded | None:
    """Read a statement of a round; None for a statement of another kind. Raises ``Malformed`` (SIG008)."""
    predicate: SlsaProvenance = read_provenance(statement)
    if derivation_kind(predicate) != "aggregate":
        return None
    definition = predicate.build_definition
    told = convert(definition.external_parameters, _Parameters, what="the round's parameters")
    bases = [each for each in definition.resolved_dependencies if role_of(each) == "base"]
    if len(statement.subject) != 1 or len(bases) != 1:
        raise Malformed("a round has one result and one base model", code="SIG008")
    return Recorded(
        digest=statement.subject[0].digest.get("sha256", ""),
        task=told.task,
        number=told.round,
        rule=told.rule,
        faulty=told.faulty,
        pre=told.pre,
        parameters=told.parameters,
        form=told.form,
        base=bases[0].digest["sha256"],
        method=told.method,
        max_norm=math.inf if told.max_norm is None else told.max_norm,
        accepted=tuple(
            _accepted(each) for each in definition.resolved_dependencies if role_of(each) == "update"
        ),
        weighing=convert(
            definition.internal_parameters.get("coefficients"), _WEIGHING, what="what the coefficients are"
        ),
    )


def _accepted(descriptor: ResourceDescriptor) -> Accepted:
    told = convert(descriptor.annotations, _UpdateAnnotations, what="an update of the round")
    return Accepted(
        contributor=told.contributor,
        path=descriptor.name,
        digest=descriptor.digest["sha256"],
        statement=told.statement,
        key=told.key,
        voting_right=told.voting_right,
        coefficient=told.coefficient,
    )
