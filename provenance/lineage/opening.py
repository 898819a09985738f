"""Opening stores: statements found and indexed, keys and roster read, everything ready to be asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from policies import Finding
from provenance.errors import UsageError
from provenance.lineage.authority import Authority, known_keys
from provenance.lineage.finding import places_beside, places_in
from provenance.lineage.index import Statements
from provenance.lineage.index_file import KEEP_FROM, KEEP_SHARE, index_path, load_index, save_index
from provenance.signing.keys import PublicKey
from provenance.signing.statements import Keyring, trust_of_keys
from provenance.signing.trust import Trust
from provenance.trust.roster import Roster, load_roster

__all__ = ["AnyPath", "Opened", "moment", "open_lineage", "paths_of"]

AnyPath = str | PathLike[str]


class Opened(NamedTuple):
    """Statements and whose word counts; ``findings`` are remarks about the roster."""

    statements: Statements
    authority: Authority
    findings: tuple[Finding, ...] = ()


def open_lineage(  # noqa: PLR0913 (what the verbs are told)
    artifact: Path | None,
    *,
    stores: Iterable[AnyPath],
    trust: Trust,
    roster: AnyPath | None = None,
    roster_keys: Iterable[AnyPath | PublicKey] = (),
    now: datetime,
    more_keys: Iterable[PublicKey] = (),
    members_only: bool = False,
) -> Opened:
    """Index the statements of some stores and those beside an artifact, and read the roster.

    The keys of ``trust`` count for the roster too, where no ``roster_keys`` are given. ``more_keys`` are recognised and
    not trusted. Raises what ``load_roster`` raises, and ``Unreadable`` (LIN010) where a store cannot be read.
    """
    maintainers = tuple(roster_keys) or tuple(each.key for each in trust.keys)
    listed, findings = _roster(roster, maintainers, now)
    ring = known_keys(trust, listed, more_keys)
    statements = _statements(artifact, paths_of(stores), ring)
    authority = Authority(trust, listed, statements, now=now, members_only=members_only)
    return Opened(statements, authority, findings)


def moment(as_of: datetime | date | str | None) -> datetime:
    """Return the moment that is meant: now, or, of a day, its last; raises ``UsageError``."""
    if as_of is None:
        return datetime.now(UTC)
    if isinstance(as_of, str):
        try:
            as_of = date.fromisoformat(as_of) if len(as_of) == 10 else datetime.fromisoformat(as_of)
        except ValueError as error:
            raise UsageError(f"{as_of} is no date", hint="write it as in 2026-06-30") from error
    if isinstance(as_of, datetime):
        return as_of if as_of.tzinfo is not None else as_of.replace(tzinfo=UTC)
    return datetime.combine(as_of, time.max, UTC)


def paths_of(given: AnyPath | Iterable[AnyPath] | None) -> tuple[Path, ...]:
    """Return one path or several as several."""
    if given is None:
        return ()
    return (Path(given),) if isinstance(given, str | PathLike) else tuple(map(Path, given))


def _roster(
    path: AnyPath | None, keys: tuple[AnyPath | PublicKey, ...], now: datetime
) -> tuple[Roster | None, tuple[Finding, ...]]:
    if path is None:
        return None, ()
    verified = load_roster(path, roster_keys=keys, now=now)
    return verified.roster, verified.findings


def _statements(artifact: Path | None, stores: tuple[Path, ...], ring: Keyring) -> Statements:
    """Bring the index of the stores up to date, keep it where it is worth it, and add what lies beside the artifact."""
    kept = index_path(str(each.resolve()) for each in stores)
    statements = load_index(kept)
    changed = statements.refresh(places_in(stores), ring)
    # Reading a few again costs less than writing all of the index.
    if len(statements) >= KEEP_FROM and changed >= max(1, len(statements) * KEEP_SHARE):
        save_index(kept, statements)
    if artifact is not None:
        statements.add(places_beside(artifact), ring)
    return statements


def trust_in(keys: AnyPath | PublicKey | Iterable[AnyPath | PublicKey]) -> Trust:
    """Trust one public key or several, each called as its file is; raises ``UsageError`` where a file holds none."""
    several = [keys] if not isinstance(keys, Iterable) or isinstance(keys, str) else keys
    found = [(trust_of_keys([each]).keys[0], each) for each in several]
    return Trust(
        keys=tuple(
            key._replace(name=Path(each).name.removesuffix(".pub"))
            if isinstance(each, str | PathLike)
            else key
            for key, each in found
        )
    )
