"""Policy files: TOML, every key optional, anything unknown or contradictory an error with its line."""

from __future__ import annotations

from policies.policy import Policy

__all__ = ["parse_policy"]


def parse_policy(text: str, *, name: str, base: str) -> Policy:
    """Read a policy file's text; paths in it are taken from the directory ``base``; raises PolicyError."""
    raise NotImplementedError
