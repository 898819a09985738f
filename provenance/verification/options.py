"""What every verb that verifies is told, and the policy that is meant by it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TypedDict

from policies import Policy, PolicyError, with_given
from provenance.errors import UsageError
from provenance.policy_files import load_policy

__all__ = ["AnyPath", "VerifyOptions", "paths_given", "settle_policy"]

AnyPath = str | PathLike[str]


class VerifyOptions(TypedDict, total=False):
    """What every verb that verifies is told.

    Signers are given on the spot (``keys``, ``certificate_chain``, ``identity`` with ``issuer``; judged otherwise as
    ``strict``) or by ``policy`` (a built-in's name, a file, a ``Policy``). ``trusted_root`` is a file of Sigstore's
    trust roots in place of those that are shipped; ``signature`` the bundle, where it is not in its usual place;
    ``store`` where statements about inputs lie; ``roster`` who may contribute, signed by ``roster_keys``, in place of
    what the policy names; ``ignore`` exact relative paths to leave out; ``now`` the time to judge at.
    """

    keys: AnyPath | Iterable[AnyPath]
    certificate_chain: AnyPath | Iterable[AnyPath]
    identity: str
    issuer: str
    trusted_root: AnyPath | None
    policy: str | Path | Policy | None
    signature: AnyPath | None
    store: AnyPath | Iterable[AnyPath]
    roster: AnyPath | None
    roster_keys: AnyPath | Iterable[AnyPath]
    ignore: Iterable[str]
    ignore_unsigned_files: bool
    now: datetime | None


def settle_policy(
    policy: str | Path | Policy | None,
    *,
    keys: AnyPath | Iterable[AnyPath] = (),
    certificate_chain: AnyPath | Iterable[AnyPath] = (),
    identity: str = "",
    issuer: str = "",
) -> Policy:
    """Return the policy that is meant, with the signers given on the spot; ``strict`` where none is named.

    Raises ``UsageError`` where there is no such policy, or where it names signers of its own and others are given.
    """
    rules = load_policy("strict" if policy is None else policy)
    given = paths_given(keys), paths_given(certificate_chain)
    if not (any(given) or identity or issuer):
        return rules
    try:
        return with_given(rules, keys=given[0], certificates=given[1], identity=identity, issuer=issuer)
    except PolicyError as error:
        raise UsageError(error.message, code="POL005", hint=error.hint) from error


def paths_given(given: AnyPath | Iterable[AnyPath] | None) -> tuple[str, ...]:
    """Return one path, several or none as a tuple."""
    if given is None:
        return ()
    if isinstance(given, str | PathLike):
        return (str(given),)
    return tuple(str(one) for one in given)
