"""Which claims count for a round: pure data, one attack a test."""

from __future__ import annotations

import msgspec

from provenance.aggregation.rounds.claims import Claim, RoundName, agreed, select

ROUND = RoundName("task", 3)
BASE = "b" * 64


def claim(contributor: str, digest: str, **changes: object) -> Claim:
    plain = Claim(
        contributor=contributor,
        fingerprint=f"SHA256:{contributor}",
        digest=digest,
        round=ROUND,
        base=BASE,
        form="weights",
        statement=f"{contributor}-{digest}",
        where=f"{contributor}.sigstore.json",
    )
    return msgspec.structs.replace(plain, **changes)


def chosen(*claims: Claim, files: str = "d1 d2 d3 d4"):
    return select(
        claims,
        name=ROUND,
        base=BASE,
        form="weights",
        files={digest: f"{digest}.safetensors" for digest in files.split()},
    )


def rules(found) -> list[tuple[str, str]]:
    return [(each.contributor, each.rule) for each in found.rejected]


def test_claims_come_in_the_order_of_their_contributors():
    found = chosen(claim("cora", "d1"), claim("alice", "d2"), claim("bob", "d3"))
    assert [each.contributor for each in found.claims] == ["alice", "bob", "cora"]
    assert not found.rejected


def test_the_same_update_signed_twice_counts_once():
    found = chosen(claim("alice", "d1"), claim("alice", "d1", statement="again"))
    assert len(found.claims) == 1
    assert not found.rejected


def test_two_different_updates_drop_the_contributor_and_keep_the_proof():
    found = chosen(claim("alice", "d1"), claim("alice", "d2"), claim("bob", "d3"))
    assert [each.contributor for each in found.claims] == ["bob"]
    assert rules(found) == [("alice", "AGG007"), ("alice", "AGG007")]
    assert [(one.digest, other.digest) for one, other in found.equivocations] == [("d1", "d2")]


def test_the_second_update_need_not_be_there_to_prove_equivocation():
    found = chosen(claim("alice", "d1"), claim("alice", "elsewhere"))
    assert not found.claims
    assert rules(found) == [("alice", "AGG007"), ("alice", "AGG007")]


def test_an_update_of_another_round_is_a_replay():
    found = chosen(claim("alice", "d1", round=RoundName("task", 2)))
    assert rules(found) == [("alice", "AGG005")]


def test_an_update_of_another_task_is_a_replay():
    assert rules(chosen(claim("alice", "d1", round=RoundName("other", 3)))) == [("alice", "AGG005")]


def test_old_statements_without_their_files_are_no_findings():
    found = chosen(claim("alice", "old", round=RoundName("task", 2)), claim("alice", "d1"))
    assert [each.digest for each in found.claims] == ["d1"]
    assert not found.rejected


def test_an_update_that_was_signed_for_this_round_too_counts():
    found = chosen(claim("alice", "d1", round=RoundName("task", 2)), claim("alice", "d1"))
    assert [each.digest for each in found.claims] == ["d1"]
    assert not found.rejected


def test_another_base_model_and_another_form_do_not_count():
    found = chosen(claim("alice", "d1", base="c" * 64), claim("bob", "d2", form="delta"))
    assert rules(found) == [("alice", "AGG006"), ("bob", "AGG006")]


def test_a_claim_without_its_file_is_said():
    assert rules(chosen(claim("alice", "nowhere"))) == [("alice", "AGG012")]


def test_two_contributors_may_give_the_same_bytes():
    assert len(chosen(claim("alice", "d1"), claim("bob", "d1")).claims) == 2


def test_a_majority_of_contributors_names_the_round():
    theirs = [claim(name, "d1") for name in ("alice", "bob", "cora")]
    late = [claim(name, "d1", round=RoundName("task", 9)) for name in ("dave", "erin")]
    assert agreed([*theirs, *late]) == (ROUND, BASE, "weights")
    assert agreed([*theirs[:2], *late]) is None
    assert agreed([]) is None


def test_many_statements_of_one_contributor_are_one_voice():
    many = [claim("eve", f"x{number}", round=RoundName("task", 9)) for number in range(50)]
    assert agreed([*many, claim("alice", "d1"), claim("bob", "d2")]) == (ROUND, BASE, "weights")
