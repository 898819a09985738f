"""Changing what a roster says: one line is changed, nothing else with it, or nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provenance.errors import UsageError
from provenance.signing.keys import fingerprint, load_public_key
from provenance.trust.roster import load_roster
from provenance.trust.roster_amending import add_to_contributor, renew_roster
from provenance.trust.roster_editing import add_contributor, init_roster, revoke_contributor
from provenance.trust.roster_files import read_roster
from provenance.trust.roster_signing import sign_roster

ISSUER = "https://accounts.example.org"


@pytest.fixture
def pub(keys):
    return {name: path.with_name(f"{name}.pub") for name, path in keys.items()}


@pytest.fixture
def made(tmp_path, pub):
    path = init_roster(tmp_path / "roster.toml", maintainers=[pub["ed25519"]])
    add_contributor(path, "alice", keys=[pub["ecdsa-p256"]], voting_right=0.5, valid_until="2030-01-01")
    add_contributor(path, "bob", identities=[("bob@example.org", ISSUER)])
    revoke_contributor(path, "alice", reason="lost", key=pub["ecdsa-p256"])
    return path


def of(path):
    return fingerprint(load_public_key(path))


def test_another_key_stands_beside_the_first_and_nothing_else_changes(made, pub):
    before = read_roster(made).roster
    after = add_to_contributor(made, "alice", keys=[pub["ecdsa-p384"]])
    assert after.version == before.version + 1
    alice, bob = after.contributors
    assert {key.fingerprint for key in alice.keys} == {of(pub["ecdsa-p256"]), of(pub["ecdsa-p384"])}
    assert (alice.voting_right, alice.valid_until) == (0.5, before.contributors[0].valid_until)
    assert alice.revocations == before.contributors[0].revocations
    assert bob == before.contributors[1]
    now = datetime.now(UTC)
    assert alice.standing(None, trusted=False, fingerprint=of(pub["ecdsa-p256"]), now=now) == "revoked"
    assert alice.standing(None, trusted=False, fingerprint=of(pub["ecdsa-p384"]), now=now) == "valid"


def test_who_had_an_identity_alone_gets_a_key_and_another_identity(made, pub):
    after = add_to_contributor(made, "bob", keys=[pub["ecdsa-p384"]], identities=[("b@example.org", ISSUER)])
    bob = after.contributors[1]
    assert [key.fingerprint for key in bob.keys] == [of(pub["ecdsa-p384"])]
    assert {one.identity for one in bob.identities} == {"b@example.org", "bob@example.org"}


def test_arrays_that_people_wrote_are_extended(made, pub):
    text = made.read_text()
    made.write_text(text.replace("identities = [", "identities   =  [  # of bob\n "))
    after = add_to_contributor(made, "bob", identities=[("b@example.org", ISSUER)])
    assert len(after.contributors[1].identities) == 2
    assert "# of bob" in made.read_text()


@pytest.mark.parametrize(
    ("who", "algorithm"), [("bob", "ecdsa-p256"), ("alice", "ecdsa-p256"), ("carol", "ecdsa-p384")]
)
def test_a_key_has_one_owner_and_an_owner_must_be_there(made, pub, who, algorithm):
    before = made.read_bytes()
    with pytest.raises(UsageError):
        add_to_contributor(made, who, keys=[pub[algorithm]])
    assert made.read_bytes() == before


def test_nothing_to_add_is_wrong_use(made):
    with pytest.raises(UsageError):
        add_to_contributor(made, "alice")


def test_a_line_that_cannot_be_changed_is_left(made, pub):
    made.write_text(made.read_text().replace("\nkeys = [", '\n"keys" = ['))
    before = made.read_bytes()
    with pytest.raises(UsageError, match="cannot be changed"):
        add_to_contributor(made, "alice", keys=[pub["ecdsa-p384"]])
    assert made.read_bytes() == before


def test_no_identity_writes_a_line_of_its_own(made):
    with pytest.raises(UsageError):
        add_to_contributor(made, "bob", identities=[('x" }]\n[[contributors]]\nid = "mallory', ISSUER)])
    assert [each.id for each in read_roster(made).roster.contributors] == ["alice", "bob"]


def test_a_roster_is_renewed(made):
    first = renew_roster(made, "2027-06-30")
    assert first.expires == datetime(2027, 6, 30, 23, 59, 59, 999999, UTC)
    made.write_text(made.read_text().replace("expires = 2027-06-30", "expires =  2027-06-30   # next summer"))
    later = renew_roster(made, "2028-06-30T12:00:00Z")
    assert (later.expires, later.version) == (datetime(2028, 6, 30, 12, tzinfo=UTC), first.version + 1)
    assert "# next summer" in made.read_text()
    assert later.contributors == first.contributors


def test_each_maintainer_may_ask_for_the_same_end(tmp_path, keys, pub):
    path = init_roster(
        tmp_path / "r.toml",
        maintainers=[pub["ed25519"], pub["ecdsa-p256"]],
        threshold=2,
        expires="2020-01-01",
    )
    for algorithm in ("ed25519", "ecdsa-p256"):
        sign_roster(path, key=keys[algorithm], expires="2999-01-01")
    found = load_roster(path, roster_keys=[pub["ed25519"], pub["ecdsa-p256"]])
    assert (found.roster.version, len(found.signers)) == (2, 2)


def test_who_may_not_sign_does_not_renew(made, keys):
    before = made.read_bytes()
    with pytest.raises(UsageError, match="none of the maintainers"):
        sign_roster(made, key=keys["ecdsa-p384"], expires="2999-01-01")
    assert made.read_bytes() == before
