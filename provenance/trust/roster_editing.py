"""Changing a roster's text: the version is raised and all else stays, comments and history too.

What comes out is parsed before it is written, so no command leaves a roster that the next one could not read.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import serialization

from policies.document.toml_lines import line_of
from provenance.artifacts.atomic import write_atomically
from provenance.errors import Malformed, UsageError
from provenance.signing.keys import PublicKey, fingerprint, load_public_key
from provenance.trust.roster import Roster
from provenance.trust.roster_files import read_roster
from provenance.trust.roster_text import parse_roster

__all__ = [
    "NewContributor",
    "add_contributor",
    "add_contributors",
    "appending",
    "edit_roster",
    "init_roster",
    "parse_edited",
    "parse_moment",
    "public_key_of",
    "revoke_contributor",
    "toml_identity",
    "toml_key",
    "toml_moment",
]

AnyPath = str | PathLike[str]
Moment = str | date | datetime

_HEAD: Final = """\
# A roster: who may contribute, under which keys and with what force. `provenance roster` changes it and signs it;
# every change raises the version and has to be signed anew. Only what stands in this file is signed, so keys do too.
"""
_VERSION: Final = re.compile(r"(\s*version\s*=\s*)([0-9_]+)(\s*(?:#.*)?\r?\n?)")


class NewContributor(NamedTuple):
    """A contributor to be added; an identity is (identity, issuer)."""

    id: str
    keys: Sequence[PublicKey] = ()
    identities: Sequence[tuple[str, str]] = ()
    voting_right: float = 1.0
    valid_from: date | datetime | None = None
    valid_until: date | datetime | None = None


def init_roster(
    path: AnyPath,
    *,
    maintainers: Sequence[AnyPath | PublicKey] = (),
    threshold: int = 1,
    expires: Moment | None = None,
) -> Path:
    """Write a new roster of version 1 without contributors, not signed yet, and return its path.

    ``threshold`` maintainers must sign each version. Where no maintainer is listed, whoever verifies names the keys.
    After the day or moment ``expires`` it counts no more, until it is signed with a later one.
    Raises ``UsageError`` where the file exists, a key cannot be read, or there are fewer maintainers than that.
    """
    path = Path(path)
    keys = [public_key_of(key) for key in maintainers]
    blocks = [f"\n[[maintainers]]\nkey = {toml_key(key)}\n" for key in keys]
    end = f"expires = {toml_moment(parse_moment(expires))}\n" if expires is not None else ""
    head = f'id = "{secrets.token_hex(16)}"\nversion = 1\nthreshold = {threshold:d}\n{end}'
    text = f"{_HEAD}{head}{''.join(blocks)}"
    parse_edited(text, path)
    try:
        write_atomically(path, text.encode(), exclusive=True)
    except FileExistsError:
        raise UsageError(f"{path} exists already", hint="a roster is never overwritten") from None
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def add_contributor(
    path: AnyPath,
    contributor_id: str,
    *,
    keys: Sequence[AnyPath | PublicKey] = (),
    identities: Sequence[tuple[str, str]] = (),
    voting_right: float = 1.0,
    valid_from: Moment | None = None,
    valid_until: Moment | None = None,
) -> Roster:
    """Add a contributor with its keys written into the roster, and return the roster, which must be signed anew.

    Raises ``UsageError`` for an id, a key or a number that cannot stand, and where one of them is listed already.
    """
    new = NewContributor(
        contributor_id,
        [public_key_of(key) for key in keys],
        identities,
        voting_right,
        parse_moment(valid_from) if valid_from is not None else None,
        parse_moment(valid_until) if valid_until is not None else None,
    )
    return add_contributors(path, [new])


def add_contributors(path: AnyPath, new: Sequence[NewContributor]) -> Roster:
    """Add several contributors in one version, all or none; raises as ``add_contributor`` does."""
    return edit_roster(Path(path), appending("".join(_contributor(each) for each in new)))


def revoke_contributor(
    path: AnyPath,
    contributor_id: str,
    *,
    reason: str,
    at: Moment | None = None,
    key: AnyPath | PublicKey | None = None,
    now: datetime | None = None,
) -> Roster:
    """Revoke a contributor, or one ``key`` of it, from a moment on (the present where None); return the roster.

    What a trusted time places before the moment stands; anything else by the contributor is tainted. Raises
    ``UsageError`` where there is no such contributor or it is revoked already.
    """
    moment = parse_moment(at) if at is not None else (now or datetime.now(UTC)).replace(microsecond=0)
    lines = ["", "[[revocations]]", f"contributor = {_text(contributor_id)}"]
    if key is not None:
        revoked = (
            key if isinstance(key, str) and key.startswith("SHA256:") else fingerprint(public_key_of(key))
        )
        lines.append(f"key = {_text(revoked)}")
    lines += [f"at = {toml_moment(moment)}", f"reason = {_text(reason)}", ""]
    return edit_roster(Path(path), appending("\n".join(lines)))


def parse_moment(value: Moment) -> date | datetime:
    """Read a day (2026-11-24) or a moment with its zone (2026-11-24T12:00:00Z); raises ``UsageError``."""
    try:
        if isinstance(value, str):
            text = value.strip()
            value = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{value} is no date", hint="write 2026-11-24, or 2026-11-24T12:00:00Z for a moment"
        ) from None
    if isinstance(value, datetime) and value.tzinfo is None:
        raise UsageError(f"{value} has no time zone", hint="write 2026-11-24T12:00:00Z")
    return value


def edit_roster(path: Path, change: Callable[[str, Roster], str]) -> Roster:
    """Change the text of a roster and raise its version, while no other process of ours does the same."""
    with _alone(path.parent):
        before = read_roster(path)
        text = _raised(change(before.text, before.roster), before.roster, path)
        after = parse_edited(text, path)
        if after.version != before.roster.version + 1:
            raise UsageError(f"cannot raise the version of {path}", hint="raise it by hand")
        try:
            write_atomically(path, text.encode())
        except OSError as error:
            raise _unwritable(path, error) from error
    return after


def appending(block: str) -> Callable[[str, Roster], str]:
    """Return the change that appends a block."""
    return lambda text, _: f"{text}{'' if text.endswith(chr(10)) else chr(10)}{block}"


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unwritable(directory, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _raised(text: str, roster: Roster, path: Path) -> str:
    lines = text.split("\n")
    at = line_of(text, ("version",)) - 1
    match = _VERSION.fullmatch(lines[at])
    if match is None:
        raise UsageError(
            f"cannot raise the version of {path}", hint="write `version = 1` on a line of its own"
        )
    lines[at] = f"{match[1]}{roster.version + 1}{match[3]}"
    return "\n".join(lines)


def _contributor(new: NewContributor) -> str:
    if not math.isfinite(new.voting_right):
        raise UsageError("a voting right is a finite number", hint="1 for a person")
    lines = ["", "[[contributors]]", f"id = {_text(new.id)}"]
    if new.keys:
        lines.append(f"keys = [{', '.join(map(toml_key, new.keys))}]")
    if new.identities:
        lines.append(f"identities = [{', '.join(map(toml_identity, new.identities))}]")
    if new.voting_right != 1.0:
        lines.append(f"voting_right = {float(new.voting_right)!r}")
    if new.valid_from is not None:
        lines.append(f"valid_from = {toml_moment(new.valid_from)}")
    if new.valid_until is not None:
        lines.append(f"valid_until = {toml_moment(new.valid_until)}")
    return "\n".join([*lines, ""])


def toml_moment(value: date | datetime) -> str:
    """Write a day, or a moment with its zone, as TOML."""
    return value.isoformat().replace("+00:00", "Z")


def toml_identity(pair: tuple[str, str]) -> str:
    """Write an identity and its issuer as TOML."""
    return f"{{ identity = {_text(pair[0])}, issuer = {_text(pair[1])} }}"


def toml_key(key: PublicKey) -> str:
    """Write a public key as TOML: its PEM, of several lines."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f'"""\n{pem.decode()}"""'


def _text(value: str) -> str:
    """Write a basic string of TOML, whose escapes are those of JSON; what cannot be printed is refused on reading."""
    return json.dumps(value, ensure_ascii=not value.isprintable())


def public_key_of(key: AnyPath | PublicKey) -> PublicKey:
    """Read a public key from its file, where it is not one already."""
    return load_public_key(Path(key)) if isinstance(key, str | PathLike) else key


def parse_edited(text: str, path: Path) -> Roster:
    """Hold what is to be written against all rules of a roster; what does not fit was asked for wrongly."""
    try:
        return parse_roster(text, name=str(path))
    except Malformed as error:
        raise UsageError(error.message, hint=error.hint) from error


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}")
