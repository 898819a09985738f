"""What stands of what a contributor signed: the time decides only where it is trusted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policies import Signer
from provenance.trust.contributors import Contributor, RevocationEntry, standing_finding


def day(number, month=6):
    return datetime(2026, month, number, 12, tzinfo=UTC)


NOW = day(20)
KEY, OTHER = "SHA256:" + "a" * 64, "SHA256:" + "b" * 64
PLAIN = Contributor(id="alice")
REVOKED = Contributor(id="alice", revocations=(RevocationEntry(at=day(10), reason="stolen"),))
ONE_KEY = Contributor(id="alice", revocations=(RevocationEntry(at=day(10), reason="stolen", key=KEY),))
LATER = Contributor(id="alice", revocations=(RevocationEntry(at=day(25), reason="leaves"),))
BOUNDED = Contributor(id="alice", valid_from=day(5), valid_until=day(15))

CASES = [
    (PLAIN, None, False, "", "valid"),
    (PLAIN, day(1), True, "", "valid"),
    # A revocation taints whatever has no trusted time, whatever date is claimed.
    (REVOKED, day(1), False, "", "revoked"),
    (REVOKED, None, False, "", "revoked"),
    (REVOKED, day(1), True, "", "valid"),
    (REVOKED, day(10), True, "", "revoked"),
    (REVOKED, day(11), True, "", "revoked"),
    (REVOKED, None, True, "", "revoked"),
    # One key.
    (ONE_KEY, day(1), False, KEY, "revoked"),
    (ONE_KEY, day(1), False, OTHER, "valid"),
    (ONE_KEY, day(1), False, "", "revoked"),
    # A revocation that has not taken effect yet.
    (LATER, day(1), False, "", "valid"),
    (LATER, day(26), True, "", "valid"),
    # Validity: a trusted time decides alone; a claim cannot extend it.
    (BOUNDED, day(10), True, "", "valid"),
    (BOUNDED, day(10), False, "", "expired"),
    (BOUNDED, None, False, "", "expired"),
    (BOUNDED, day(4), True, "", "not yet valid"),
    (BOUNDED, day(16), True, "", "expired"),
]


@pytest.mark.parametrize(("contributor", "at", "trusted", "fingerprint", "standing"), CASES)
def test_standing(contributor, at, trusted, fingerprint, standing):
    assert contributor.standing(at, trusted=trusted, fingerprint=fingerprint, now=NOW) == standing


def test_a_past_day_is_judged_by_what_held_then():
    assert REVOKED.standing(None, trusted=False, now=day(9)) == "valid"
    assert REVOKED.standing(None, trusted=False, now=day(10)) == "revoked"
    assert BOUNDED.standing(None, trusted=False, now=day(10)) == "valid"
    assert BOUNDED.standing(day(4), trusted=False, now=day(10)) == "not yet valid"


@pytest.mark.parametrize(
    ("contributor", "time", "claimed", "rule"),
    [
        (PLAIN, None, None, None),
        (REVOKED, day(1), None, None),
        (REVOKED, None, day(1), "CON011"),
        (ONE_KEY, None, day(1), "CON011"),
        (BOUNDED, None, day(10), "CON012"),
        (BOUNDED, day(1), day(10), "CON013"),
    ],
)
def test_findings(contributor, time, claimed, rule):
    signer = Signer(name="alice", method="key", fingerprint=KEY, time=time)
    found = standing_finding(contributor, signer, claimed=claimed, now=NOW)
    assert (found.rule if found else None) == rule
