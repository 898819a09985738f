"""Getting a policy: a built-in by its name, a policy file, or a policy that is there already."""

from __future__ import annotations

import os
from pathlib import Path

from policies import BUILTIN, Policy, PolicyError, parse_policy
from provenance.errors import UsageError

__all__ = ["load_policy"]

MAX_POLICY_BYTES = 1024 * 1024


def load_policy(policy: str | Path | Policy) -> Policy:
    """Return the policy that is meant: a ``Policy`` itself, a built-in's name, else the file at this path.

    Raises ``UsageError`` (POL005) where there is no such policy or the file is wrong; the message names its line.
    """
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, str) and policy in BUILTIN:
        return BUILTIN[policy]
    path = Path(policy)
    try:
        return parse_policy(_read(path), name=str(path), base=str(path.parent))
    except PolicyError as error:
        raise UsageError(str(error), code="POL005", hint=error.hint) from error


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_POLICY_BYTES + 1)
        if len(data) > MAX_POLICY_BYTES:
            raise UsageError(f"the policy {path} is larger than {MAX_POLICY_BYTES} bytes", code="POL005")
        return data.decode("utf-8")
    except OSError as error:
        known = ", ".join(sorted(BUILTIN))
        raise UsageError(
            f"there is no policy {path}: {(error.strerror or 'cannot be read').lower()}",
            code="POL005",
            hint=f"name a policy file or one of {known}",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the policy {path} is not UTF-8 text", code="POL005") from error
