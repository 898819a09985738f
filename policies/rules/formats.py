"""Rules about file formats, as found by content (``FMT``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["FORMAT_RULES"]

FORMAT_RULES = (
    Rule(
        id="FMT001",
        title="a format that is not known",
        outcome="undecided",
        explanation="The content is in no format that this version reads, so nothing can be said of what a loader "
        "would do with it.",
        hint="allow `unknown` in the policy's [formats] if the file is harmless data",
    ),
    Rule(
        id="FMT002",
        title="a format that the policy does not accept",
        explanation="The policy lists the formats it accepts; the content of this file is in another one.",
        hint="convert the file, or add its format to [formats] allow",
    ),
    Rule(
        id="FMT003",
        title="a broken safetensors header",
        explanation="The header does not describe the file: offsets out of bounds, overlapping or with holes, "
        "duplicate keys, shape times dtype other than the length, or bytes behind the last tensor.",
        hint="do not load the file; write it again with safetensors",
    ),
    Rule(
        id="FMT004",
        title="a file whose content contradicts its name",
        severity="warning",
        explanation="The name says one format and the content is another; loaders go by either.",
        hint="rename the file after its content",
    ),
)
