"""One question a file: what each part of the evidence means under a policy. ``decide`` puts the answers together."""

from __future__ import annotations

from policies.judging.coverage import judge_coverage
from policies.judging.formats import judge_files
from policies.judging.lineage import judge_lineage
from policies.judging.signatures import judge_signatures

__all__ = ["judge_coverage", "judge_files", "judge_lineage", "judge_signatures"]
