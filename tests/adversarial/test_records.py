"""Attacks on signed records: edited, moved, removed, added, relabelled, claimed by another, signed with a past date."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import provenance
from provenance.attestations.contribution import read_contribution
from provenance.errors import Malformed, Refused
from provenance.lineage.record_checks import verify_records
from provenance.lineage.record_proofs import prove_record, verify_proof
from provenance.lineage.statements import leaves_path, open_statement
from provenance.signing.keys import generate, write_key_pair
from provenance.trust.roster import load_roster, standing_finding
from provenance.trust.roster_editing import add_contributor, init_roster, revoke_contributor
from provenance.trust.roster_signing import sign_roster

LINES = [b'{"text": "%d"}' % at for at in range(40)]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    home = tmp_path_factory.mktemp("people")
    for name in ("maintainer", "alice", "mallory"):
        write_key_pair(home / name, generate("ed25519"))
    return home


@pytest.fixture
def roster(tmp_path, people):
    path = init_roster(tmp_path / "roster.toml", maintainers=[people / "maintainer.pub"])
    for name in ("alice", "mallory"):
        add_contributor(path, name, keys=[people / f"{name}.pub"])
    return path


def trusted(roster, people):
    sign_roster(roster, key=people / "maintainer")
    return load_roster(roster, roster_keys=[people / "maintainer.pub"]).roster


@pytest.fixture
def batch(tmp_path) -> Path:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "batch.jsonl"
    path.write_bytes(b"\n".join(LINES) + b"\n")
    return path


def give(path, people, name="alice", claims="alice", **options):
    return provenance.contribute(path, contributor=claims, key=people / name, records="jsonl", **options)


def judge(path, bundle, roster):
    """What a consumer does: who signed, is it who it claims to be, does it stand, are these the records?"""
    signed = open_statement(bundle, roster.trust())
    contribution = read_contribution(signed.statement)
    owner = roster.contributor_of_signer(signed.signer)
    if owner is None or owner.id != contribution.contributor:
        return "CON010"
    problem = standing_finding(owner, signed.signer, claimed=contribution.created_at)
    if problem is not None:
        return problem.rule
    check = verify_records(path, contribution, leaves=leaves_path(bundle))
    return check.findings[0].rule if check.findings else check.decision


def test_the_honest_batch_is_accepted(batch, people, roster):
    assert judge(batch, give(batch, people), trusted(roster, people)) == "accepted"


CHANGES = {
    "edited": [*LINES[:7], b'{"text": "poison"}', *LINES[8:]],
    "moved": [LINES[1], LINES[0], *LINES[2:]],
    "removed": LINES[1:],
    "the last one removed": LINES[:-1],
    "added": [*LINES, b"{}"],
    "added in front": [b"{}", *LINES],
    "one twice": [*LINES, LINES[-1]],
    "joined": [LINES[0] + b" " + LINES[1], *LINES[2:]],
    "a space": [LINES[0] + b" ", *LINES[1:]],
    "emptied": [],
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_done_to_the_records_shows(batch, people, roster, change):
    bundle = give(batch, people, leaves=True)
    batch.write_bytes(b"\n".join(CHANGES[change]))
    assert judge(batch, bundle, trusted(roster, people)) in {"CON014", "CON015"}


def test_the_edited_record_is_named(batch, people, roster):
    bundle = give(batch, people, leaves=True)
    contribution = read_contribution(open_statement(bundle, trusted(roster, people).trust()).statement)
    batch.write_bytes(b"\n".join(CHANGES["edited"]))
    (found,) = verify_records(batch, contribution, leaves=leaves_path(bundle)).findings
    assert found.where == "record 7"
    # A sidecar that was changed with the records names nothing, and decides nothing.
    data = bytearray(leaves_path(bundle).read_bytes())
    data[0] ^= 1
    leaves_path(bundle).write_bytes(data)
    (found,) = verify_records(batch, contribution, leaves=leaves_path(bundle)).findings
    assert (found.rule, found.where) == ("CON014", "")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 10**6), st.sampled_from(["flip", "insert", "delete"]), st.binary(min_size=1, max_size=3)
)
def test_no_change_of_bytes_goes_unnoticed(batch, people, at, kind, some):
    original = b"\n".join(LINES) + b"\n"
    batch.write_bytes(original)
    bundle = give(batch, people)
    statement = json.loads(bundle.read_bytes())
    assert statement
    contribution = _contribution(bundle, people)
    at %= len(original) - 1  # the newline at the end is no part of a record
    changed = {
        "flip": original[:at] + bytes([original[at] ^ (some[0] or 1)]) + original[at + 1 :],
        "insert": original[:at] + some + original[at:],
        "delete": original[:at] + original[at + 1 :],
    }[kind]
    batch.write_bytes(changed)
    assert verify_records(batch, contribution).decision == ("accepted" if changed == original else "refused")


def _contribution(bundle, people):
    from provenance.lineage.statements import trust_of_keys

    return read_contribution(open_statement(bundle, trust_of_keys([people / "alice.pub"])).statement)


def test_crlf_does_not_hide_a_record(batch, people):
    batch.write_bytes(b"\r\n".join(LINES))
    with pytest.raises(Malformed, match="CRLF"):
        give(batch, people)


def test_another_header_does_not_go_above_the_same_rows(tmp_path, people):
    """Swapping two names of columns swaps what every record says."""
    path = tmp_path / "t.csv"
    path.write_text("text,label\nspam,1\nham,0\n")
    bundle = provenance.contribute(path, contributor="alice", key=people / "alice", records="csv")
    contribution = _contribution(bundle, people)
    assert verify_records(path, contribution).decision == "accepted"
    path.write_text("label,text\nspam,1\nham,0\n")
    (found,) = verify_records(path, contribution).findings
    assert found.rule == "CON017"


def test_mallory_claims_the_records_of_alice(batch, people, roster):
    """She signs the same bytes as her own, or under the name of alice: neither makes them alice's, nor hers to give."""
    assert (
        judge(batch, give(batch, people, name="mallory", claims="alice"), trusted(roster, people)) == "CON010"
    )
    assert (
        judge(batch, give(batch, people, name="alice", claims="mallory"), trusted(roster, people)) == "CON010"
    )


def test_two_contributors_cannot_share_a_key(roster, people):
    from provenance.errors import UsageError

    with pytest.raises(UsageError, match="already"):
        add_contributor(roster, "sybil", keys=[people / "alice.pub"])


def test_a_stranger_is_nobody(batch, people, roster, tmp_path):
    write_key_pair(tmp_path / "stranger", generate("ed25519"))
    bundle = provenance.contribute(batch, contributor="alice", key=tmp_path / "stranger", records="jsonl")
    with pytest.raises(Refused) as raised:
        judge(batch, bundle, trusted(roster, people))
    assert raised.value.code == "SIG006"


def test_a_revoked_key_that_dates_back_stays_revoked(batch, people, roster):
    past = datetime.now(UTC) - timedelta(days=400)
    bundle = give(batch, people, now=past)
    revoke_contributor(roster, "alice", reason="stolen", at=(past + timedelta(days=300)).date())
    assert judge(batch, bundle, trusted(roster, people)) == "CON011"


def test_a_date_chosen_to_fit_the_validity_does_not_help(batch, people, roster, tmp_path):
    write_key_pair(tmp_path / "late", generate("ed25519"))
    add_contributor(
        roster, "late", keys=[tmp_path / "late.pub"], valid_from="2020-01-01", valid_until="2020-12-31"
    )
    bundle = provenance.contribute(
        batch,
        contributor="late",
        key=tmp_path / "late",
        records="jsonl",
        now=datetime(2020, 6, 1, tzinfo=UTC),
    )
    assert judge(batch, bundle, trusted(roster, people)) == "CON012"


def test_the_proof_of_another_batch_does_not_hold(batch, people, tmp_path):
    one = _contribution(give(batch, people), people)
    other_path = tmp_path / "other.jsonl"
    other_path.write_bytes(b"\n".join(reversed(LINES)))
    other = _contribution(give(other_path, people), people)
    assert verify_proof(prove_record(batch, 3, one), other).rule == "CON018"


def test_two_leaves_do_not_pass_for_a_record(tmp_path, people):
    """A record whose bytes are the two leaves of an honest batch does not have that batch's root as its leaf."""
    from provenance.artifacts.merkle import leaf_hash

    honest = tmp_path / "honest.jsonl"
    honest.write_bytes(b"a\nb\n")
    bundle = give(honest, people, leaves=True)
    contribution = _contribution(bundle, people)
    leaves = leaves_path(bundle).read_bytes()
    assert leaf_hash(leaves).hex() != contribution.records.merkle_root
    assert b"\n" not in leaves
    (tmp_path / "forged.jsonl").write_bytes(leaves)
    assert verify_records(tmp_path / "forged.jsonl", contribution).findings[0].rule == "CON015"


def test_without_the_salts_the_record_cannot_be_guessed(tmp_path, people):
    """Yes or no: unsalted leaves of both are known to everybody."""
    from provenance.artifacts.merkle import leaf_hash

    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"yes\nno\nyes\nyes\n")
    guesses = {leaf_hash(b"yes"), leaf_hash(b"no")}
    plain = leaves_path(give(path, people, leaves=True)).read_bytes()
    assert {plain[at : at + 32] for at in range(0, len(plain), 32)} == guesses
    salted = leaves_path(give(path, people, leaves=True, salted=True)).read_bytes()
    found = {salted[at : at + 32] for at in range(0, len(salted), 32)}
    assert len(found) == 4
    assert not found & guesses
    # The salts are not published with the statement, and a copy is not readable by others.
    assert not list((tmp_path / ".provenance").glob("*.salts"))


def test_more_records_than_were_signed_are_not_read(tmp_path, people):
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"a\n")
    contribution = _contribution(give(path, people), people)
    path.write_bytes(b"a\n" * 5_000_000)
    (found,) = verify_records(path, contribution).findings
    assert (found.rule, found.message) == ("CON015", "there are more than 1 records")


def test_a_link_does_not_lead_out_of_the_batch(tmp_path, people):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.jsonl").symlink_to("/etc/passwd")
    with pytest.raises(Refused) as raised:
        give(folder, people)
    assert raised.value.code == "ART001"
