"""Patterns of identities: an exact name, a glob with ``*``, or ``regex:`` and an anchored expression."""

from __future__ import annotations

__all__ = ["identity_matches"]


def identity_matches(pattern: str, identity: str) -> bool:
    """Tell whether a certificate's identity fits a pattern."""
    raise NotImplementedError
