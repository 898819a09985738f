"""Signing a roster: a statement about its text, in a bundle beside it, one for each maintainer.

The predicate ``roster/v1`` repeats the roster's id, version and threshold; its JSON Schema is
``attestations/schemas/roster-v1.schema.json``.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from typing import Annotated, Final

import msgspec

from provenance.artifacts.atomic import write_atomically
from provenance.attestations.discovery import read_bundle
from provenance.attestations.fields import checked, predicate_of, predicate_tree
from provenance.attestations.statement import Statement
from provenance.attestations.subjects import artifact_name, file_subject
from provenance.attestations.types import ROSTER_PREDICATE_TYPE
from provenance.errors import ProvenanceError, UsageError
from provenance.signing.keys import PrivateKey, fingerprint
from provenance.signing.signers import open_key
from provenance.signing.statements import read_statement, sign_statement
from provenance.trust.roster import Roster
from provenance.trust.roster_amending import renew_roster
from provenance.trust.roster_files import read_roster

__all__ = [
    "RosterPredicate",
    "read_roster_predicate",
    "roster_bundle_path",
    "roster_bundles",
    "sign_roster",
]

_SUFFIX: Final = ".sigstore.json"
MAX_BUNDLES: Final = 1_000


class RosterPredicate(msgspec.Struct, frozen=True):
    """What a maintainer signs beside the digest of the text."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    version: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    threshold: Annotated[int, msgspec.Meta(ge=1, le=1000)]


def read_roster_predicate(statement: Statement) -> RosterPredicate:
    """Read the predicate of a roster's signature; raises ``Malformed`` (SIG008)."""
    return predicate_of(statement, ROSTER_PREDICATE_TYPE, RosterPredicate)


def sign_roster(
    path: str | PathLike[str],
    *,
    key: str | PathLike[str] | PrivateKey,
    password: str | bytes | None = None,
    expires: str | date | datetime | None = None,
) -> Path:
    """Sign a roster as it is and return the bundle's path: ``<roster>.<12 digits of the key>.sigstore.json``.

    Where it does not expire on ``expires`` yet, that is written into it first, as a new version: the other maintainers
    sign that one. Raises ``UsageError`` for a key that is none of the maintainers', where the roster lists any, and
    ``Malformed`` (CON005) or ``Undecided`` (CON006) for a roster that cannot be used.
    """
    path = Path(path)
    private = open_key(Path(key) if isinstance(key, str | PathLike) else key, password)
    found = read_roster(path)
    by = fingerprint(private.public_key())
    _require_maintainer(found.roster, by, path)
    if expires is not None:
        renew_roster(path, expires)
        found = read_roster(path)
    statement = _statement(path, found.data, found.roster)
    target = roster_bundle_path(path, by)
    _require_new_version(target, statement, found.roster)
    bundle = sign_statement(statement, private)
    try:
        write_atomically(target, bundle)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
    return target


def _require_maintainer(roster: Roster, by: str, path: Path) -> None:
    listed = {each.fingerprint for each in roster.maintainers}
    if listed and by not in listed:
        raise UsageError(
            f"the key {by} is none of the maintainers' in {path}", hint="have one of the maintainers sign"
        )


def _require_new_version(target: Path, statement: Statement, roster: Roster) -> None:
    """One's own signature of another text under this version would make two rosters of one version (CON004)."""
    try:
        before = read_statement(read_bundle(target)).statement
        signed = read_roster_predicate(before)
    except ProvenanceError:  # none, or none that counts
        return
    same = (signed.id, signed.version) == (roster.id, roster.version)
    if same and before.subject[0].digest != statement.subject[0].digest:
        raise UsageError(
            f"you signed another text of version {roster.version} before",
            hint=f"raise `version` in the roster, or remove {target} if nobody has seen it yet",
        )


def _statement(path: Path, data: bytes, roster: Roster) -> Statement:
    predicate = RosterPredicate(id=roster.id, version=roster.version, threshold=roster.threshold)
    return Statement(
        subject=(file_subject(artifact_name(path), hashlib.sha256(data).digest()),),
        predicate_type=ROSTER_PREDICATE_TYPE,
        predicate=predicate_tree(checked(predicate)),
    )


def roster_bundle_path(path: Path, fingerprint_: str) -> Path:
    """Return where the signature of a roster by a key lies."""
    return path.with_name(f"{path.name}.{fingerprint_.removeprefix('SHA256:')[:12]}{_SUFFIX}")


def roster_bundles(path: Path) -> list[Path]:
    """Return where the signatures of a roster lie, whoever made them; at most 1,000 of them."""
    own = re.compile(re.escape(path.name) + r"\.[0-9a-f]{12}" + re.escape(_SUFFIX))
    try:
        found = sorted(each for each in path.parent.iterdir() if own.fullmatch(each.name))
    except OSError:
        return []
    return found[:MAX_BUNDLES]
