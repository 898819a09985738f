"""The newest version seen of each roster, so that a rollback shows: one small JSON file a roster.

Versions are remembered for each maintainer's key that signed them, and compared only where that key is accepted
again. So nobody can lock others out by showing them a roster of the same id that strangers signed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec

from policies import Finding, finding
from provenance.artifacts.atomic import write_atomically
from provenance.errors import Refused, Undecided
from provenance.trust.roster import Roster

__all__ = ["Sighting", "check_and_remember", "state_directory"]

_MAX_BYTES: Final = 4 * 1024 * 1024
_MAX_KEYS: Final = 1_000
Fingerprint = Annotated[str, msgspec.Meta(pattern=r"^SHA256:[0-9a-f]{64}\Z")]


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version that one key signed: its number, the SHA-256 of its text, and who had to sign the next."""

    version: int
    digest: str
    threshold: int
    maintainers: tuple[Fingerprint, ...] = ()


class _Memory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: int = 1
    seen: dict[Fingerprint, Sighting] = {}


def state_directory() -> Path:
    """Return ``$XDG_STATE_HOME/provenance`` (XDG Base Directory Specification 0.8: a relative value is ignored)."""
    configured = os.environ.get("XDG_STATE_HOME", "")
    home = Path(configured) if configured.startswith("/") else Path("~/.local/state").expanduser()
    return home / "provenance"


def check_and_remember(
    roster: Roster, digest: str, *, accepted: Sequence[str], signers: Sequence[str], remember: bool = True
) -> tuple[Finding, ...]:
    """Compare a roster with what was seen of it under the ``accepted`` keys, and remember it for its ``signers``.

    Both are fingerprints. Several processes may do so at once. Raises ``Refused`` (CON002, CON003, CON004) or
    ``Undecided`` (CON007); returns a warning (CON008) where nothing could be written.
    """
    try:
        path = state_directory() / "rosters" / f"{roster.id}.json"
    except RuntimeError:  # this user has no home
        return (finding("CON008", "there is no home directory, and XDG_STATE_HOME is not set"),)
    try:
        with _locked(path, create=remember):
            return _compare_and_write(path, roster, digest, accepted, signers, remember=remember)
    except OSError as error:  # no lock, so nothing is written; what there is can still be compared
        _compare(_read(path), roster, digest, accepted, signers, path)
        return (_not_remembered(path, error),) if remember else ()


@contextmanager
def _locked(path: Path, *, create: bool) -> Iterator[None]:
    """Keep other processes out; the lock has a file of its own, for the other one is replaced."""
    if not create and not path.parent.is_dir():
        yield
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(
        path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _compare_and_write(
    path: Path,
    roster: Roster,
    digest: str,
    accepted: Sequence[str],
    signers: Sequence[str],
    *,
    remember: bool,
) -> tuple[Finding, ...]:
    memory = _read(path)
    _compare(memory, roster, digest, accepted, signers, path)
    new = _updated(memory, roster, digest, signers)
    if not remember or new == memory:
        return ()
    try:
        write_atomically(path, msgspec.json.format(msgspec.json.encode(new)), mode=0o600)
    except OSError as error:
        return (_not_remembered(path, error),)
    return ()


def _read(path: Path) -> _Memory:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):  # then there is none
        return _Memory()
    except OSError as error:
        raise _unknown(path, (error.strerror or str(error)).lower()) from error
    try:
        return msgspec.json.decode(data, type=_Memory)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _unknown(path, "it is damaged") from None


def _unknown(path: Path, reason: str) -> Undecided:
    return Undecided(
        f"cannot read which version of the roster was seen last from {path}: {reason}", code="CON007"
    )


def _compare(
    memory: _Memory, roster: Roster, digest: str, accepted: Sequence[str], signers: Sequence[str], path: Path
) -> None:
    hint = f"what was seen is in {path}"
    for each in (memory.seen[key] for key in accepted if key in memory.seen):
        if roster.version < each.version:
            message = f"the roster is version {roster.version}, and version {each.version} was seen before"
            raise Refused(message, code="CON003", hint=f"fetch the newest one; {hint}")
        if roster.version == each.version and digest != each.digest:
            message = f"another roster of version {each.version} was seen before"
            raise Refused(message, code="CON004", hint=f"ask the maintainers which one is right; {hint}")
        if roster.version > each.version:
            _require_succession(each, roster, signers)


def _require_succession(before: Sighting, roster: Roster, signers: Sequence[str]) -> None:
    """A new version needs as many signatures of the maintainers before it as these had agreed on."""
    counted = [key for key in signers if key in before.maintainers or not before.maintainers]
    if len(counted) < before.threshold:
        raise Refused(
            f"version {roster.version} has the signatures of {len(counted)} maintainers of version "
            f"{before.version}, which asked for {before.threshold}",
            code="CON002",
        )


def _updated(memory: _Memory, roster: Roster, digest: str, signers: Sequence[str]) -> _Memory:
    sighting = Sighting(
        version=roster.version,
        digest=digest,
        threshold=roster.threshold,
        maintainers=tuple(each.fingerprint for each in roster.maintainers),
    )
    seen = {**memory.seen, **dict.fromkeys(signers, sighting)}
    return memory if len(seen) > _MAX_KEYS else _Memory(seen=seen)


def _not_remembered(path: Path, error: OSError) -> Finding:
    reason = (error.strerror or str(error)).lower()
    return finding("CON008", f"cannot write {path}: {reason}", path=str(path))
