"""Importing OpenSSH's ``allowed_signers``: principals become contributors with the keys of their lines.

Source: ssh-keygen(1), section ALLOWED SIGNERS (OpenSSH 9.9).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

from provenance.errors import UsageError
from provenance.signing.keys import PublicKey, fingerprint, public_key_from_bytes, read_key_file
from provenance.trust.roster import Roster
from provenance.trust.roster_editing import NewContributor, add_contributors

__all__ = ["Imported", "import_allowed_signers", "parse_allowed_signers"]

# Principals, options, type of the key, base64, comment; an option's value may hold blanks in quotes.
_LINE: Final = re.compile(
    r'(?P<principals>"[^"]+"|\S+)\s+'
    r'(?:(?P<options>(?:[a-z-]+(?:="[^"]*")?,?)+)\s+)??'
    r"(?P<key>(?:ssh-|ecdsa-|sk-)\S+\s+[A-Za-z0-9+/=]+)(?:\s.*)?"
)
_OPTION: Final = re.compile(r'([a-z-]+)(?:="([^"]*)")?')
_TIME: Final = re.compile(r"(\d{8})(?:(\d{4})(\d{2})?)?(Z?)")


class Imported(NamedTuple):
    """The roster after an import (not signed yet), the ids that were added, and what was left out and why."""

    roster: Roster
    added: tuple[str, ...]
    skipped: tuple[str, ...]


class _Entry(NamedTuple):
    id: str
    key: PublicKey
    valid_from: date | datetime | None
    valid_until: date | datetime | None


def import_allowed_signers(path: str | PathLike[str], source: str | PathLike[str]) -> Imported:
    """Add every principal of an ``allowed_signers`` file to a roster, in one version.

    Lines of one principal make one contributor with several keys. Keys of kinds that are not supported here, and
    certificate authorities, are left out and named in ``skipped``. Raises ``UsageError`` for a line that cannot be
    read, a principal that is a pattern or no plain name, and what ``add_contributors`` refuses.
    """
    data = read_key_file(Path(source))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{source} is not UTF-8 text") from None
    new, skipped = parse_allowed_signers(text, name=str(source))
    if not new:
        raise UsageError(f"{source} names nobody who could be added", hint="; ".join(skipped[:4]))
    roster = add_contributors(path, new)
    return Imported(roster, tuple(each.id for each in new), skipped)


def parse_allowed_signers(text: str, *, name: str) -> tuple[list[NewContributor], tuple[str, ...]]:
    """Read the lines of an ``allowed_signers`` file; returns contributors, and what was left out and why."""
    entries: dict[str, list[_Entry]] = {}
    skipped: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        where = f"{name}, line {number}"
        found = _entries(stripped, where)
        if isinstance(found, str):
            skipped.append(f"{where}: {found}")
            continue
        for each in found:
            entries.setdefault(each.id, []).append(each)
    return [_contributor(each, name) for each in entries.values()], tuple(skipped)


def _entries(line: str, where: str) -> list[_Entry] | str:
    match = _LINE.fullmatch(line)
    if match is None:
        raise UsageError(f"{where}: it is no line of principals and a key")
    options = dict(_OPTION.findall(match["options"] or ""))
    if "cert-authority" in options:
        return "a certificate authority is no contributor"
    try:
        key = public_key_from_bytes(match["key"].encode())
    except ValueError as error:
        return f"the key cannot be used: {error}"
    start, end = _time(options.get("valid-after", ""), where), _time(options.get("valid-before", ""), where)
    if end is not None and not isinstance(end, datetime):
        end -= timedelta(
            days=1
        )  # OpenSSH names the first day that does not count, a roster the last that does
    return [_Entry(principal, key, start, end) for principal in _principals(match["principals"], where)]


def _principals(text: str, where: str) -> list[str]:
    principals = text.strip('"').split(",")
    if len(principals) > 1:
        raise UsageError(
            f"{where}: one key stands for {len(principals)} principals",
            hint="a key belongs to one contributor: keep one of the names",
        )
    if set(principals[0]) & set("*?!"):
        raise UsageError(f"{where}: {principals[0]} is a pattern; a contributor is one person")
    return principals


def _time(text: str, where: str) -> date | datetime | None:
    if not text:
        return None
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)  # noqa: TRY301 (one message for both)
        day = datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC)
        if match[2] is None and match[4] == "":
            return day.date()
        clock = f"{match[2] or '0000'}{match[3] or '00'}"
        moment = datetime.strptime(f"{match[1]}{clock}", "%Y%m%d%H%M%S")  # noqa: DTZ007 (local, as ssh has it)
    except ValueError:
        raise UsageError(f"{where}: {text} is no time") from None
    return moment.replace(tzinfo=UTC) if match[4] else moment.astimezone()


def _contributor(entries: Iterable[_Entry], name: str) -> NewContributor:
    found = list(entries)
    first = found[0]
    if {(each.valid_from, each.valid_until) for each in found} != {(first.valid_from, first.valid_until)}:
        raise UsageError(
            f"{name}: the keys of {first.id} are valid at different times",
            hint="a roster has one validity for each contributor; import one of the lines",
        )
    keys = {fingerprint(each.key): each.key for each in found}
    return NewContributor(
        first.id, list(keys.values()), valid_from=first.valid_from, valid_until=first.valid_until
    )
