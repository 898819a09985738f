"""Rules about what an artifact was made from (``LIN``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["LINEAGE_RULES"]

LINEAGE_RULES = (
    Rule(
        id="LIN001",
        title="the lineage is not known",
        outcome="undecided",
        explanation="The policy asks what the artifact was made from, and no signed statement about it was found.",
        hint="name the folder of the inputs' statements with --store, or have the producer attest the lineage",
    ),
    Rule(
        id="LIN002",
        title="the lineage is asserted but not proven",
        explanation="A signed statement names the inputs, but not every input could be followed to signed data, and "
        "the policy asks for proof.",
        hint="add the missing inputs' statements with --store, or have their producers sign them",
    ),
)
