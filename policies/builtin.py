"""The policies that come with the product, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from policies.policy import ContributorPolicy, FormatPolicy, Policy, SignaturePolicy

__all__ = ["BUILTIN"]

# What `verify`, `load` and `sealed` judge by unless told otherwise: data formats only, nothing unsigned.
_STRICT = Policy(name="strict")

# For pipelines: nothing may lie where a later step could pick it up unsigned.
_CI = Policy(name="ci", signatures=SignaturePolicy(uncovered="refuse"))

# For training jobs: as strict, and signed checkpoints pass whose pickles import only what rebuilds tensors.
_TRAINING = Policy(name="training", formats=FormatPolicy(pickle="allowlist"))

# For rounds of federated learning: bare tensors, from members of a roster.
_FEDERATED = Policy(
    name="federated",
    formats=FormatPolicy(allow=("safetensors",)),
    contributors=ContributorPolicy(required=True),
)

# What `scan` judges by: content alone, nobody is asked who signed it.
_HARMLESS = Policy(
    name="harmless",
    signatures=SignaturePolicy(required=False, threshold=0, unsigned="warn"),
    formats=FormatPolicy(pickle="allowlist"),
)

BUILTIN: Mapping[str, Policy] = MappingProxyType(
    {policy.name: policy for policy in (_STRICT, _CI, _TRAINING, _FEDERATED, _HARMLESS)}
)
