"""The ground floor: findings, rules, evidence, policies and decisions; knows no cryptography and no files."""

from __future__ import annotations

from policies.builtin import BUILTIN, BUILTIN_PURPOSES
from policies.decisions import Decision, decide
from policies.errors import PolicyError, UnknownRule
from policies.evidence import Evidence, FileEvidence, LineageEnd, LineageStatus, Signer, SigningMethod
from policies.findings import DecisionName, Finding, finding, outcome
from policies.formats import FORMATS, PICKLE_CARRIERS, PICKLE_FORMATS, PLAIN_FORMATS, PROFILES
from policies.identities import identity_matches, identity_problem
from policies.overrides import tolerating_unsigned, with_given
from policies.policy import (
    GIVEN,
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
from policies.policy_file import parse_policy
from policies.policy_text import policy_text
from policies.rules import RULES, Rule, Severity, explain

__all__ = [
    "BUILTIN",
    "BUILTIN_PURPOSES",
    "FORMATS",
    "GIVEN",
    "PICKLE_CARRIERS",
    "PICKLE_FORMATS",
    "PLAIN_FORMATS",
    "PROFILES",
    "RULES",
    "ContributorPolicy",
    "Decision",
    "DecisionName",
    "Evidence",
    "FileEvidence",
    "Finding",
    "FormatPolicy",
    "LineageEnd",
    "LineagePolicy",
    "LineageRequirement",
    "LineageStatus",
    "PickleRule",
    "Policy",
    "PolicyError",
    "Rule",
    "Severity",
    "SignaturePolicy",
    "Signer",
    "SignerRule",
    "SigningMethod",
    "Tolerance",
    "UnknownRule",
    "Waiver",
    "decide",
    "explain",
    "finding",
    "identity_matches",
    "identity_problem",
    "outcome",
    "parse_policy",
    "policy_text",
    "tolerating_unsigned",
    "with_given",
]
