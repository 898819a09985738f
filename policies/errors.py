"""What is raised on purpose on the ground floor: a policy that is wrong, a rule id that does not exist."""

from __future__ import annotations

__all__ = ["PolicyError", "UnknownRule"]


class PolicyError(ValueError):
    """A policy that cannot be used: what is wrong, in which line of which file, and how to mend it.

    ``line`` counts from 1; it is 0 where the fault belongs to no line. ``name`` is the policy's name or path.
    """

    def __init__(self, message: str, *, line: int = 0, hint: str = "", name: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.hint = hint
        self.name = name

    def __str__(self) -> str:
        place = ":".join(part for part in (self.name, str(self.line or "")) if part)
        return f"{place}: {self.message}" if place else self.message


class UnknownRule(PolicyError, LookupError):
    """A rule id that is not in the table; the hint names the ids that come near."""
