"""Two artifacts side by side: which sources came, which went, and which changed or have another signer."""

from __future__ import annotations

import msgspec

from provenance.lineage.references import Reference
from provenance.lineage.tracing import Traced

__all__ = ["Change", "Differences", "Source", "compare"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact upstream: its name, its root digest, who signed what is known of it, and how well that is known."""

    name: str
    digest: str
    status: str
    signers: tuple[str, ...]
    dir_hash: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact of the same name on both sides, with another content or other signers."""

    name: str
    before: Source
    after: Source

    @property
    def signers_differ(self) -> bool:
        """Whether other people answer for it."""
        return self.before.signers != self.after.signers


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """What came, what went, what changed, and how many sources both have."""

    came: tuple[Source, ...]
    went: tuple[Source, ...]
    changed: tuple[Change, ...]
    common: int


def compare(before: Traced, after: Traced) -> Differences:
    """Compare what lies upstream of two artifacts; the artifacts themselves are not compared."""
    old, new = _sources(before), _sources(after)
    went = {node: source for node, source in old.items() if node not in new}
    came = {node: source for node, source in new.items() if node not in old}
    changed = [
        Change(name=old[node].name, before=old[node], after=new[node])
        for node in old
        if node in new and old[node].signers != new[node].signers
    ]
    for name in sorted(_once(went) & _once(came)):
        gone = next(node for node, source in went.items() if source.name == name)
        fresh = next(node for node, source in came.items() if source.name == name)
        changed.append(Change(name=name, before=went.pop(gone), after=came.pop(fresh)))
    return Differences(
        came=_sorted(came),
        went=_sorted(went),
        changed=tuple(changed),
        common=len(old.keys() & new.keys()),
    )


def _sources(traced: Traced) -> dict[str, Source]:
    return {
        node: _source(verdict.reference, verdict.status, [each.who for each in verdict.beliefs])
        for node, verdict in traced.verdicts.items()
        if node != traced.start.node
    }


def _source(reference: Reference, status: str, signers: list[str]) -> Source:
    return Source(
        name=reference.name,
        digest=reference.sha256,
        dir_hash=reference.dir_hash,
        status=status,
        signers=tuple(sorted(set(signers))),
    )


def _once(sources: dict[str, Source]) -> set[str]:
    """The names that only one of them has."""
    names = [source.name for source in sources.values()]
    return {name for name in names if name and names.count(name) == 1}


def _sorted(sources: dict[str, Source]) -> tuple[Source, ...]:
    return tuple(sorted(sources.values(), key=lambda source: (source.name, source.digest)))
