"""The least allowlist: what it names passes when it is pasted into a policy, and what cannot pass is said."""

from __future__ import annotations

import argparse
import fractions
import ipaddress
import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest

import provenance
from provenance.scanning.minimal import allowlist_for
from provenance.scanning.paths import expand
from provenance.scanning.verb import scan

ADDRESS = pickle.dumps(ipaddress.ip_address("10.0.0.1"))


@pytest.mark.parametrize(
    "value",
    [
        ipaddress.ip_address("10.0.0.1"),
        {"when": ipaddress.ip_network("10.0.0.0/8"), "args": argparse.Namespace(a=fractions.Fraction(1, 2))},
        [1, 2.5, "text"],
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_the_fragment_makes_the_file_pass(tmp_path: Path, value: Any, protocol: int) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(value, protocol))
    found = allowlist_for(tmp_path / "a.pkl")
    assert found.scan.decision == "accepted", found.scan.findings
    (tmp_path / "policy.toml").write_text("version = 1\n" + found.toml())
    assert scan(tmp_path / "a.pkl", policy=tmp_path / "policy.toml").decision == "accepted"
    assert provenance.minimal_allowlist(tmp_path / "a.pkl") == found.globals


def test_the_policys_own_names_stay(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(ADDRESS)
    (tmp_path / "policy.toml").write_text(
        'version = 1\n[formats]\npickle = "allowlist"\nprofiles = ["numpy"]\nallow_globals = ["one.Two"]\n'
    )
    found = allowlist_for(tmp_path / "a.pkl", policy=tmp_path / "policy.toml")
    assert tomllib.loads(found.toml())["formats"] == {
        "pickle": "allowlist",
        "profiles": ["numpy"],
        "allow_globals": ["one.Two", "ipaddress.IPv4Address"],
    }


def test_what_no_allowlist_can_hold_is_said_and_stays_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04\x8c\x02os\x8c\x08path.sep\x93.")
    found = allowlist_for(tmp_path / "a.pkl")
    assert (found.globals, found.impossible, found.scan.decision) == ((), ("os.path.sep",), "refused")
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02\x82\x01.")
    assert allowlist_for(tmp_path / "a.pkl").scan.decision == "refused"


def test_profiles_that_know_the_names_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"cnumpy.ma.core\nMaskedArray\n.")
    known = dict(allowlist_for(tmp_path / "a.pkl").known)
    assert known["numpy"] == 1
    assert "xgboost" in known  # it builds on numpy's
    assert "tensors" not in known


def test_absent_and_broken_files_are_left_undecided(tmp_path: Path) -> None:
    assert allowlist_for(tmp_path / "absent").scan.decision == "undecided"
    (tmp_path / "a.pkl").write_bytes(ADDRESS[:-5])
    assert allowlist_for(tmp_path / "a.pkl").scan.decision != "accepted"


def test_bytes_in_memory_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.pkl").write_bytes(ADDRESS)
    assert provenance.minimal_allowlist(tmp_path / "**" / "*.pkl") == ("ipaddress.IPv4Address",)
    assert allowlist_for("-", contents={"-": ADDRESS}).globals == ("ipaddress.IPv4Address",)


def test_patterns_stand_for_what_they_match_and_existing_names_for_themselves(tmp_path: Path) -> None:
    for name in ("b.pkl", "a.pkl", "c[1].pkl"):
        (tmp_path / name).write_bytes(b"N.")
    assert expand([tmp_path / "*.pkl", tmp_path / "a.pkl"]) == [
        str(tmp_path / name) for name in ("a.pkl", "b.pkl", "c[1].pkl")
    ]
    assert expand([tmp_path / "c[1].pkl"]) == [str(tmp_path / "c[1].pkl")]
    assert expand([tmp_path / "x*"]) == [str(tmp_path / "x*")]
    assert scan(tmp_path / "x*").decision == "undecided"
    assert [file.path for file in scan(str(tmp_path / "[ab].pkl")).files] == [
        str(tmp_path / "a.pkl"),
        str(tmp_path / "b.pkl"),
    ]
