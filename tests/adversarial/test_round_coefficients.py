"""A server that lies about how much of a result is whose, and a replay that counts again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from round_world import World, errors

from provenance.aggregation.rounds import round as verb
from provenance.aggregation.rounds import weighing
from provenance.attestations.statement import Statement


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, alice=2.0)


def restated(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None], **options: Any
) -> Path:
    """Sign a round whose statement was changed before it was signed."""
    honest = verb.round_statement

    def lie(*arguments: Any, **more: Any) -> Statement:
        tree = msgspec.json.decode(msgspec.json.encode(honest(*arguments, **more)))
        change(tree["predicate"]["buildDefinition"])
        return msgspec.json.decode(msgspec.json.encode(tree), type=Statement)

    monkeypatch.setattr(verb, "round_statement", lie)
    return world.signed(**options)


def updates_of(definition: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in definition["resolvedDependencies"] if each["annotations"]["role"] == "update"]


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize(
    ("rule", "faulty", "pre"),
    [("mean", 0, ()), ("median", 2, ()), ("krum", 1, ()), ("meamed", 1, ("nnm",)), ("bulyan", 1, ())],
)
def test_what_is_stated_is_what_a_replay_counts(tmp_path, monkeypatch, rule, faulty, pre, sampled):
    if sampled:
        monkeypatch.setattr(weighing, "_ALL", 0)
    world = World(tmp_path)
    world.everybody(bob=world.values(5.0))
    found = world.replay(world.signed(rule=rule, faulty=faulty, pre=pre))
    assert (found.decision, found.findings) == ("accepted", ())
    parts = [each.coefficient for each in found.accepted]
    assert sum(parts) == pytest.approx(1)
    assert found.weighing.kind == ("factor" if rule in ("mean", "krum") else "mean-weight")
    if faulty:
        assert parts[1] <= min(parts[:1] + parts[2:])


@pytest.mark.parametrize("rule", ["mean", "median"])
def test_a_server_that_hides_whose_values_it_took_is_caught(world, monkeypatch, rule):
    world.everybody()

    def swapped(definition):
        one, other = updates_of(definition)[:2]
        one, other = one["annotations"], other["annotations"]
        one["coefficient"], other["coefficient"] = other["coefficient"], one["coefficient"]

    found = world.replay(restated(world, monkeypatch, swapped, rule=rule, faulty=0))
    assert found.decision == "refused"
    assert errors(found) == ["AGG022", "AGG022"]
    assert {each.where for each in found.findings} == {"alice", "bob"}
    assert found.digest == found.recomputed


def test_numbers_of_another_kind_or_from_other_columns_are_refused(world, monkeypatch):
    world.everybody()
    for said in ({"kind": "factor"}, {"kind": "mean-weight", "columns": 7, "of": 1230}, None):

        def other(definition, said=said):
            definition["internalParameters"]["coefficients"] = said

        found = world.replay(restated(world, monkeypatch, other, rule="median"))
        monkeypatch.undo()
        assert errors(found) == ["AGG022"]


def test_a_way_to_count_that_is_not_known_leaves_a_replay_undecided(world, monkeypatch):
    world.everybody()

    def other(definition):
        definition["internalParameters"]["coefficients"]["sampling"] = "as-we-like/1"

    found = world.replay(restated(world, monkeypatch, other, rule="median"))
    assert (found.decision, errors(found)) == ("undecided", ["AGG018"])


@pytest.mark.parametrize("rule", ["mean", "median"])
def test_a_statement_that_leaves_out_whose_the_result_is_does_not_hide_it(world, monkeypatch, rule):
    """Factors may be told without a word what they are; where nothing is told, that is said."""
    world.everybody()

    def older(definition):
        del definition["internalParameters"]["coefficients"]
        for each in updates_of(definition):
            if rule == "median":
                each["annotations"]["coefficient"] = None

    found = world.replay(restated(world, monkeypatch, older, rule=rule, faulty=0))
    told = [(each.rule, each.severity) for each in found.findings]
    assert (found.decision, told) == ("accepted", [("AGG022", "warning")] if rule == "median" else [])
    assert None not in {each.coefficient for each in found.accepted}


def test_a_server_that_gives_one_contributors_voting_right_to_another_is_caught(world, monkeypatch):
    """Every update is named with its own right, but in an order in which the rights are another's."""
    world.everybody(alice=world.values(0.0))
    honest = verb._rights
    monkeypatch.setattr(verb, "_rights", lambda accepted: honest(reversed(tuple(accepted))))

    def reversed_order(definition):
        definition["resolvedDependencies"][1:] = reversed(updates_of(definition))

    result = restated(world, monkeypatch, reversed_order, rule="mean", faulty=0)
    found = world.replay(result)
    assert found.decision == "refused"
    assert "AGG016" in errors(found)


def test_the_order_of_a_statement_decides_nothing(world, monkeypatch):
    world.everybody()

    def reversed_order(definition):
        definition["resolvedDependencies"][1:] = reversed(updates_of(definition))

    found = world.replay(restated(world, monkeypatch, reversed_order, rule="median", faulty=0))
    assert (found.decision, found.findings) == ("accepted", ())


def test_columns_are_chosen_by_what_no_contributor_knows_alone(monkeypatch):
    monkeypatch.setattr(weighing, "_ALL", 0)
    digests = ["aa", "bb", "cc"]
    seed = weighing.sample_for(digests, 10**6).seed
    assert seed == weighing.sample_for(reversed(digests), 10**6).seed
    for place in range(3):
        others = [*digests[:place], "dd", *digests[place + 1 :]]
        assert weighing.sample_for(others, 10**6).seed != seed


def test_an_attacker_who_was_trimmed_everywhere_has_no_part(tmp_path):
    world = World(tmp_path)
    world.everybody(bob={name: 50 + np.abs(values) for name, values in world.values().items()})
    found = world.aggregate("trimmed-mean", 1)
    parts = {each.contributor: each.coefficient for each in found.accepted}
    assert parts.pop("bob") == 0
    assert all(0.1 < part < 0.25 for part in parts.values())
