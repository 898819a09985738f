"""Rules about pickles (``PKL``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["PICKLE_RULES"]

PICKLE_RULES = (
    Rule(
        id="PKL001",
        title="a pickle",
        explanation="A pickle is a program: loading it can run anything. The policy accepts none.",
        hint="convert it with `provenance convert SRC DST.safetensors`, or allow harmless pickles with "
        '`[formats] pickle = "allowlist"`',
    ),
    Rule(
        id="PKL002",
        title="a pickle that can run code",
        explanation="The pickle imports or calls something that is not on the allowlist.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL003",
        title="a pickle that cannot be read to its end",
        outcome="undecided",
        explanation="The pickle is damaged, or larger or more deeply nested than the bounds of the reader.",
        hint="do not load the file",
    ),
)
