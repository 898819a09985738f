"""Rules about policies themselves (``POL``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["POLICY_RULES"]

POLICY_RULES = (
    Rule(
        id="POL001",
        title="the policy has expired",
        explanation="A policy with an expiry accepts nothing after that day, so that nobody relies on a forgotten one.",
        hint="have the policy reviewed and its `expires` moved",
    ),
    Rule(
        id="POL002",
        title="the policy names no signer",
        outcome="undecided",
        explanation="Without a signer to trust no signature can be accepted.",
        hint="give --key, --certificate-chain or --identity with --issuer, or name signers in the policy",
    ),
    Rule(
        id="POL003",
        title="the signature is older than the policy allows",
        explanation="The policy bounds the age of a signature, and the trusted time of this one lies before.",
        hint="have the artifact signed again",
    ),
    Rule(
        id="POL004",
        title="the age of the signature is not known",
        outcome="undecided",
        explanation="The policy bounds the age of a signature, and this one carries no trusted time.",
        hint="sign with Sigstore or a timestamp authority, or drop `max_age_days` from the policy",
    ),
    Rule(
        id="POL005",
        title="the policy is wrong",
        explanation="The policy file has an unknown key, a value of the wrong type, or rules that contradict others.",
        hint="mend the line that is named",
    ),
)
