"""Changing what a roster says already: another key for a contributor, a later end for the roster.

One line of the text is changed. What that makes of the roster is compared with what was asked for before it is
written, so a line that means something else than it seems to is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from policies.document.fault import KeyPath
from policies.document.toml_lines import all_lines
from provenance.errors import UsageError
from provenance.signing.keys import PublicKey, fingerprint
from provenance.trust.roster import Contributor, Roster
from provenance.trust.roster_editing import (
    edit_roster,
    parse_edited,
    parse_moment,
    public_key_of,
    toml_identity,
    toml_key,
    toml_moment,
)
from provenance.trust.roster_files import read_roster
from provenance.trust.roster_text import last_moment

__all__ = ["add_to_contributor", "renew_roster"]

AnyPath = str | PathLike[str]

_EXPIRES: Final = re.compile(r"(\s*expires\s*=\s*)[0-9][0-9TtZz:.+\- ]*?(\s*(?:#.*)?)")


class _Entry(NamedTuple):
    rest: Contributor
    keys: list[str]
    identities: list[tuple[str, str]]


class _Plain(NamedTuple):
    """A roster as what can be compared: keys by their fingerprints."""

    head: tuple[object, ...]
    maintainers: list[str]
    contributors: list[_Entry]


def add_to_contributor(
    path: AnyPath,
    contributor_id: str,
    *,
    keys: Sequence[AnyPath | PublicKey] = (),
    identities: Sequence[tuple[str, str]] = (),
) -> Roster:
    """Give a contributor who is listed already more keys or identities; the roster must be signed anew.

    The keys that it has stay, so that what they signed stands; ``revoke_contributor`` shuts one of them out. Raises
    ``UsageError`` where there is no such contributor, nothing to add, or one of them is listed already.
    """
    if not keys and not identities:
        raise UsageError("there is nothing to add", hint="name a key or an identity")
    more = [public_key_of(key) for key in keys]

    def change(text: str, roster: Roster) -> str:
        number = _number_of(contributor_id, roster, path)
        changed = _listed(text, number, "keys", list(map(toml_key, more)))
        changed = _listed(changed, number, "identities", list(map(toml_identity, identities)))
        wanted = _plain(roster)
        entry = wanted.contributors[number]
        entry.keys[:0] = map(fingerprint, more)
        entry.identities[:0] = identities
        if _plain(parse_edited(changed, Path(path))) != wanted:
            raise _by_hand(f"the entry of {contributor_id}")
        return changed

    return edit_roster(Path(path), change)


def renew_roster(path: AnyPath, expires: str | date | datetime) -> Roster:
    """Set the day or moment until which a roster counts; where that is new, it must be signed anew.

    Raises ``UsageError`` for what is no date, or where the line of the present one cannot be changed.
    """
    moment = parse_moment(expires)

    def change(text: str, roster: Roster) -> str:
        lines = text.split("\n")
        found = all_lines(text)
        line = f"expires = {toml_moment(moment)}"
        if roster.expires is None:
            lines.insert(found["version",], line)
        else:
            at = found["expires",] - 1
            match = _EXPIRES.fullmatch(lines[at])
            if match is None:
                raise _by_hand("the line of `expires`")
            lines[at] = f"{match[1]}{toml_moment(moment)}{match[2]}"
        changed = "\n".join(lines)
        renewed = msgspec.structs.replace(roster, expires=last_moment(moment))
        if _plain(parse_edited(changed, Path(path))) != _plain(renewed):
            raise _by_hand("the line of `expires`")
        return changed

    present = read_roster(Path(path)).roster
    # Each of several maintainers may ask for the same: the first one changes it.
    return present if present.expires == last_moment(moment) else edit_roster(Path(path), change)


def _number_of(contributor_id: str, roster: Roster, path: AnyPath) -> int:
    for number, each in enumerate(roster.contributors):
        if each.id == contributor_id:
            return number
    raise UsageError(
        f"there is no contributor {contributor_id!r} in {path}", hint="add it without --existing"
    )


def _listed(text: str, number: int, name: str, values: Sequence[str]) -> str:
    """Write values before those in an array of a contributor; into a new array below its id where it has none."""
    if not values:
        return text
    found: dict[KeyPath, int] = all_lines(text)
    lines = text.split("\n")
    at = found.get(("contributors", number, name))
    if at is None:
        lines.insert(found["contributors", number, "id"], f"{name} = [{', '.join(values)}]")
        return "\n".join(lines)
    match = re.fullmatch(rf"(\s*{name}\s*=\s*\[)(.*)", lines[at - 1])
    if match is None:
        raise _by_hand(f"the line of `{name}`")
    lines[at - 1] = f"{match[1]}{', '.join(values)}, {match[2]}"
    return "\n".join(lines)


def _plain(roster: Roster) -> _Plain:
    return _Plain(
        (roster.id, roster.version, roster.threshold, roster.expires),
        [key.fingerprint for key in roster.maintainers],
        [
            _Entry(
                msgspec.structs.replace(each, keys=(), identities=()),
                [key.fingerprint for key in each.keys],
                [(one.identity, one.issuer) for one in each.identities],
            )
            for each in roster.contributors
        ],
    )


def _by_hand(what: str) -> UsageError:
    return UsageError(
        f"{what} cannot be changed as it is written", hint="change it by hand and raise `version`"
    )
