"""From evidence to a decision."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from policy_strategies import (
    NOW,
    clean_files,
    errors,
    evidences,
    files,
    harmless_findings,
    policies,
)

from policies import (
    BUILTIN,
    FORMATS,
    GIVEN,
    PICKLE_CARRIERS,
    PICKLE_FORMATS,
    PLAIN_FORMATS,
    Decision,
    Evidence,
    FileEvidence,
    FormatPolicy,
    LineagePolicy,
    Policy,
    SignaturePolicy,
    Signer,
    SignerRule,
    decide,
    finding,
    tolerating_unsigned,
    with_given,
)
from policies.judging.matching import count_distinct


def key(name: str, *satisfies: str, days: int | None = None, fingerprint: str = "") -> Signer:
    return Signer(
        name=name,
        method="key",
        fingerprint=fingerprint or f"SHA256:{name}",
        time=None if days is None else NOW - timedelta(days=days),
        satisfies=satisfies or (name,),
        bundle=f"{name}.sigstore.json",
    )


def signed(*signers: Signer, **fields) -> Evidence:
    return Evidence(subject="model", signers=signers, **fields)


def asking(*accept: str, **fields) -> Policy:
    return Policy(
        name="ours",
        signers=tuple(SignerRule(name=name, keys=(f"{name}.pub",)) for name in accept),
        signatures=SignaturePolicy(accept=accept, **fields),
    )


def judged(policy: Policy, evidence: Evidence, now: datetime = NOW) -> tuple[str, list[str]]:
    decision = decide(policy, evidence, now=now)
    return decision.decision, [found.rule for found in decision.findings]


STRICT = with_given(BUILTIN["strict"], keys=("release.pub",))
ALICE = asking("alice")


# --- who signed


def test_an_accepted_signer_is_enough():
    assert judged(ALICE, signed(key("alice"))) == ("accepted", [])


def test_a_signer_given_on_the_spot_is_enough_where_the_policy_names_none():
    assert judged(BUILTIN["strict"], signed(key("release.pub", GIVEN))) == ("accepted", [])
    assert judged(STRICT, signed(key("release.pub", GIVEN))) == ("accepted", [])


def test_a_signer_given_on_the_spot_does_not_count_for_those_that_the_policy_names():
    assert judged(ALICE, signed(key("release.pub", GIVEN))) == ("refused", ["SIG007"])


def test_nobody_to_trust_is_an_open_question():
    assert judged(BUILTIN["strict"], signed()) == ("undecided", ["POL002"])
    assert judged(BUILTIN["strict"], signed(key("alice"))) == ("undecided", ["POL002"])


@pytest.mark.parametrize(
    ("rule", "decision"), [("SIG001", "undecided"), ("SIG006", "refused"), ("SIG002", "refused")]
)
def test_what_was_found_about_the_signature_is_not_said_twice(rule, decision):
    found = (finding(rule, "found"),)
    for policy in (BUILTIN["strict"], STRICT, ALICE):
        assert judged(policy, signed(findings=found)) == (decision, [rule])


def test_a_warning_does_not_explain_why_nobody_signed():
    found = (finding("SIG019", "another bundle is damaged"),)
    assert judged(ALICE, signed(findings=found)) == ("refused", ["SIG019", "SIG007"])


def test_too_few_signers_are_counted_and_named():
    decision = decide(asking("alice", "bob", threshold=2), signed(key("alice")), now=NOW)
    assert decision.decision == "refused"
    [found] = decision.findings
    assert found.message == "1 of 2 distinct signers signed"
    assert found.notes == ("accepted signers: alice, bob", "verified signatures: alice")


@pytest.mark.parametrize(
    ("signers", "decision"),
    [
        ([key("alice"), key("bob")], "accepted"),
        ([key("alice"), key("alice2", "alice")], "refused"),
        ([key("shared", "alice", "bob")], "refused"),
        ([key("shared", "alice", "bob"), key("alice")], "accepted"),
        ([key("alice"), key("bob", fingerprint="SHA256:alice")], "refused"),
        ([key("alice"), key("carol")], "refused"),
    ],
)
def test_a_threshold_counts_distinct_signers(signers, decision):
    assert judged(asking("alice", "bob", threshold=2), signed(*signers))[0] == decision


# --- when


@pytest.mark.parametrize(
    ("policy_day", "now", "decision"),
    [
        (date(2026, 11, 24), NOW, "accepted"),
        (date(2026, 11, 23), NOW, "refused"),
        (date(2026, 11, 23), datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC), "accepted"),
        (date(2026, 11, 23), datetime(2026, 11, 24, tzinfo=UTC), "refused"),
        (date(2026, 11, 23), datetime(2026, 11, 24, 1, tzinfo=timezone(timedelta(hours=2))), "accepted"),
    ],
)
def test_a_policy_holds_through_its_last_day_in_utc(policy_day, now, decision):
    policy = replace(ALICE, expires=policy_day)
    expected = ["POL001"] if decision == "refused" else []
    assert judged(policy, signed(key("alice")), now) == (decision, expected)


def test_an_expired_policy_refuses_also_what_asks_for_no_signature():
    policy = replace(BUILTIN["harmless"], expires=date(2020, 1, 1))
    assert judged(policy, signed()) == ("refused", ["POL001"])


def test_a_time_without_a_zone_is_no_time():
    with pytest.raises(ValueError, match="zone"):
        decide(ALICE, signed(key("alice")), now=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("signers", "threshold", "decision", "rules"),
    [
        ([key("alice", days=30)], 1, "accepted", []),
        ([key("alice", days=31)], 1, "refused", ["POL003"]),
        ([key("alice")], 1, "undecided", ["POL004"]),
        ([key("alice", days=31), key("bob", days=1)], 1, "accepted", []),
        ([key("alice"), key("bob", days=1)], 1, "accepted", []),
        ([key("alice"), key("bob", days=31)], 1, "undecided", ["POL004"]),
        ([key("alice"), key("bob", days=1)], 2, "undecided", ["POL004"]),
        ([key("alice", days=99), key("bob", days=1)], 2, "refused", ["POL003"]),
        ([key("alice", days=99), key("bob")], 2, "refused", ["POL003"]),
        ([key("alice", days=99)], 2, "refused", ["SIG007"]),
        ([key("alice", days=99), key("mallory", days=1)], 1, "refused", ["POL003"]),
    ],
)
def test_signatures_have_to_be_fresh(signers, threshold, decision, rules):
    policy = asking("alice", "bob", threshold=threshold, max_age_days=30)
    assert judged(policy, signed(*signers)) == (decision, rules)


def test_a_trusted_time_without_a_zone_counts_as_none():
    signer = replace(key("alice"), time=datetime(2026, 11, 24))
    assert judged(asking("alice", max_age_days=30), signed(signer)) == ("undecided", ["POL004"])


def test_the_signature_that_is_too_old_is_named_with_its_time():
    decision = decide(asking("alice", max_age_days=30), signed(key("alice", days=31)), now=NOW)
    [found] = decision.findings
    assert found.message == "the signature of alice is more than 30 days old (2026-10-24T12:00:00+00:00)"
    assert found.path == "alice.sigstore.json"


# --- what the signatures cover


def test_unsigned_files_refuse_and_each_is_named():
    decision = decide(ALICE, signed(key("alice"), unsigned=("b", "a", "a")), now=NOW)
    assert decision.decision == "refused"
    assert [(found.rule, found.path) for found in decision.findings] == [("SIG005", "a"), ("SIG005", "b")]


def test_unsigned_files_can_be_tolerated():
    decision = decide(tolerating_unsigned(ALICE), signed(key("alice"), unsigned=("a",)), now=NOW)
    assert decision.decision == "accepted"
    assert [found.severity for found in decision.findings] == ["warning"]


def test_an_unsigned_file_that_was_reported_is_not_reported_again():
    found = (finding("SIG005", "found", path="a"),)
    assert judged(ALICE, signed(key("alice"), unsigned=("a",), findings=found)) == ("refused", ["SIG005"])


def test_a_warning_does_not_stand_for_the_error_that_the_policy_asks_for():
    found = (finding("SIG005", "found", path="a", severity="warning"),)
    assert judged(ALICE, signed(key("alice"), unsigned=("a",), findings=found)) == (
        "refused",
        ["SIG005", "SIG005"],
    )


def test_uncovered_paths_are_told_by_folder():
    paths = (*(f".git/objects/{number:03}" for number in range(30)), ".gitattributes")
    decision = decide(ALICE, signed(key("alice"), uncovered=paths), now=NOW)
    assert decision.decision == "accepted"
    folder, file = decision.findings
    assert (folder.rule, folder.severity, folder.path) == ("SIG012", "warning", ".git")
    assert "30 files" in folder.message
    assert folder.notes[0] == ".git/objects/000"
    assert folder.notes[-1] == "and 10 more"
    assert (file.path, file.notes) == (".gitattributes", ())


def test_uncovered_paths_can_be_refused():
    policy = asking("alice", uncovered="refuse")
    assert judged(policy, signed(key("alice"), uncovered=(".git/config",))) == ("refused", ["SIG012"])
    assert judged(policy, signed(key("alice"))) == ("accepted", [])


# --- formats


def scanned(kind: str, *found, policy: Policy, path: str = "file") -> tuple[str, list[str]]:
    file = FileEvidence(path=path, format=kind, size=1, findings=found)
    return judged(policy, signed(key("release.pub", GIVEN), files=(file,)))


REFUSING = ("refused", ["PKL001"])
NOT_ACCEPTED = ("refused", ["FMT002"])
OPEN = ("undecided", ["FMT001"])
PASSES = ("accepted", [])
TABLE = {
    "strict": {
        **dict.fromkeys(FORMATS, NOT_ACCEPTED),
        **dict.fromkeys(PLAIN_FORMATS, PASSES),
        **dict.fromkeys((*PICKLE_FORMATS, *PICKLE_CARRIERS), REFUSING),
        "unknown": OPEN,
    },
    "federated": {
        **dict.fromkeys(FORMATS, NOT_ACCEPTED),
        **dict.fromkeys((*PICKLE_FORMATS, *PICKLE_CARRIERS), REFUSING),
        "safetensors": PASSES,
        "unknown": OPEN,
    },
    "training": {
        **dict.fromkeys(FORMATS, NOT_ACCEPTED),
        **dict.fromkeys((*PLAIN_FORMATS, *PICKLE_FORMATS), PASSES),
        "unknown": OPEN,
    },
}
TABLE["ci"] = TABLE["strict"]
TABLE["harmless"] = {**TABLE["training"], "skops": PASSES}


@pytest.mark.parametrize("name", sorted(BUILTIN))
@pytest.mark.parametrize("kind", FORMATS)
def test_what_the_builtin_policies_make_of_each_format(name, kind):
    assert scanned(kind, policy=BUILTIN[name]) == TABLE[name][kind]


def test_a_format_that_nobody_has_heard_of_is_not_accepted():
    assert scanned("exe", policy=STRICT) == NOT_ACCEPTED
    assert scanned("", policy=STRICT) == NOT_ACCEPTED


@pytest.mark.parametrize(("rule", "decision"), [("PKL002", "refused"), ("PKL003", "undecided")])
def test_under_an_allowlist_the_scan_decides(rule, decision):
    found = finding(rule, "found")
    assert scanned("torch", found, policy=BUILTIN["training"]) == (decision, [rule])
    assert scanned("torch", found, policy=BUILTIN["harmless"]) == (decision, [rule])


def test_archives_that_carry_pickles_have_to_be_named_as_well():
    named = replace(STRICT, formats=FormatPolicy(pickle="allowlist", allow=("torchscript",)))
    assert scanned("torchscript", policy=named) == PASSES
    assert scanned("nemo", policy=named) == NOT_ACCEPTED


def test_a_policy_made_in_code_cannot_smuggle_a_pickle_in():
    policy = replace(STRICT, formats=FormatPolicy(pickle="refuse", allow=FORMATS))
    for kind in (*PICKLE_FORMATS, *PICKLE_CARRIERS):
        assert scanned(kind, policy=policy) == REFUSING


def test_unknown_content_passes_where_it_is_allowed_by_name():
    assert scanned("unknown", policy=replace(STRICT, formats=FormatPolicy(allow=("unknown",)))) == PASSES


def test_findings_get_the_path_of_their_file():
    file = FileEvidence(
        path="b.safetensors", format="safetensors", size=1, findings=(finding("FMT003", "broken"),)
    )
    decision = decide(STRICT, signed(key("release.pub", GIVEN), files=(file,)), now=NOW)
    assert [found.path for found in decision.findings] == ["b.safetensors"]


def test_what_the_scan_said_of_the_file_is_not_said_twice():
    assert scanned("pickle", finding("PKL001", "a pickle"), policy=STRICT) == REFUSING
    mild = finding("PKL001", "a pickle", severity="warning")
    assert scanned("pickle", mild, policy=STRICT) == ("refused", ["PKL001", "PKL001"])
    member = finding("PKL001", "a pickle", path="file!data.pkl")
    assert scanned("torch", member, policy=STRICT) == ("refused", ["PKL001", "PKL001"])


# --- lineage


@pytest.mark.parametrize(
    ("require", "lineage", "expected"),
    [
        ("none", "missing", ("accepted", [])),
        ("none", "unasked", ("accepted", [])),
        ("asserted", "asserted", ("accepted", [])),
        ("asserted", "proven", ("accepted", [])),
        ("asserted", "missing", ("undecided", ["LIN001"])),
        ("asserted", "unasked", ("undecided", ["LIN001"])),
        ("proven", "proven", ("accepted", [])),
        ("proven", "asserted", ("refused", ["LIN002"])),
        ("proven", "missing", ("undecided", ["LIN001"])),
        ("proven", "unasked", ("undecided", ["LIN001"])),
    ],
)
def test_lineage(require, lineage, expected):
    policy = replace(ALICE, lineage=LineagePolicy(require=require))
    assert judged(policy, signed(key("alice"), lineage=lineage)) == expected


# --- all together


def test_findings_come_in_a_fixed_order():
    evidence = Evidence(
        subject="model",
        findings=(finding("SIG003", "x", path="z"), finding("SIG003", "x", path="a"), finding("SIG010", "x")),
        unsigned=("u",),
        uncovered=("c",),
        files=(
            FileEvidence(path="q", format="pickle", size=1, findings=(finding("PKL002", "x"),)),
            FileEvidence(path="p", format="unknown", size=1),
        ),
        signers=(key("mallory"),),
        lineage="missing",
        lineage_findings=(finding("LIN002", "x"),),
    )
    policy = replace(ALICE, expires=date(2020, 1, 1), lineage=LineagePolicy(require="proven"))
    found = [(one.rule, one.path) for one in decide(policy, evidence, now=NOW).findings]
    assert found == [
        ("POL001", ""),
        ("SIG010", ""),
        ("SIG003", "a"),
        ("SIG003", "z"),
        ("SIG007", ""),
        ("SIG005", "u"),
        ("SIG012", "c"),
        ("FMT001", "p"),
        ("PKL001", "q"),
        ("PKL002", "q"),
        ("LIN001", ""),
        ("LIN002", ""),
    ]


@pytest.mark.parametrize(("decision", "status"), [("accepted", 0), ("refused", 1), ("undecided", 3)])
def test_exit_status(decision, status):
    assert Decision(decision=decision).exit_status == status


@given(policies(required=st.just(True)), st.dates(date(2026, 1, 1), date(2026, 11, 30)))
def test_empty_evidence_is_never_accepted(policy, day):
    now = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert decide(policy, Evidence(subject="model"), now=now).decision != "accepted"


@given(policies(required=st.just(True)), evidences(harmless_findings, clean_files))
def test_nothing_is_accepted_without_enough_accepted_signers(policy, evidence):
    policy = replace(policy, expires=None, formats=FormatPolicy(), lineage=LineagePolicy())
    accepted = policy.signatures.accept or (GIVEN,)
    enough = count_distinct(evidence.signers, accepted) >= max(1, policy.signatures.threshold)
    decision = decide(policy, evidence, now=NOW)
    assert enough or decision.decision != "accepted"


@given(policies(), evidences(), errors, st.sampled_from(["findings", "lineage_findings", "file"]))
def test_one_more_error_never_makes_anything_accepted(policy, evidence, error, place):
    if place == "file":
        file = FileEvidence(path="new", format="safetensors", size=1, findings=(error,))
        worse = replace(evidence, files=(*evidence.files, file))
    else:
        worse = replace(evidence, **{place: (*getattr(evidence, place), error)})
    assert decide(policy, worse, now=NOW).decision != "accepted"


@given(policies(), evidences(), files)
def test_one_more_file_never_makes_anything_accepted(policy, evidence, file):
    before = decide(policy, evidence, now=NOW).decision
    after = decide(policy, replace(evidence, files=(*evidence.files, file)), now=NOW).decision
    assert after != "accepted" or before == "accepted"


@given(policies(), evidences())
def test_a_stricter_policy_accepts_no_more(policy, evidence):
    signatures = replace(
        policy.signatures,
        threshold=policy.signatures.threshold + 1,
        uncovered="refuse",
        unsigned="refuse",
        required=True,
    )
    formats = replace(policy.formats, pickle="refuse", allow=policy.formats.allow[1:])
    stricter = replace(
        policy, signatures=signatures, formats=formats, lineage=LineagePolicy(require="proven")
    )
    after = decide(stricter, evidence, now=NOW).decision
    assert after != "accepted" or decide(policy, evidence, now=NOW).decision == "accepted"


@given(policies(), evidences())
def test_no_gathered_finding_is_lost_and_the_decision_is_theirs(policy, evidence):
    decision = decide(policy, evidence, now=NOW)
    for found in (*evidence.findings, *evidence.lineage_findings):
        assert found in decision.findings
    for file in evidence.files:
        for found in file.findings:
            assert replace(found, path=found.path or file.path) in decision.findings
    assert (decision.decision == "accepted") == all(found.severity != "error" for found in decision.findings)
    assert decision == decide(policy, evidence, now=NOW)


@given(policies(), evidences(), st.randoms())
def test_the_order_of_signatures_and_names_does_not_matter(policy, evidence, random):
    def shuffled(some):
        return tuple(random.sample(some, len(some)))

    other = replace(
        evidence,
        signers=shuffled(evidence.signers),
        unsigned=shuffled(evidence.unsigned),
        uncovered=shuffled(evidence.uncovered),
    )
    assert decide(policy, other, now=NOW) == decide(policy, evidence, now=NOW)
