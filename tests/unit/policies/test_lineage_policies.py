"""What a policy makes of the ends of a lineage: gaps, licences, sources, waivers, forbidden contributors."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from policies import (
    ContributorPolicy,
    Evidence,
    LineageEnd,
    LineagePolicy,
    Policy,
    SignaturePolicy,
    Waiver,
    decide,
    finding,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOURCE = LineageEnd(
    path="alice.jsonl",
    status="proven",
    digest="a" * 64,
    dir_hash="b" * 64,
    contributor="alice",
    licence="CC-BY-4.0",
    vouchers=("alice", "https://example.org/alice"),
    via=("model", "alice.jsonl"),
)
GAP = LineageEnd(path="raw.csv", status="missing", digest="c" * 64, via=("model", "raw.csv"))
NOTE = LineageEnd(path="notes.csv", status="asserted")


def judged(*ends, require="proven", forbid=(), findings=(), **lineage):
    worst = min((end.status for end in ends), key=("missing", "asserted", "proven").index, default="missing")
    policy = Policy(
        name="x",
        signatures=SignaturePolicy(required=False, threshold=0),
        lineage=LineagePolicy(require=require, **lineage),
        contributors=ContributorPolicy(forbid=forbid),
    )
    evidence = Evidence(subject="model", lineage=worst, lineage_ends=ends, lineage_findings=findings)
    found = decide(policy, evidence, now=NOW)
    return found.decision, [each.rule for each in found.findings]


@pytest.mark.parametrize(
    ("ends", "require", "expected"),
    [
        ((SOURCE,), "proven", ("accepted", [])),
        ((SOURCE, GAP), "proven", ("undecided", ["LIN001"])),
        ((SOURCE, NOTE), "proven", ("refused", ["LIN002"])),
        ((NOTE,), "asserted", ("accepted", [])),
        ((GAP, NOTE), "asserted", ("undecided", ["LIN001"])),
        ((GAP, NOTE), "none", ("accepted", [])),
        ((), "proven", ("undecided", ["LIN001"])),
    ],
)
def test_each_end_counts(ends, require, expected):
    assert judged(*ends, require=require) == expected


def test_a_gap_is_told_with_the_way_to_it():
    policy = Policy(name="x", lineage=LineagePolicy(require="proven"))
    evidence = Evidence(subject="model", lineage="missing", lineage_ends=(GAP,))
    (found,) = (each for each in decide(policy, evidence, now=NOW).findings if each.rule == "LIN001")
    assert found.where == "model <- raw.csv"
    assert "raw.csv" in found.message


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("CC-BY-4.0", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND CC-BY-4.0", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND X", False),
        ("", False),
        ("MIT OR", False),
        (" AND ", False),
    ],
)
def test_licences(licence, accepted):
    found = judged(replace(SOURCE, licence=licence), licences=("MIT", "CC-BY-4.0"))
    assert found == (("accepted", []) if accepted else ("refused", ["LIN009"]))


@pytest.mark.parametrize(
    ("patterns", "accepted"),
    [
        (("alice",), True),
        (("bob", "https://example.org/*"), True),
        (("bob",), False),
        (("https://evil.example/*",), False),
    ],
)
def test_sources(patterns, accepted):
    assert judged(SOURCE, sources=patterns) == (("accepted", []) if accepted else ("refused", ["LIN011"]))


def test_licences_and_sources_count_where_no_lineage_is_required():
    assert judged(SOURCE, require="none", licences=("MIT",)) == ("refused", ["LIN009"])
    assert judged(GAP, require="none", licences=("MIT",)) == ("accepted", [])


def waiver(**options):
    return Waiver(reason="bought in 2019", **{"expires": date(2026, 11, 24), **options})


@pytest.mark.parametrize("options", [{"path": "raw.csv"}, {"digest": f"sha256:{'c' * 64}"}])
def test_a_waiver_closes_one_gap_until_its_last_day(options):
    assert judged(SOURCE, GAP, waivers=(waiver(**options),)) == ("accepted", ["LIN014"])
    assert judged(GAP, NOTE, waivers=(waiver(**options),)) == ("refused", ["LIN014", "LIN002"])
    late = waiver(**options, expires=date(2026, 11, 23))
    assert judged(SOURCE, GAP, waivers=(late,)) == ("undecided", ["LIN015", "LIN001"])
    assert judged(SOURCE, GAP, waivers=(late, waiver(**options))) == ("accepted", ["LIN014"])


def test_a_waiver_for_something_else_closes_nothing():
    other = (
        waiver(path="other.csv"),
        waiver(digest=f"sha256:{'d' * 64}"),
        waiver(digest=f"dirHash:{'c' * 64}"),
    )
    assert judged(GAP, waivers=other) == ("undecided", ["LIN001"])


def test_a_waiver_excuses_no_forbidden_contributor_and_nothing_wrong():
    waivers = (waiver(path="alice.jsonl"),)
    assert judged(SOURCE, forbid=("alice",), waivers=waivers) == ("refused", ["LIN012"])
    wrong = replace(SOURCE, status="asserted", rule="CON011", reason="revoked")
    error = finding("CON011", "revoked")
    decision, rules = judged(wrong, waivers=waivers, findings=(error,))
    assert (decision, rules[-1]) == ("refused", "CON011")


def test_an_end_that_claims_a_finding_of_its_own_needs_it():
    """Nothing passes because a finding got lost."""
    assert judged(replace(GAP, rule="LIN006")) == ("undecided", ["LIN001"])
    assert judged(replace(NOTE, rule="CON011")) == ("refused", ["LIN002"])


def test_a_flood_of_gaps_is_counted():
    ends = tuple(replace(GAP, path=str(number)) for number in range(150))
    decision, rules = judged(*ends)
    assert (decision, len(rules)) == ("undecided", 101)
