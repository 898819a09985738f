"""A policy written as a policy file: every key with its value, so that a reader sees what holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from policies.policy import Policy, SignerRule, Waiver

__all__ = ["policy_text"]


def policy_text(policy: Policy) -> str:
    """Write the policy as TOML that ``parse_policy`` reads back to an equal policy.

    What no policy file can say, that a built-in asks for no signature or for some roster, stands as a comment.
    """
    lines = [f"# {policy.name}".replace("\n", " "), f"version = {policy.version}"]
    if policy.expires is not None:
        lines.append(f"expires = {policy.expires.isoformat()}")
    for table in (_signatures(policy), *map(_signer, policy.signers), _formats(policy), _lineage(policy)):
        lines += ["", *table]
    return "\n".join([*lines, "", *_contributors(policy), ""])


def _signatures(policy: Policy) -> Iterator[str]:
    signatures = policy.signatures
    yield "[signatures]"
    if not signatures.required:
        yield "# no signature is asked for"
        return
    yield from _pairs(signatures, ("threshold", "accept", "max_age_days", "uncovered", "unsigned"))


def _signer(signer: SignerRule) -> Iterator[str]:
    yield f"[signers.{_key(signer.name)}]"
    yield from _pairs(signer, [field for field in SignerRule.__struct_fields__[1:] if getattr(signer, field)])


def _formats(policy: Policy) -> Iterator[str]:
    yield "[formats]"
    yield from _pairs(policy.formats, policy.formats.__struct_fields__)


def _lineage(policy: Policy) -> Iterator[str]:
    yield "[lineage]"
    yield from _pairs(policy.lineage, ("require", "max_depth", "licences", "sources"))
    for waiver in policy.lineage.waivers:
        yield ""
        yield "[[lineage.waivers]]"
        yield from _pairs(waiver, [field for field in Waiver.__struct_fields__ if getattr(waiver, field)])


def _contributors(policy: Policy) -> Iterator[str]:
    contributors = policy.contributors
    yield "[contributors]"
    if contributors.roster:
        yield from _pairs(contributors, ("roster",))
    elif contributors.required:
        yield "# a roster is required; the command names it"
    yield from _pairs(contributors, ("roster_keys", "forbid"))


def _pairs(struct: msgspec.Struct, fields: tuple[str, ...] | list[str]) -> Iterator[str]:
    """``key = value`` for each field that has a value."""
    for field in fields:
        value = getattr(struct, field)
        if value is not None:
            yield f"{field} = {_value(value)}"


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):  # JSON's escapes are TOML's too, but for DEL
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    return value.isoformat() if isinstance(value, date) else str(value)
