"""The one table of rule ids: ``provenance explain`` prints it and the documentation is generated from it."""

from __future__ import annotations

from collections.abc import Mapping

from policies.rules.artifacts import ARTIFACT_RULES
from policies.rules.formats import FORMAT_RULES
from policies.rules.lineage import LINEAGE_RULES
from policies.rules.model import Outcome, Rule, Severity, table
from policies.rules.pickles import PICKLE_RULES
from policies.rules.policy import POLICY_RULES
from policies.rules.signatures import SIGNATURE_RULES

__all__ = ["RULES", "Outcome", "Rule", "Severity"]

RULES: Mapping[str, Rule] = table(
    *SIGNATURE_RULES,
    *ARTIFACT_RULES,
    *FORMAT_RULES,
    *PICKLE_RULES,
    *POLICY_RULES,
    *LINEAGE_RULES,
)
