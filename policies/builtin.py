"""The policies that come with the product, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from policies.formats import PLAIN_FORMATS
from policies.policy import ContributorPolicy, FormatPolicy, Policy, SignaturePolicy

__all__ = ["BUILTIN", "BUILTIN_PURPOSES"]

# None of these names a signer: they are given on the spot, or there is a policy file.
_POLICIES = (
    Policy(name="strict"),
    Policy(name="ci", signatures=SignaturePolicy(uncovered="refuse")),
    Policy(name="training", formats=FormatPolicy(pickle="allowlist")),
    Policy(
        name="federated",
        formats=FormatPolicy(allow=("safetensors",)),
        contributors=ContributorPolicy(required=True),
    ),
    Policy(
        name="harmless",
        signatures=SignaturePolicy(required=False, threshold=0, unsigned="warn"),
        formats=FormatPolicy(allow=(*PLAIN_FORMATS, "skops"), pickle="allowlist"),
    ),
)

BUILTIN: Mapping[str, Policy] = MappingProxyType({policy.name: policy for policy in _POLICIES})

# One line each on what a policy is for.
BUILTIN_PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "strict": "signed data formats only: no pickle, no unknown format, no unsigned file (what `verify` uses)",
        "ci": "as strict, and no file may lie in a path that signatures leave out, such as .git",
        "training": "as strict, and signed pickles pass that import only what rebuilds tensors",
        "federated": "signed safetensors only, from contributors on a roster",
        "harmless": "content alone, signed or not: no pickle that can run code, no unknown format (what `scan` uses)",
    }
)
