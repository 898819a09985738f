"""The exceptions of this library: each carries a code, a message and the next step to take.

Only the command line prints and exits; it turns ``exit_status`` of these into its own status.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["Malformed", "ProvenanceError", "Refused", "Undecided", "Unreadable", "UsageError"]


class ProvenanceError(Exception):
    """The base of all errors raised on purpose; ``code`` is a rule id where one applies, else empty."""

    exit_status: ClassVar[int] = 4

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint


class UsageError(ProvenanceError):
    """The caller asked for something that cannot be: a missing key file, a wrong password, a broken policy."""

    exit_status = 2


class Malformed(ProvenanceError):
    """A document or a file is not what its format says it must be; who judges it refuses it."""

    exit_status = 1


class Unreadable(ProvenanceError):
    """Something that was needed to decide is absent or cannot be read; who judges it cannot decide."""

    exit_status = 3


class Refused(ProvenanceError):
    """A verdict: the policy does not accept this; ``judgement`` is the object with decision and findings.

    On purpose no child of ``pickle.UnpicklingError``, which callers catch in order to retry unsafely.
    """

    exit_status = 1

    def __init__(self, message: str, *, judgement: Any = None, code: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.judgement = judgement


class Undecided(ProvenanceError):
    """No verdict: a question that had to be answered could not be; never to be taken for a yes."""

    exit_status = 3

    def __init__(self, message: str, *, judgement: Any = None, code: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.judgement = judgement
