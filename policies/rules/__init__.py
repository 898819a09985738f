"""The one table of rule ids: ``provenance explain`` prints it and the documentation is generated from it."""

from __future__ import annotations

from collections.abc import Mapping

from policies.errors import UnknownRule
from policies.rules.aggregation import AGGREGATION_RULES
from policies.rules.artifacts import ARTIFACT_RULES
from policies.rules.containers import CONTAINER_RULES
from policies.rules.contributors import CONTRIBUTOR_RULES
from policies.rules.conversion import CONVERSION_RULES
from policies.rules.formats import FORMAT_RULES
from policies.rules.guard import GUARD_RULES
from policies.rules.lineage import LINEAGE_RULES
from policies.rules.model import Outcome, Rule, Severity, table
from policies.rules.pickles import PICKLE_RULES
from policies.rules.policy import POLICY_RULES
from policies.rules.signatures import SIGNATURE_RULES

__all__ = ["RULES", "Outcome", "Rule", "Severity", "explain"]

RULES: Mapping[str, Rule] = table(
    *SIGNATURE_RULES,
    *ARTIFACT_RULES,
    *FORMAT_RULES,
    *CONTAINER_RULES,
    *PICKLE_RULES,
    *POLICY_RULES,
    *LINEAGE_RULES,
    *AGGREGATION_RULES,
    *CONTRIBUTOR_RULES,
    *CONVERSION_RULES,
    *GUARD_RULES,
)


def explain(rule_id: str) -> Rule:
    """Look up a rule, whatever the letter case; raises UnknownRule, with the ids that come near in its hint."""
    wanted = rule_id.strip().upper()
    if wanted in RULES:
        return RULES[wanted]
    families = ", ".join(sorted({known[:3] for known in RULES}))
    near = _near(wanted)
    hint = f"did you mean {' or '.join(near)}?" if near else f"rule ids begin with one of {families}"
    raise UnknownRule(f"there is no rule `{rule_id[:80]}`", hint=hint)


def _near(wanted: str) -> list[str]:
    """The rule meant by `PKL2`, `SIG-003` or `SIGO03`; else up to three whose ids look alike."""
    import difflib  # only a typing error needs it

    number = wanted[3:16].replace("O", "0").lstrip("-_ ")
    meant = f"{wanted[:3]}{number.zfill(3)}"
    return [meant] if meant in RULES else sorted(difflib.get_close_matches(wanted[:16], RULES, n=3))
