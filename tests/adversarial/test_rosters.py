"""Attacks on rosters: forged, edited, rolled back, forked, with a lowered threshold, with memory poisoned."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance.errors import ProvenanceError, Refused, Undecided
from provenance.signing.keys import generate, write_key_pair
from provenance.trust.memory import state_directory
from provenance.trust.roster import load_roster
from provenance.trust.roster_editing import add_contributor, init_roster, revoke_contributor
from provenance.trust.roster_signing import sign_roster

NAMES = ("ann", "ben", "cat", "alice", "mallory")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    home = tmp_path_factory.mktemp("people")
    for name in NAMES:
        write_key_pair(home / name, generate("ed25519"))
    return home


@pytest.fixture
def roster(tmp_path, people) -> Path:
    """Two of three maintainers must sign; alice may contribute; signed by ann and ben."""
    path = init_roster(
        tmp_path / "roster.toml", maintainers=[people / f"{name}.pub" for name in NAMES[:3]], threshold=2
    )
    add_contributor(path, "alice", keys=[people / "alice.pub"])
    return signed(path, people, "ann", "ben")


def signed(path, people, *names):
    for name in names:
        sign_roster(path, key=people / name)
    return path


def load(path, people, *names, **options):
    return load_roster(path, roster_keys=[people / f"{name}.pub" for name in names or NAMES[:3]], **options)


def copy(path: Path, to: Path) -> Path:
    shutil.copytree(path.parent, to, ignore=shutil.ignore_patterns("copy*"))
    return to / path.name


def code(call):
    with pytest.raises(ProvenanceError) as raised:
        call()
    assert raised.value.exit_status in {1, 3}
    return raised.value.code


def test_enough_signatures_are_accepted(roster, people):
    found = load(roster, people)
    assert found.contributor("alice") is not None
    assert len(found.signers) == 2
    assert found.findings == ()


def test_nobody_signed(roster, people):
    for each in roster.parent.glob("*.sigstore.json"):
        each.unlink()
    with pytest.raises(Undecided):
        load(roster, people)


def test_one_byte_is_edited(roster, people):
    text = roster.read_text()
    for wrong in (
        text.replace("threshold = 2", "threshold = 1"),
        text + "\n",
        text.replace('"alice"', '"alicf"'),
    ):
        roster.write_text(wrong)
        assert code(lambda: load(roster, people)) == "CON002"
    roster.write_text(text)
    load(roster, people)


def test_mallory_makes_a_roster_of_her_own_with_the_same_id(roster, people, tmp_path):
    text = roster.read_text()
    forged = init_roster(tmp_path / "forged.toml", maintainers=[people / "mallory.pub"])
    same_id = text.split('id = "')[1][:32]
    forged.write_text(forged.read_text().replace(forged.read_text().split('id = "')[1][:32], same_id))
    add_contributor(forged, "mallory", keys=[people / "mallory.pub"])
    signed(forged, people, "mallory")
    assert code(lambda: load(forged, people)) == "CON002"
    # Whoever is made to look at it under her key does not lose the real one.
    for _ in range(5):
        add_contributor(forged, f"m{_}", keys=[generate("ed25519").public_key()])
    load(signed(forged, people, "mallory"), people, "mallory")
    load(roster, people)


def test_one_signature_copied_twice_is_one(roster, people):
    ben = next(each for each in roster.parent.glob("*.sigstore.json") if b'"' in each.read_bytes())
    others = [each for each in roster.parent.glob("*.sigstore.json") if each != ben]
    for each in others:
        each.write_bytes(ben.read_bytes())
    assert code(lambda: load(roster, people)) == "CON002"


def test_a_signature_of_another_roster_does_not_count(roster, people, tmp_path):
    (tmp_path / "other").mkdir()
    other = init_roster(
        tmp_path / "other" / "roster.toml", maintainers=[people / "ann.pub", people / "ben.pub"]
    )
    signed(other, people, "ann", "ben")
    for each in other.parent.glob("*.sigstore.json"):
        shutil.copy(each, roster.parent / each.name)
    assert code(lambda: load(roster, people)) == "CON002"


def test_an_ordinary_signature_of_the_file_is_no_signature_of_a_roster(roster, people):
    """What a maintainer signed as data must not make it a roster."""
    import provenance

    for each in list(roster.parent.glob("*.sigstore.json")):
        provenance.sign(roster, key=people / "ann", signature=each)
    assert code(lambda: load(roster, people)) == "CON002"


def test_rollback_brings_back_nobody(roster, people, tmp_path):
    old = copy(roster, tmp_path / "copy")
    load(roster, people)
    revoke_contributor(roster, "alice", reason="her laptop was stolen")
    load(signed(roster, people, "ann", "ben"), people)
    assert code(lambda: load(old, people)) == "CON003"
    assert code(lambda: load(old, people, remember=False)) == "CON003"
    # Under other names of the file, and with fewer keys named, it is the same roster.
    moved = old.parent / "moved.toml"
    for each in (old, *old.parent.glob("roster.toml.*")):
        shutil.copy(each, moved.with_name(each.name.replace("roster.toml", "moved.toml")))
    assert code(lambda: load(moved, people, "ann", "ben")) == "CON003"


def test_maintainers_show_two_faces(roster, people, tmp_path):
    fork = copy(roster, tmp_path / "copy")
    load(roster, people)
    fork.write_text(fork.read_text().replace("version = 2", "version = 1"))
    add_contributor(fork, "mallory", keys=[people / "mallory.pub"])
    for each in fork.parent.glob("*.sigstore.json"):
        each.unlink()
    assert code(lambda: load(signed(fork, people, "ann", "ben"), people)) == "CON004"


def test_one_maintainer_cannot_lower_the_threshold(roster, people):
    load(roster, people)
    roster.write_text(roster.read_text().replace("threshold = 2", "threshold = 1"))
    add_contributor(roster, "mallory", keys=[people / "mallory.pub"])
    assert code(lambda: load(signed(roster, people, "ann"), people)) == "CON002"
    load(signed(roster, people, "ben"), people)  # two of those who had agreed on two can
    add_contributor(roster, "dan", keys=[generate("ed25519").public_key()])
    load(signed(roster, people, "cat"), people)


def test_one_maintainer_cannot_throw_the_others_out(roster, people):
    load(roster, people)
    text = roster.read_text()
    begin, end = text.index("[[maintainers]]"), text.index("[[contributors]]")
    ann = text[begin:end].split("[[maintainers]]")[1]
    text = text[:begin] + "[[maintainers]]" + ann + text[end:]
    roster.write_text(text.replace("threshold = 2", "threshold = 1").replace("version = 2", "version = 3"))
    for each in roster.parent.glob("*.sigstore.json"):
        each.unlink()
    assert code(lambda: load(signed(roster, people, "ann"), people)) == "CON002"


def test_whoever_meets_a_roster_first_can_ask_for_more(roster, people):
    roster.write_text(roster.read_text().replace("threshold = 2", "threshold = 1"))
    for each in roster.parent.glob("*.sigstore.json"):
        each.unlink()
    signed(roster, people, "ann")
    assert code(lambda: load(roster, people, threshold=2)) == "CON002"


def test_fewer_keys_named_than_needed_never_suffice(roster, people):
    assert code(lambda: load(roster, people, "ann")) == "CON002"
    assert code(lambda: load_roster(roster)) == "CON001"


def test_a_stranger_named_by_mistake_is_no_maintainer(roster, people):
    roster.write_text(roster.read_text())
    from provenance.errors import UsageError

    with pytest.raises(UsageError):
        sign_roster(roster, key=people / "mallory")
    assert code(lambda: load(roster, people, "ann", "mallory")) == "CON002"


def test_an_old_roster_cannot_be_shown_for_ever(tmp_path, people):
    path = init_roster(tmp_path / "r.toml", maintainers=[people / "ann.pub"], expires="2026-06-30")
    signed(path, people, "ann")
    assert load(path, people, "ann", now=datetime(2026, 6, 30, 23, tzinfo=UTC)).roster.version == 1
    assert code(lambda: load(path, people, "ann", now=datetime(2026, 7, 1, tzinfo=UTC))) == "CON021"
    path.write_text(path.read_text().replace("expires = 2026-06-30", "expires = 2036-06-30"))
    assert code(lambda: load(path, people, "ann")) == "CON002"


def test_a_maintainer_does_not_sign_two_texts_of_one_version_unawares(roster, people):
    from provenance.errors import UsageError

    roster.write_text(roster.read_text() + "# edited by hand\n")
    with pytest.raises(UsageError, match="version 2 before"):
        signed(roster, people, "ann")
    roster.write_text(roster.read_text().replace("version = 2", "version = 3"))
    load(signed(roster, people, "ann", "ben"), people)


def test_what_strangers_put_beside_a_roster_is_not_even_read(roster, people):
    for at in range(3):
        os.mkfifo(roster.with_name(f"{roster.name}.{at:012x}.sigstore.json"))
    load(roster, people)


def test_a_key_that_is_named_and_no_maintainer_does_not_count(roster, people):
    """A verifier names one key too many, as one does who lists all keys that it knows."""
    from provenance.signing.keys import load_private_key
    from provenance.signing.statements import sign_statement
    from provenance.trust import roster_signing
    from provenance.trust.roster_files import read_roster

    found = read_roster(roster)
    mallory = load_private_key(people / "mallory")
    bundle = sign_statement(roster_signing._statement(roster, found.data, found.roster), mallory)
    by = roster_signing.fingerprint(mallory.public_key())
    roster_signing.roster_bundle_path(roster, by).write_bytes(bundle)
    assert code(lambda: load(roster, people, "ann", "mallory")) == "CON002"


def test_who_looks_at_the_memory_waits_for_who_writes_it(roster, people):
    load(roster, people)
    (lock,) = (state_directory() / "rosters").glob("*.lock")
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = threading.Thread(target=load, args=(roster, people))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join()


def test_damaged_memory_is_not_taken_for_no_memory(roster, people):
    load(roster, people)
    (memory,) = (state_directory() / "rosters").glob("*.json")
    for wrong in (b"", b"{}x", b'{"schema":1,"seen":{"x":{}}}', b"[" * 5000, b"\xff"):
        memory.write_bytes(wrong)
        assert code(lambda: load(roster, people)) == "CON007"
    memory.unlink()
    memory.mkdir()
    assert code(lambda: load(roster, people)) == "CON007"


def test_a_memory_that_cannot_be_written_is_said(roster, people, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert [found.rule for found in load(roster, people).findings] == ["CON008"]


def test_many_at_once_remember_the_newest(roster, people, tmp_path):
    versions = [copy(roster, tmp_path / "copy0")]
    for index in range(1, 6):
        add_contributor(roster, f"c{index}", keys=[generate("ed25519").public_key()])
        signed(roster, people, "ann", "ben")
        versions.append(copy(roster, tmp_path / f"copy{index}"))
    seen = []

    def look(path):
        try:
            seen.append(load(path, people).roster.version)
        except Refused as error:
            assert error.code == "CON003"

    threads = [threading.Thread(target=look, args=(path,)) for path in versions * 2]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert max(seen) == 7
    (memory,) = (state_directory() / "rosters").glob("*.json")
    assert {each["version"] for each in json.loads(memory.read_text())["seen"].values()} == {7}
    assert os.stat(memory).st_mode & 0o077 == 0


def test_strange_files_in_place_of_a_roster(people, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "latin").write_bytes(b"\xff")
    (tmp_path / "big").write_bytes(b"#" * (9 << 20))
    assert code(lambda: load(tmp_path / "fifo", people)) == "CON006"
    assert code(lambda: load(tmp_path / "absent", people)) == "CON006"
    assert code(lambda: load(tmp_path, people)) == "CON006"
    assert code(lambda: load(tmp_path / "latin", people)) == "CON005"
    assert code(lambda: load(tmp_path / "big", people)) == "CON005"
