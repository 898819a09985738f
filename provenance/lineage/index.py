"""The index: claims of many statements in SQLite, looked up by digest; rebuilt from the statements, never the truth.

It lives in memory. What it holds was read from bundles by this process, or by an earlier one of the same user whose
copy bears this user's seal (``index_file``). A signature is verified when its bundle is read: *which key signed* is a
fact, and whether that key is trusted is asked anew each time.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter, itemgetter
from typing import Final, TypeVar

import msgspec

from provenance.errors import ProvenanceError
from provenance.lineage.claims import BROKEN, Claim, Input, read_claim
from provenance.lineage.finding import Place, Stamp, sources_in
from provenance.lineage.importers import unsigned_claims
from provenance.lineage.packing import KeptInputs, pack_claim, pack_inputs, unpack_claim, unpack_input
from provenance.lineage.references import KeyKind, Reference, name_key, same_artifact
from provenance.signing.proofs import proven
from provenance.signing.statements import Keyring, UnverifiedStatement, read_statement

__all__ = ["SCHEMA_VERSION", "Met", "Statements", "reopened"]

# Part of the name of a kept index: another schema is another file.
SCHEMA_VERSION: Final = 6
_SCHEMA: Final = """
CREATE TABLE place(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INT, modified INT, changed INT, inode INT);
CREATE TABLE claim(id INTEGER PRIMARY KEY, place INT, kind TEXT, signer TEXT, hint TEXT, contributor TEXT, facts BLOB,
 inputs BLOB);
CREATE TABLE subject(key BLOB, claim INT, position INT, PRIMARY KEY (key, claim, position)) WITHOUT ROWID;
CREATE TABLE input(key BLOB, claim INT, position INT, PRIMARY KEY (key, claim, position)) WITHOUT ROWID;
CREATE INDEX claim_place ON claim(place);
CREATE INDEX claim_signer ON claim(signer) WHERE signer != '';
CREATE INDEX claim_hint ON claim(hint) WHERE signer = '' AND hint != '';
CREATE INDEX claim_contributor ON claim(contributor) WHERE contributor != '';
CREATE INDEX claim_kind ON claim(kind);
"""
# A file that changed a moment ago may change again within the same tick of the clock.
_SETTLED: Final = 2_000_000_000
# In the column of signers: a known key is named and did not sign.
_FORGED: Final = "!"
_BATCH: Final = 10_000
# SQLite takes so many values in one query, whatever its build.
_VARIABLES: Final = 900
_Value = TypeVar("_Value", int, bytes)
_NEVER: Final = Stamp(-1, 0, 0, 0)


class Met(msgspec.Struct, frozen=True, gc=False):
    """A claim that was looked up: for which of the references asked for, and which subject or input of it that is.

    ``used`` is that input where it was looked up as one: to take it out of the claim would cost more.
    """

    asked: Reference
    claim: Claim
    position: int
    used: Input | None = None


class _Kept:
    """Fetches the inputs of claims; the index is closed once neither it nor such a claim is needed any more."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        weakref.finalize(self, connection.close)

    def __call__(self, number: int) -> bytes:
        query = "SELECT inputs FROM claim WHERE id = ?"
        (packed,) = self._connection.execute(query, (number,)).fetchone()
        return bytes(packed)


class Statements:
    """Claims, looked up by the artifacts that they are about or that they used, by signer, contributor and kind."""

    def __init__(self, connection: sqlite3.Connection | None = None) -> None:
        self.connection = connection or sqlite3.connect(":memory:", check_same_thread=False)
        self._kept = _Kept(self.connection)
        self.connection.isolation_level = None
        self.connection.execute("PRAGMA journal_mode = OFF")
        if connection is None:
            self.connection.executescript(_SCHEMA)
        self._decoded: dict[int, Claim] = {}
        self._rows: dict[str, list[tuple[bytes, int | None, int]]] = {"subject": [], "input": []}

    def __len__(self) -> int:
        (count,) = self.connection.execute("SELECT count(*) FROM claim").fetchone()
        return int(count)

    def about(self, references: Sequence[Reference]) -> list[Met]:
        """Look up the claims of which one of these artifacts is a subject, in the order of artifacts and places."""
        asked = self._asked("subject", references)
        query = "SELECT key, claim, position FROM subject WHERE key IN (%s) ORDER BY key, claim, position"
        rows = [row for some in _batches(sorted(asked)) for row in self._select(query, some)]
        claims = self._claims({number for _, number, _ in rows})
        found = [
            (place, Met(references[place], claims[number], position))
            for key, number, position in rows
            for place in asked[key]
            if same_artifact(references[place], claims[number].subjects[position])
        ]
        return _in_order(found)

    def using(self, references: Sequence[Reference]) -> list[Met]:
        """Look up the claims of which one of these artifacts is an input, in the order of artifacts and places."""
        asked = self._asked("input", references)
        query = (
            "SELECT key, claim, position, facts, inputs FROM input JOIN claim ON claim.id = claim "
            "WHERE key IN (%s) ORDER BY key, claim, position"
        )
        found = []
        for some in _batches(sorted(asked)):
            for key, number, position, facts, inputs in self._select(query, some):
                used = unpack_input(inputs, position)
                for place in asked[key]:
                    if same_artifact(references[place], used.reference):
                        claim = self._decoded.get(number) or self._decode(number, facts, of_some=True)
                        found.append((place, Met(references[place], claim, position, used)))
        return _in_order(found)

    @property
    def has_notes(self) -> bool:
        """Whether any claim is unsigned, or names an input by its name alone."""
        unsigned = self.connection.execute("SELECT 1 FROM claim WHERE kind = 'unsigned' LIMIT 1").fetchone()
        return unsigned is not None or self._holds("input", KeyKind.NAME)

    def by_signer(self, fingerprint: str) -> list[Claim]:
        """Look up what a key signed."""
        return self._all("signer = ? AND signer != ''", fingerprint)

    def by_contributor(self, contributor: str) -> list[Claim]:
        """Look up what names this contributor, whoever signed it."""
        return self._all("contributor = ? AND contributor != ''", contributor)

    def forged(self) -> list[Claim]:
        """Look up what names a known key that did not sign it."""
        return self._all("signer = ?", _FORGED)

    def of_kind(self, kind: str) -> list[Claim]:
        """Look up the claims of a kind."""
        return self._all("kind = ?", kind)

    def refresh(self, places: Iterable[Place], ring: Keyring) -> int:
        """Read what is new or was changed, forget what is gone, and verify what a key now known has signed.

        Returns how many places and claims that concerned.
        """
        query = "SELECT path, id, size, modified, changed, inode FROM place"
        known = {row[0]: row for row in self.connection.execute(query)}
        seen: set[str] = set()
        self.connection.execute("BEGIN")
        changed = 0
        for place in places:
            if place.path in seen:
                continue
            seen.add(place.path)
            before = known.get(place.path)
            if before is None or before[2:] != place.stamp:
                self._forget([before[1]] if before is not None else [])
                self._read(place, ring)
                changed += 1
        for table in self._rows:
            self._flush(table)
        gone = [known[path][1] for path in known.keys() - seen]
        self._forget(gone)
        resolved = self._resolve(ring)
        self.connection.execute("COMMIT")
        return changed + resolved + len(gone)

    def add(self, places: Iterable[Place], ring: Keyring) -> None:
        """Read places that are not indexed yet, and forget nothing."""
        self.connection.execute("BEGIN")
        for place in places:
            if not self.connection.execute("SELECT 1 FROM place WHERE path = ?", (place.path,)).fetchone():
                self._read(place, ring)
        for table in self._rows:
            self._flush(table)
        self.connection.execute("COMMIT")

    def _asked(self, table: str, references: Sequence[Reference]) -> dict[bytes, list[int]]:
        """Give the keys under which references may be found, and the places of those that each is of."""
        bare = self._holds(table, KeyKind.BARE)
        asked: dict[bytes, list[int]] = {}
        for place, each in enumerate(references):
            for key in each.asked_keys(bare=bare):
                asked.setdefault(key, []).append(place)
        return asked

    def _holds(self, table: str, kind: bytes) -> bool:
        """Whether anything is kept under a kind of key."""
        query = f"SELECT 1 FROM {table} WHERE key >= ? AND key < ? LIMIT 1"  # noqa: S608 (of two)
        bounds = (kind, bytes([kind[0] + 1]))
        return self.connection.execute(query, bounds).fetchone() is not None

    def _claims(self, numbers: set[int]) -> dict[int, Claim]:
        """Decode those claims that were not yet; gives all that ever were."""
        query = "SELECT id, facts, inputs IS NOT NULL FROM claim WHERE id IN (%s)"
        for some in _batches(sorted(numbers - self._decoded.keys())):
            for number, facts, of_some in self._select(query, some):
                self._decode(number, facts, of_some=bool(of_some))
        return self._decoded

    def _decode(self, number: int, facts: bytes, *, of_some: bool) -> Claim:
        """Decode a claim, whose inputs are fetched when somebody asks, if it is made of some."""
        inputs = KeptInputs(self._kept, number) if of_some else None
        claim = self._decoded[number] = unpack_claim(facts, inputs)
        return claim

    def _select(self, query: str, values: Sequence[int] | Sequence[bytes]) -> sqlite3.Cursor:
        return self.connection.execute(query % ",".join("?" * len(values)), values)

    def _all(self, condition: str, value: str) -> list[Claim]:
        return sorted(self._where(condition, value).values(), key=attrgetter("where"))

    def _where(self, condition: str, value: str | int) -> dict[int, Claim]:
        """Give the claims that a column selects, by number."""
        query = f"SELECT id FROM claim WHERE {condition}"  # noqa: S608 (constants of this class)
        numbers = [number for (number,) in self.connection.execute(query, (value,))]
        claims = self._claims({*numbers})
        return {number: claims[number] for number in numbers}

    def _read(self, place: Place, ring: Keyring) -> None:
        settled = place.stamp.changed < time.time_ns() - _SETTLED
        cursor = self.connection.execute(
            "INSERT INTO place(path, size, modified, changed, inode) VALUES (?, ?, ?, ?, ?)",
            (place.path, *(place.stamp if settled else _NEVER)),
        )
        for claim in _claims_of(place, ring):
            self._insert(cursor.lastrowid or 0, claim)

    def _insert(self, place: int, claim: Claim) -> None:
        packed = pack_inputs(claim.inputs)
        cursor = self.connection.execute(
            "INSERT INTO claim(place, kind, signer, hint, contributor, facts, inputs) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                place,
                claim.kind,
                _signer(claim),
                claim.hint,
                claim.contributor,
                pack_claim(claim),
                packed or None,
            ),
        )
        for table, rows in self._rows.items():
            rows.extend((key, cursor.lastrowid, position) for key, position in _keys_in(claim, table))
            if len(rows) >= _BATCH:
                self._flush(table)

    def _flush(self, table: str) -> None:
        rows = self._rows[table]
        self.connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)", rows)  # noqa: S608 (of two)
        rows.clear()

    def _forget(self, places: Sequence[int]) -> None:
        for place in places:
            for number, claim in self._where("place = ?", place).items():
                for table in self._rows:
                    self.connection.executemany(
                        f"DELETE FROM {table} WHERE key = ? AND claim = ? AND position = ?",  # noqa: S608 (of two)
                        [(key, number, position) for key, position in _keys_in(claim, table)],
                    )
                del self._decoded[number]
            self.connection.execute("DELETE FROM claim WHERE place = ?", (place,))
            self.connection.execute("DELETE FROM place WHERE id = ?", (place,))

    def _resolve(self, ring: Keyring) -> int:
        """Verify what was read when its key was not known; returns how many claims that concerned."""
        changed = 0
        for hint in ring.by_hint:
            for number, claim in self._where("signer = '' AND hint != '' AND hint = ?", hint).items():
                changed += 1
                with contextlib.suppress(ProvenanceError):
                    self._replace(number, _signed(reopened(claim), claim, ring))
        return changed

    def _replace(self, number: int, claim: Claim) -> None:
        self._decoded.pop(number, None)
        self.connection.execute(
            "UPDATE claim SET signer = ?, facts = ? WHERE id = ?", (_signer(claim), pack_claim(claim), number)
        )


def reopened(claim: Claim) -> UnverifiedStatement:
    """Read the statement of a claim again; raises ``Unreadable`` where it is not what was read before."""
    from provenance.errors import Unreadable

    path, _, line = claim.where.rpartition(":")
    in_lines = line.isdigit() and path.endswith(".jsonl")
    place = Place(path if in_lines else claim.where, "lines" if in_lines else "bundle", _NEVER)
    for source in sources_in(place):
        if source.where == claim.where:
            found = read_statement(source)
            if found.digest == claim.statement:
                return found
    raise Unreadable(f"{claim.where} changed while it was looked at", code="LIN010")


def _in_order(found: list[tuple[int, Met]]) -> list[Met]:
    """Sort by the place of the artifact among those asked about, then by where the claim lies, as any index would."""
    found.sort(key=lambda each: each[1].claim.where)
    found.sort(key=itemgetter(0))
    return [met for _, met in found]


def _claims_of(place: Place, ring: Keyring) -> Iterator[Claim]:
    yield from unsigned_claims(place)
    for source in sources_in(place):
        try:
            unverified = read_statement(source)
            claim = read_claim(unverified)
            if claim is not None:
                yield _signed(unverified, claim, ring)
        except ProvenanceError as error:
            yield Claim(where=source.where, kind=BROKEN, problem=error.message, problem_rule=error.code)


def _signed(unverified: UnverifiedStatement, claim: Claim, ring: Keyring) -> Claim:
    """Tell which of the known keys signed, or that the one did not which the bundle names."""
    candidates = ring.by_hint.get(claim.hint, ()) if claim.hint else ()
    if not candidates:
        return claim
    if proven(unverified.bundle, [each.key for each in candidates], claim.where) is None:
        return msgspec.structs.replace(claim, claimed_signer=candidates[0].fingerprint)
    return msgspec.structs.replace(claim, signer=candidates[0].fingerprint)


def _signer(claim: Claim) -> str:
    return claim.signer or (_FORGED if claim.claimed_signer else "")


def _keys_in(claim: Claim, table: str) -> Iterator[tuple[bytes, int]]:
    """Give the keys of a claim's subjects or inputs, and whose of them.

    A subject is found by its name too, for what nobody signed has nothing else.
    """
    if table == "input":
        for position, each in enumerate(claim.inputs):
            for key in each.reference.keys:
                yield key, position
        return
    for position, subject in enumerate(claim.subjects):
        for key in subject.keys:
            yield key, position
        if subject.sha256 and subject.name:
            yield name_key(subject.name), position


def _batches(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    return (values[start : start + _VARIABLES] for start in range(0, len(values), _VARIABLES))
