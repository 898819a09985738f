"""From the tables of a policy file to a policy: each key with its type, its bounds and its default."""

from __future__ import annotations

from typing import Any, get_args

from policies.contradictions import check_policy
from policies.document.fault import Fault
from policies.document.section import Section
from policies.policy import (
    ContributorPolicy,
    FormatPolicy,
    LineagePolicy,
    LineageRequirement,
    PickleRule,
    Policy,
    SignaturePolicy,
    SignerRule,
    Tolerance,
    Waiver,
)

__all__ = ["VERSION", "policy_from"]

VERSION = 1

_TABLES = ("version", "expires", "signatures", "signers", "formats", "lineage", "contributors")
_HUNDRED_YEARS = 36_525
_MOST_SIGNERS = 1_000
_DEEPEST = 1_000


def policy_from(tree: dict[str, Any], name: str, base: str) -> Policy:
    """Build the whole policy, then check what its parts say about each other; raises Fault."""
    document = Section(tree, (), _TABLES)
    version = document.number("version", VERSION, least=0, most=2**31)
    if version != VERSION:
        raise Fault(
            ("version",), f"this release reads policies of version {VERSION}, not {version}", "upgrade it"
        )
    signers = tuple(
        _signer(signer, section, base)
        for signer, section in document.named_sections(
            "signers", ("keys", "certificates", "identity", "issuer")
        )
    )
    policy = Policy(
        name=name,
        version=version,
        expires=document.day("expires"),
        signatures=_signatures(document, signers),
        signers=signers,
        formats=_formats(document),
        lineage=_lineage(document),
        contributors=_contributors(document, base),
    )
    check_policy(policy)
    return policy


def _signer(name: str, section: Section, base: str) -> SignerRule:
    return SignerRule(
        name=name,
        keys=_paths(section, "keys", base),
        certificates=_paths(section, "certificates", base),
        identity=section.text("identity"),
        issuer=section.text("issuer"),
    )


def _signatures(document: Section, signers: tuple[SignerRule, ...]) -> SignaturePolicy:
    section = document.section("signatures", ("threshold", "accept", "max_age_days", "uncovered", "unsigned"))
    default = SignaturePolicy()
    max_age_days = section.number("max_age_days", 0, least=1, most=_HUNDRED_YEARS)
    return SignaturePolicy(
        threshold=section.number("threshold", default.threshold, least=1, most=_MOST_SIGNERS),
        accept=section.texts("accept", tuple(signer.name for signer in signers)),
        max_age_days=max_age_days or None,
        uncovered=section.choice("uncovered", default.uncovered, get_args(Tolerance)),
        unsigned=section.choice("unsigned", default.unsigned, get_args(Tolerance)),
    )


def _formats(document: Section) -> FormatPolicy:
    section = document.section("formats", FormatPolicy.__struct_fields__)
    default = FormatPolicy()
    return FormatPolicy(
        allow=section.texts("allow", default.allow),
        pickle=section.choice("pickle", default.pickle, get_args(PickleRule)),
        profiles=section.texts("profiles", default.profiles),
        allow_globals=section.texts("allow_globals", default.allow_globals),
    )


def _lineage(document: Section) -> LineagePolicy:
    section = document.section("lineage", LineagePolicy.__struct_fields__)
    default = LineagePolicy()
    return LineagePolicy(
        require=section.choice("require", default.require, get_args(LineageRequirement)),
        max_depth=section.number("max_depth", default.max_depth, least=1, most=_DEEPEST),
        licences=section.texts("licences", default.licences),
        sources=section.texts("sources", default.sources),
        waivers=tuple(map(_waiver, section.listed_sections("waivers", Waiver.__struct_fields__))),
    )


def _waiver(section: Section) -> Waiver:
    expires = section.day("expires")
    if expires is None or "reason" not in section:
        raise Fault(section.path, "a waiver needs a `reason` and a day on which it `expires`")
    return Waiver(
        reason=section.text("reason"),
        expires=expires,
        path=section.text("path"),
        digest=section.text("digest"),
    )


def _contributors(document: Section, base: str) -> ContributorPolicy:
    section = document.section("contributors", ("roster", "roster_keys", "forbid"))
    roster = section.text("roster")
    return ContributorPolicy(
        roster=_beside(base, roster) if roster else "",
        roster_keys=_paths(section, "roster_keys", base),
        forbid=section.texts("forbid"),
        required=bool(roster),
    )


def _paths(section: Section, key: str, base: str) -> tuple[str, ...]:
    return tuple(_beside(base, path) for path in section.texts(key))


def _beside(base: str, path: str) -> str:
    """A path from the policy file's directory, by its text alone; an absolute one stays as it is."""
    if path.startswith("/") or not base:
        return path
    return f"{base.rstrip('/')}/{path.removeprefix('./')}"
