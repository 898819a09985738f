"""Rosters as text: what is read, what is refused and in which line, and what the commands write."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import Malformed, UsageError
from provenance.signing.keys import fingerprint, load_public_key
from provenance.trust.roster_editing import add_contributor, init_roster, parse_moment, revoke_contributor
from provenance.trust.roster_files import read_roster
from provenance.trust.roster_text import parse_roster

ID = "0123456789abcdef" * 2


def pem(keys, algorithm="ecdsa-p256"):
    return keys[algorithm].with_name(f"{algorithm}.pub").read_text().strip()


def entry(keys, algorithm="ecdsa-p256", name="alice", more=""):
    return f'[[contributors]]\nid = "{name}"\nkeys = ["""\n{pem(keys, algorithm)}\n"""]\n{more}\n'


def roster(body="", head=f'id = "{ID}"\nversion = 1\n'):
    return parse_roster(head + body, name="r.toml")


def test_a_whole_roster_is_read(keys):
    found = roster(
        f'threshold = 1\n[[maintainers]]\nkey = """{pem(keys, "ed25519")}"""\n'
        + entry(keys, more="voting_right = 2\nvalid_from = 2026-01-01\nvalid_until = 2026-12-31")
        + '[[contributors]]\nid = "bob"\nidentities = [{ identity = "b@x.org", issuer = "https://i.org" }]\n'
        + '[[revocations]]\ncontributor = "bob"\nat = 2026-05-01T10:00:00+02:00\nreason = "left"\n'
    )
    alice, bob = found.contributors
    assert (found.id, found.version, found.threshold, len(found.maintainers)) == (ID, 1, 1, 1)
    assert alice.keys[0].fingerprint == fingerprint(
        load_public_key(keys["ecdsa-p256"].with_name("ecdsa-p256.pub"))
    )
    assert (alice.voting_right, alice.revocations) == (2.0, ())
    assert alice.valid_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert alice.valid_until == datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert bob.revocations[0].at == datetime(2026, 5, 1, 8, tzinfo=UTC)
    assert found.contributor_of(alice.keys[0].fingerprint) is alice
    assert found.contributor("bob") is bob
    assert found.contributor_of("SHA256:" + "0" * 64) is None
    assert {key.name for key in found.trust().keys} == {"alice"}
    assert found.trust().identities[0].name == "bob"


def test_an_openssh_line_is_a_key_too(keys):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = load_public_key(keys["ed25519"].with_name("ed25519.pub"))
    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    found = roster(f'[[contributors]]\nid = "a"\nkeys = ["{line} alice@laptop"]\n')
    assert found.contributors[0].keys[0].fingerprint == fingerprint(key)


WRONG = {
    'colour = "red"': ("line 3", "not a key of a roster"),
    "threshold = 0": ("line 3", "between 1 and"),
    "[[contributors]]\nid = 'al ice'\nkeys = []": ("line 4", "no id of a contributor"),
    "[[contributors]]\nid = '../../x'\nkeys = []": ("line 4", "no id"),
    "[[contributors]]\nid = 'a'": ("line 3", "neither a key nor an identity"),
    "[[contributors]]\nid = 'a'\nkeys = ['keys/alice.pub']": ("line 5", "not a path"),
    "[[contributors]]\nid = 'a'\nkeys = [7]": ("line 5", "no public key"),
    "[[contributors]]\nid = 'a'\nkeys = 'x'": ("line 5", "array"),
    "[[contributors]]\nid = 'a'\nidentities = [{identity = '*@x.org', issuer = 'i'}]": ("line 5", "pattern"),
    "[[contributors]]\nid = 'a'\nidentities = [{identity = 'regex:.+', issuer = 'i'}]": ("line 5", "pattern"),
    "[[contributors]]\nid = 'a'\nidentities = [{identity = 'x'}]": ("line 5", "needs"),
    "[[contributors]]\nid = 'a'\ncolour = 1": ("line 5", "colour"),
    "[[maintainers]]": ("line 3", "needs a `key`"),
    "[[revocations]]\ncontributor = 'nobody'\nat = 2026-01-01\nreason = 'x'": ("line 3", "no contributor"),
}


@pytest.mark.parametrize("body", WRONG)
def test_what_cannot_stand_is_named_with_its_line(body):
    line, message = WRONG[body]
    with pytest.raises(Malformed) as raised:
        roster(body + "\n")
    assert raised.value.code == "CON005"
    assert line in raised.value.message
    assert message in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    "more",
    [
        "voting_right = -1",
        "voting_right = nan",
        "voting_right = inf",
        "voting_right = 1e300",
        "voting_right = true",
        "voting_right = 99999999999999999999999999",
        "valid_from = 2026-01-02\nvalid_until = 2026-01-01",
        "valid_from = 2026-01-02T00:00:00",
        'valid_from = "2026-01-02"',
    ],
)
def test_numbers_and_times_are_bounded(keys, more):
    with pytest.raises(Malformed):
        roster(entry(keys, more=more))


@pytest.mark.parametrize(
    "head",
    [
        "",
        "version = 1\n",
        f'id = "{ID}"\n',
        f'id = "{ID}"\nversion = 0\n',
        'id = "x"\nversion = 1\n',
        f'id = "{ID}"\nversion = true\n',
        "\0",
        "id = ",
        "a" * 100,
    ],
)
def test_a_roster_has_an_id_and_a_version(head):
    with pytest.raises(Malformed):
        roster(head=head)


def test_nobody_stands_twice(keys):
    for second in (entry(keys, "ed25519"), entry(keys, "ed25519", name="ALICE"), entry(keys, name="bob")):
        with pytest.raises(Malformed):
            roster(entry(keys) + second)
    twin = f'[[maintainers]]\nkey = """{pem(keys)}"""\n'
    with pytest.raises(Malformed, match="already"):
        roster(twin + twin)
    revoked = "[[revocations]]\ncontributor = 'alice'\nat = 2026-01-01\nreason = 'x'\n"
    with pytest.raises(Malformed, match="twice"):
        roster(entry(keys) + revoked + revoked)
    one = "identities = [{ identity = 'a@x.org', issuer = 'i' }]"
    with pytest.raises(Malformed, match="already"):
        roster(entry(keys, more=one) + entry(keys, "ed25519", name="bob", more=one))


def test_two_keys_in_one_string_are_not_one_key(keys):
    both = f'[[contributors]]\nid = "a"\nkeys = ["""{pem(keys)}\n{pem(keys, "ed25519")}"""]\n'
    with pytest.raises(Malformed):
        roster(both)


def test_more_signatures_than_maintainers_cannot_be_asked_for(keys):
    with pytest.raises(Malformed, match="2 signatures"):
        roster(f'threshold = 2\n[[maintainers]]\nkey = """{pem(keys)}"""\n')


def test_a_roster_is_bounded_before_it_is_parsed():
    with pytest.raises(Malformed, match="8 MiB"):
        roster("#" * (9 << 20))
    with pytest.raises(Malformed, match="nested"):
        roster("x = " + "[" * 1000)


@given(st.text(max_size=200))
def test_no_text_is_a_fault_of_ours(text):
    try:
        parse_roster(text, name="r")
    except Malformed as error:
        assert error.code == "CON005"


@pytest.fixture
def made(tmp_path, public):
    return init_roster(tmp_path / "roster.toml")


def test_a_change_keeps_comments_and_raises_the_version(made, public):
    made.write_text(made.read_text() + "# a comment of mine")
    assert add_contributor(made, "alice", keys=[public], valid_from="2026-01-01").version == 2
    assert (
        revoke_contributor(
            made, "alice", reason='the "laptop"\\ was stolen', at="2026-05-01T00:00:00Z"
        ).version
        == 3
    )
    text = made.read_text()
    assert "# a comment of mine\n" in text
    assert tomllib.loads(text)["revocations"][0]["reason"] == 'the "laptop"\\ was stolen'
    assert tomllib.loads(text)["contributors"][0]["valid_from"] == date(2026, 1, 1)
    assert read_roster(made).roster.contributors[0].revocations[0].at == datetime(2026, 5, 1, tzinfo=UTC)


def test_one_key_can_be_revoked_and_the_person_stay(made, keys):
    pub = {name: path.with_name(path.name + ".pub") for name, path in keys.items()}
    add_contributor(made, "alice", keys=[pub["ecdsa-p256"], pub["ed25519"]])
    found = revoke_contributor(made, "alice", reason="lost", key=pub["ed25519"])
    assert found.contributors[0].revocations[0].key == fingerprint(load_public_key(pub["ed25519"]))
    with pytest.raises(UsageError, match="no key of alice"):
        revoke_contributor(made, "alice", reason="lost", key=pub["ml-dsa-65"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"contributor_id": "../x"},
        {"contributor_id": "a\nb"},
        {"voting_right": float("nan")},
        {"voting_right": -1.0},
        {"keys": []},
        {"valid_from": "tomorrow"},
        {"valid_from": datetime(2026, 1, 1)},
    ],
)
def test_a_change_that_cannot_stand_leaves_the_file_alone(made, public, wrong):
    before = made.read_bytes()
    arguments = {"contributor_id": "alice", "keys": [public], **wrong}
    with pytest.raises(UsageError):
        add_contributor(made, arguments.pop("contributor_id"), **arguments)
    assert made.read_bytes() == before


def test_a_name_cannot_break_out_of_its_line(made, public):
    add_contributor(made, "alice", keys=[public])
    with pytest.raises(UsageError):
        revoke_contributor(made, "alice", reason='x"\n[[contributors]]\nid = "mallory')
    assert len(read_roster(made).roster.contributors) == 1


def test_a_roster_is_never_overwritten(made):
    with pytest.raises(UsageError, match="exists already"):
        init_roster(made)


def test_a_version_in_a_strange_place_is_left_to_people(tmp_path, public):
    path = tmp_path / "r.toml"
    path.write_text(f'id = "{ID}"\n"version" = 1\n')
    with pytest.raises(UsageError, match="version"):
        add_contributor(path, "alice", keys=[public])


def test_moments():
    assert parse_moment("2026-11-24") == date(2026, 11, 24)
    assert parse_moment("2026-11-24T12:00:00Z") == datetime(2026, 11, 24, 12, tzinfo=UTC)
    for wrong in ("2026-11-24T12:00:00", "24.11.2026", ""):
        with pytest.raises(UsageError):
            parse_moment(wrong)


def test_those_who_add_at_once_lose_nothing(made):
    import threading

    from provenance.signing.keys import generate

    public = [generate("ed25519").public_key() for _ in range(8)]
    threads = [
        threading.Thread(target=add_contributor, args=(made, f"c{index}"), kwargs={"keys": [key]})
        for index, key in enumerate(public)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    found = read_roster(made).roster
    assert (found.version, len(found.contributors)) == (9, 8)
