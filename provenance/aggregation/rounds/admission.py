"""Which updates of a folder take part in a round: everything that is checked before any arithmetic."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from policies import Finding, finding
from provenance.aggregation.rounds.claims import Claim, Rejected, RoundName, Selected, agreed, select
from provenance.aggregation.rounds.folder import Folder
from provenance.aggregation.rounds.layout import Layout, difference
from provenance.aggregation.rounds.proving import Proven
from provenance.aggregation.rounds.ready import Ready
from provenance.aggregation.rounds.stream import OpenUpdate

__all__ = ["Admission", "Wanted", "admit", "settle"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: the round and the base model (None: what most contributors name), and a bound on norms."""

    round: RoundName | None = None
    base: OpenUpdate | None = None
    base_digest: str = ""
    max_norm: float = math.inf


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """The round as it was settled: the updates in the order of their contributors' ids, and those that do not count.

    ``base`` is None where the base model's file was neither given nor found; ``findings`` are errors of the round.
    ``ready`` is a result that may be of these updates, and is not if they are others than it was computed with.
    """

    round: RoundName | None
    base_digest: str = ""
    form: str = "weights"
    base: OpenUpdate | None = None
    claims: tuple[Claim, ...] = ()
    updates: tuple[OpenUpdate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    equivocations: tuple[tuple[Claim, Claim], ...] = ()
    findings: tuple[Finding, ...] = ()
    max_norm: float = math.inf
    ready: Ready | None = None


def admit(folder: Folder, proven: Proven, wanted: Wanted) -> Admission:
    """Settle the round and choose its updates; nothing is computed with them yet."""
    by_digest = {update.examined.digest.hex(): update for update in folder.updates}
    settled = settle(proven.claims, wanted)
    if settled is None:
        unsettled = finding(
            "AGG014", "the contributors do not agree on a round, or nobody whom the roster names contributed"
        )
        unsigned = _unsigned(folder, set(), "")
        return Admission(
            round=wanted.round,
            rejected=_merged((*folder.rejected, *proven.rejected, *unsigned)),
            findings=(unsettled,),
        )
    name, base_digest, form = settled
    files = {digest: update.name for digest, update in by_digest.items()}
    selected = select(proven.claims, name=name, base=base_digest, form=form, files=files)
    base = wanted.base or by_digest.get(base_digest)
    checked, unfit = _check(selected, by_digest, base, wanted.max_norm)
    spoken_for = {claim.digest for claim in proven.claims}
    unsigned = _unsigned(folder, spoken_for, base_digest)
    return Admission(
        round=name,
        base_digest=base_digest,
        form=form,
        base=base,
        claims=checked,
        updates=tuple(by_digest[claim.digest] for claim in checked),
        rejected=_merged((*folder.rejected, *proven.rejected, *selected.rejected, *unfit, *unsigned)),
        equivocations=selected.equivocations,
        max_norm=wanted.max_norm,
        ready=folder.ready,
    )


def settle(claims: Sequence[Claim], wanted: Wanted) -> tuple[RoundName, str, str] | None:
    """The round, the base's digest and the form: as given, and else as more than half of the contributors say."""
    base = wanted.base.examined.digest.hex() if wanted.base is not None else wanted.base_digest
    fitting = [
        claim
        for claim in claims
        if (wanted.round is None or claim.round == wanted.round) and (not base or claim.base == base)
    ]
    return agreed(fitting)


def _check(
    selected: Selected, by_digest: dict[str, OpenUpdate], base: OpenUpdate | None, max_norm: float
) -> tuple[tuple[Claim, ...], tuple[Rejected, ...]]:
    """Drop updates of other tensors than the base's, and those whose values cannot be computed with."""
    expected = base.examined.layout if base is not None else _usual(selected.claims, by_digest)
    kept, unfit = [], []
    for claim in selected.claims:
        update = by_digest[claim.digest]
        rule, message = _fault(update, expected, max_norm)
        if rule:
            unfit.append(
                Rejected(
                    contributor=claim.contributor,
                    path=update.name,
                    rule=rule,
                    message=message,
                    digest=claim.digest,
                )
            )
        else:
            kept.append(claim)
    return tuple(kept), tuple(unfit)


def _usual(claims: Sequence[Claim], by_digest: dict[str, OpenUpdate]) -> Layout | None:
    """The tensors that more than half of the contributors have: what to go by without the base model."""
    layouts = [by_digest[claim.digest].examined.layout for claim in claims]
    counted = Counter(layout.spans for layout in layouts)
    spans, count = counted.most_common(1)[0] if counted else ((), 0)
    return next((each for each in layouts if each.spans == spans), None) if 2 * count > len(claims) else None


def _fault(update: OpenUpdate, expected: Layout | None, max_norm: float) -> tuple[str, str]:
    examined = update.examined
    if expected is None:
        return "AGG008", "no tensors are common to more than half of the updates"
    if said := difference(examined.layout, expected):
        return "AGG008", said
    if not examined.finite:
        return "AGG009", "it holds a NaN or an infinity"
    if examined.overflowing:
        return "AGG010", f"the norm of tensor {examined.overflowing[:200]} is more than its dtype can hold"
    if math.sqrt(examined.square) > max_norm:
        return (
            "AGG010",
            f"its norm is {math.sqrt(examined.square):.6g}, and at most {max_norm:.6g} is allowed",
        )
    return "", ""


def _unsigned(folder: Folder, spoken_for: set[str], base_digest: str) -> tuple[Rejected, ...]:
    return tuple(
        Rejected(
            contributor="",
            path=update.name,
            rule="AGG001",
            message="nobody signed it",
            digest=update.examined.digest.hex(),
        )
        for update in folder.updates
        if update.examined.digest.hex() not in spoken_for | {base_digest}
    )


def _merged(rejected: Sequence[Rejected]) -> tuple[Rejected, ...]:
    """Say once what is one thing: a file that was changed is both "signed and not there" and "there and not signed"."""
    absent = {each.path: each for each in rejected if each.rule == "AGG012"}
    refused = {each.digest for each in rejected if each.digest and each.contributor}
    found: list[Rejected] = []
    changed: set[str] = set()
    for each in rejected:
        if each.rule == "AGG001" and each.digest in refused:
            continue  # its signature was refused, which says more
        if each.rule in {"AGG001", "AGG011"} and not each.contributor and each.path in absent:
            changed.add(each.path)
            by = absent[each.path].contributor
            message = f"it is not the file that {by} signed: it was changed afterwards"
            found.append(msgspec.structs.replace(each, contributor=by, rule="AGG001", message=message))
        elif each.rule != "AGG012":
            found.append(each)
    found += [each for each in rejected if each.rule == "AGG012" and each.path not in changed]
    return tuple(sorted(found, key=lambda each: (each.contributor, each.path, each.rule)))
