"""From the TOML text of a roster to a roster: every key known, every value bounded, nothing named twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any, Final

import msgspec

from policies import PolicyError
from policies.document.fault import Fault, KeyPath, quoted
from policies.document.section import Section
from policies.document.toml_lines import line_of
from policies.document.toml_text import read_toml
from provenance.attestations.fields import CONTRIBUTOR_ID_PATTERN
from provenance.errors import Malformed
from provenance.signing.keys import PublicKey, fingerprint, public_key_from_bytes
from provenance.signing.trust import TrustedIdentity, TrustedKey
from provenance.trust.contributors import Contributor, RevocationEntry
from provenance.trust.roster import Roster

__all__ = [
    "MAX_ROSTER_BYTES",
    "MAX_VERSION",
    "MAX_VOTING_RIGHT",
    "first_moment",
    "last_moment",
    "parse_roster",
]

MAX_ROSTER_BYTES: Final = 8 * 1024 * 1024
MAX_VERSION: Final = 2**53
MAX_VOTING_RIGHT: Final = 1_000_000.0
_MAX_MAINTAINERS: Final = 1_000
_MAX_KEY_CHARACTERS: Final = 8 * 1024
_MAX_REASON: Final = 1_000

_ID: Final = re.compile(CONTRIBUTOR_ID_PATTERN)
_ROSTER_ID: Final = re.compile(r"[0-9a-f]{32}")
_TABLES = ("id", "version", "threshold", "expires", "maintainers", "contributors", "revocations")
_CONTRIBUTOR = ("id", "keys", "identities", "voting_right", "valid_from", "valid_until")
_REVOCATION = ("contributor", "key", "at", "reason")
_DOCUMENT = "a roster"


def parse_roster(text: str, *, name: str) -> Roster:
    """Read a roster's text (at most 8 MiB); ``name`` is how messages call it.

    Raises ``Malformed`` (CON005) with the line of the first fault.
    """
    try:
        return _roster(Section(read_toml(text, max_bytes=MAX_ROSTER_BYTES), (), _TABLES, _DOCUMENT))
    except Fault as fault:
        raise _malformed(name, line_of(text, fault.path), fault.message, fault.hint) from None
    except PolicyError as error:
        raise _malformed(name, error.line, error.message, error.hint) from None


def _malformed(name: str, line: int, message: str, hint: str) -> Malformed:
    place = f"{name}, line {line}" if line else name
    return Malformed(f"{place}: {message}", code="CON005", hint=hint)


def first_moment(value: date | datetime) -> datetime:
    """Return the moment that is meant, or the first one (UTC) of a day."""
    return value if isinstance(value, datetime) else datetime.combine(value, time.min, UTC)


def last_moment(value: date | datetime) -> datetime:
    """Return the moment that is meant, or the last one (UTC) of a day."""
    return value if isinstance(value, datetime) else datetime.combine(value, time.max, UTC)


def _roster(document: Section) -> Roster:
    for key in ("id", "version"):
        if key not in document:
            raise Fault((), f"the roster has no `{key}`", "make rosters with `provenance roster init`")
    if not _ROSTER_ID.fullmatch(document.text("id")):
        raise Fault(("id",), "`id` must be 32 hexadecimal digits", "`provenance roster init` makes one")
    maintainers = tuple(_maintainers(document))
    contributors = tuple(_contributors(document))
    expires = document.moment("expires")
    return Roster(
        id=document.text("id"),
        version=document.number("version", 0, least=1, most=MAX_VERSION),
        threshold=_threshold(document, len(maintainers)),
        expires=last_moment(expires) if expires is not None else None,
        maintainers=maintainers,
        contributors=_with_revocations(document, contributors),
    )


def _threshold(document: Section, maintainers: int) -> int:
    threshold = document.number("threshold", 1, least=1, most=_MAX_MAINTAINERS)
    if maintainers and threshold > maintainers:
        raise Fault(
            ("threshold",), f"{threshold} signatures are asked for, and there are {maintainers} maintainers"
        )
    return threshold


def _maintainers(document: Section) -> Iterator[TrustedKey]:
    seen: dict[str, str] = {}
    for section in document.listed_sections("maintainers", ("key",)):
        if "key" not in section:
            raise Fault(section.path, "a maintainer needs a `key`")
        key = _key(section.values["key"], section.at("key"), "maintainer")
        _once(seen, key.fingerprint, "a maintainer", section.at("key"))
        yield key


def _contributors(document: Section) -> Iterator[Contributor]:
    ids: dict[str, str] = {}
    held: dict[str, str] = {}
    for section in document.listed_sections("contributors", _CONTRIBUTOR):
        contributor = _contributor(section)
        folded = contributor.id.casefold()  # Alice and alice would look like one person
        if folded in ids:
            raise Fault(
                section.at("id"), f"there are two contributors {quoted(ids[folded])}", "give them other ids"
            )
        ids[folded] = contributor.id
        for index, key in enumerate(contributor.keys):
            _once(held, key.fingerprint, quoted(contributor.id), section.at("keys", index))
        for index, one in enumerate(contributor.identities):
            _once(
                held, f"{one.identity} {one.issuer}", quoted(contributor.id), section.at("identities", index)
            )
        yield contributor


def _once(held: dict[str, str], thing: str, owner: str, path: KeyPath) -> None:
    """One key, one person: whoever had two entries would have two votes."""
    if thing in held:
        raise Fault(
            path, f"{quoted(thing)} is the key of {held[thing]} already", "a key belongs to one entry alone"
        )
    held[thing] = owner


def _contributor(section: Section) -> Contributor:
    identifier = section.text("id")
    if not _ID.search(identifier):
        raise Fault(
            section.at("id") if "id" in section else section.path,
            f"{quoted(identifier)} is no id of a contributor",
            "up to 64 letters and digits of ASCII, and . _ @ + - after the first",
        )
    keys = tuple(
        _key(value, section.at("keys", index), identifier)
        for index, value in enumerate(_array(section, "keys"))
    )
    identities = tuple(_identities(section, identifier))
    if not keys and not identities:
        raise Fault(section.path, f"{quoted(identifier)} has neither a key nor an identity")
    start, end = section.moment("valid_from"), section.moment("valid_until")
    valid_from = first_moment(start) if start is not None else None
    valid_until = last_moment(end) if end is not None else None
    if valid_from is not None and valid_until is not None and valid_from > valid_until:
        raise Fault(section.at("valid_until"), "the validity ends before it begins")
    return Contributor(
        id=identifier,
        keys=keys,
        identities=identities,
        voting_right=section.decimal("voting_right", 1.0, least=0.0, most=MAX_VOTING_RIGHT),
        valid_from=valid_from,
        valid_until=valid_until,
    )


def _array(section: Section, key: str) -> Iterable[Any]:
    value = section.values.get(key, [])
    if not isinstance(value, list):
        raise Fault(section.at(key), f"`{key}` must be an array")
    return value


def _identities(section: Section, owner: str) -> Iterator[TrustedIdentity]:
    for each in section.listed_sections("identities", ("identity", "issuer")):
        identity, issuer = each.text("identity"), each.text("issuer")
        if not identity or not issuer:
            raise Fault(each.path, "an identity needs `identity` and `issuer`")
        # A pattern would let several people vote as one, or one as several.
        if "*" in identity or identity.startswith("regex:"):
            raise Fault(
                each.at("identity"), f"{quoted(identity)} is a pattern; a contributor is one identity"
            )
        yield TrustedIdentity(owner, identity, issuer)


def _key(value: Any, path: KeyPath, owner: str) -> TrustedKey:
    """Read a key that stands in the text itself: what lies in another file, no signature here would cover."""
    try:
        key = _public_key(value)
    except ValueError as error:
        raise Fault(
            path,
            f"it is no public key: {error}",
            "write the key itself, as PEM or as a line of OpenSSH, not a path",
        ) from None
    return TrustedKey(owner, key, fingerprint(key))


def _public_key(value: Any) -> PublicKey:
    if not isinstance(value, str):
        raise ValueError("a string is expected")  # noqa: TRY004 (it becomes a fault of the document)
    text = value.strip()
    if len(text) > _MAX_KEY_CHARACTERS:
        raise ValueError("it is too long")
    pem = text.startswith("-----BEGIN PUBLIC KEY-----") and text.endswith("-----END PUBLIC KEY-----")
    # One key a string: of two blocks, one reader might take the first and another the second.
    if (pem and text.count("-----BEGIN") == 1) or (
        "\n" not in text and text.startswith(("ssh-", "ecdsa-sha2-"))
    ):
        return public_key_from_bytes(text.encode())
    raise ValueError("neither one PEM block nor one line of OpenSSH")


def _with_revocations(document: Section, contributors: tuple[Contributor, ...]) -> tuple[Contributor, ...]:
    by_id = {each.id: each for each in contributors}
    found: dict[str, list[RevocationEntry]] = {}
    for section in document.listed_sections("revocations", _REVOCATION):
        identifier, at = section.text("contributor"), section.moment("at")
        contributor = by_id.get(identifier)
        if contributor is None:
            raise Fault(section.path, f"there is no contributor {quoted(identifier)} to revoke")
        reason = section.text("reason")
        if at is None or not reason or len(reason) > _MAX_REASON:
            raise Fault(
                section.path, f"a revocation needs `at` and a `reason` of up to {_MAX_REASON} characters"
            )
        entry = RevocationEntry(at=first_moment(at), reason=reason, key=section.text("key"))
        if entry.key and entry.key not in {key.fingerprint for key in contributor.keys}:
            raise Fault(section.at("key"), f"{quoted(entry.key)} is no key of {identifier}")
        if entry.key in {other.key for other in found.setdefault(identifier, [])}:
            raise Fault(section.path, f"{quoted(identifier)} is revoked twice", "a revocation stands once")
        found[identifier].append(entry)
    return tuple(
        msgspec.structs.replace(each, revocations=tuple(found.get(each.id, ()))) for each in contributors
    )
