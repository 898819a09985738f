"""Did enough accepted signers sign, and lately enough?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from policies.evidence import Evidence, Signer
from policies.findings import Finding, finding
from policies.judging.matching import count_distinct
from policies.policy import GIVEN, Policy

__all__ = ["judge_signatures"]

_DAY = 24 * 60 * 60


def judge_signatures(policy: Policy, evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """Yield POL002 where nobody is trusted, SIG007 where too few signed, else POL003 or POL004 for their age.

    Where the evidence already tells why a signature does not count, a second error would say nothing new.
    """
    if not policy.signatures.required:
        return
    accepted = policy.signatures.accept or (GIVEN,)
    explained = any(found.severity == "error" for found in evidence.findings)
    have = count_distinct(evidence.signers, accepted)
    if have >= _threshold(policy):
        yield from _judge_age(policy, evidence.signers, accepted, now)
    elif not policy.signatures.accept and not have:
        if not explained:
            yield finding("POL002", "neither the policy nor the command names a signer to trust")
    elif evidence.signers or not explained:
        yield _too_few(policy, evidence, accepted, have)


def _threshold(policy: Policy) -> int:
    """The number of signers asked for; a policy made in code cannot ask for none and mean it."""
    return max(1, policy.signatures.threshold)


def _too_few(policy: Policy, evidence: Evidence, accepted: tuple[str, ...], have: int) -> Finding:
    """SIG007 with who may sign and who did."""
    wanted = _threshold(policy)
    names = ", ".join(sorted(accepted))
    signed = ", ".join(sorted({signer.name for signer in evidence.signers})) or "nobody"
    plural = "signer" if wanted == 1 else "distinct signers"
    return finding(
        "SIG007",
        f"{have} of {wanted} {plural} signed",
        notes=(f"accepted signers: {names}", f"verified signatures: {signed}"),
    )


def _judge_age(
    policy: Policy, signers: tuple[Signer, ...], accepted: tuple[str, ...], now: datetime
) -> Iterator[Finding]:
    """Ask whether the fresh signatures suffice; if not, whether the undated ones would have made up for it."""
    limit = policy.signatures.max_age_days
    if limit is None:
        return
    ours = [signer for signer in signers if not set(accepted).isdisjoint(signer.satisfies)]
    undated = [signer for signer in ours if not _dated(signer)]
    fresh = [signer for signer in ours if _dated(signer) and _age(signer, now) <= limit * _DAY]
    if count_distinct(fresh, accepted) >= _threshold(policy):
        return
    if count_distinct([*fresh, *undated], accepted) >= _threshold(policy):
        yield from _each("POL004", "carries no trusted time", undated)
        return
    stale = [signer for signer in ours if _dated(signer) and signer not in fresh]
    yield from _each("POL003", f"is more than {limit} days old", stale)


def _dated(signer: Signer) -> bool:
    """A time without a zone is not a time."""
    return signer.time is not None and signer.time.tzinfo is not None


def _age(signer: Signer, now: datetime) -> float:
    """Age in seconds; only asked of dated signers."""
    assert signer.time is not None
    return (now - signer.time).total_seconds()


def _each(rule: str, what: str, signers: Iterable[Signer]) -> Iterator[Finding]:
    """One finding for each signature, in a fixed order, naming its time where it has one."""
    for signer in sorted(signers, key=lambda one: (one.name, one.fingerprint, one.bundle, str(one.time))):
        when = f" ({signer.time.isoformat()})" if signer.time is not None else ""
        yield finding(rule, f"the signature of {signer.name} {what}{when}", path=signer.bundle)
