"""Every attack of the red team against every rule: none goes beyond the bound, none gets past the checks."""

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import main
from provenance.aggregation import RULES, aggregate_arrays, guarantee
from provenance.aggregation.attacks import ATTACKS
from provenance.aggregation.attacks.logistic import gradient, poisoned_samples, training_round
from provenance.aggregation.redteam import red_team
from provenance.aggregation.updates import UnusableUpdateError

# monna's constant is for an honest first row, and here the attackers stand first
BOUNDED = [
    name
    for name in RULES
    if name not in ("mean", "monna")
    and (name == "bounded-influence" or guarantee(name, n=30, faulty=4).kappa is not None)
]


@pytest.mark.parametrize("pre", [(), ("nnm",), ("arc",), ("bucketing",), ("arc", "nnm")])
@pytest.mark.parametrize("rule", BOUNDED)
def test_no_attack_goes_beyond_the_bound(rule: str, pre: tuple[str, ...]) -> None:
    n, f = (16, 3) if rule != "bulyan" else (30, 3)
    found = red_team(rule, faulty=f, contributors=n, pre=pre)
    assert found.holds
    assert [each.attack for each in found.outcomes] == list(ATTACKS)
    assert found.worst is not None and found.worst.harm is not None


def test_attacks_do_harm_where_nothing_holds_them_back() -> None:
    scene = training_round(honest=16, faulty=4, dimensions=64, seed=1)
    target = ATTACKS["counter-gradient"]

    def mean_moved(rows: Any) -> float:
        moved = aggregate_arrays(np.concatenate([rows, scene.honest]), rule="mean", faulty=0)
        return float(np.abs(moved - scene.mean).max())

    from dataclasses import replace

    rows = target.craft(replace(scene, harm=mean_moved)).rows
    assert mean_moved(rows) > 1e4


def test_a_gradient_of_any_direction_can_be_had_by_poisoned_data() -> None:
    for seed in range(200):
        random = np.random.default_rng(seed)
        weights = random.normal(size=12)
        wanted = random.normal(size=12) * 10.0 ** random.integers(-3, 3)
        features, labels = poisoned_samples(weights, wanted)
        assert set(labels.tolist()) == {-1.0}
        assert np.allclose(gradient(weights, features, labels), wanted, rtol=1e-9)


def test_a_counter_gradient_and_its_poisoned_twin_do_the_same() -> None:
    scene = training_round(honest=8, faulty=2, dimensions=10, seed=3)
    weights = np.random.default_rng(0).normal(size=10)
    row = ATTACKS["counter-gradient"].craft(scene).rows[0]
    twin = gradient(weights, *poisoned_samples(weights, row))
    sent = [np.concatenate([np.stack([each, each]), scene.honest]) for each in (row, twin)]
    results = [aggregate_arrays(rows, rule="trimmed-mean", faulty=2) for rows in sent]
    assert np.allclose(results[0], results[1], rtol=1e-9)


@pytest.mark.parametrize("pre", [(), ("nnm",), ("clip",)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rule", RULES)
def test_no_rule_lets_one_bad_number_through(rule: str, bad: float, pre: tuple[str, ...]) -> None:
    f = 0 if rule == "mean" else 2
    for dtype, column in ((np.float32, 0), (np.float16, 17_000), (np.float64, 9_999)):
        x = np.random.default_rng(0).normal(size=(11, 17_001)).astype(dtype)
        x[7, column] = bad
        with pytest.raises(UnusableUpdateError, match="row 7") as caught:
            aggregate_arrays(x, rule=rule, faulty=f, pre=pre)
        assert caught.value.row == 7


def test_the_command_prints_the_worst_beside_the_bound() -> None:
    result = CliRunner().invoke(main, ["redteam", "--rule", "trimmed-mean", "--faulty", "2", "--pre", "nnm"])
    assert result.exit_code == 0
    assert all(f"\n{name} " in result.stdout for name in ATTACKS)
    assert "\nworst harm: " in result.stdout and "\nbound: " in result.stdout
    arguments = ["redteam", "--rule", "krum", "--faulty", "2", "--contributors", "9", "--format", "json"]
    found = json.loads(CliRunner().invoke(main, arguments).stdout)
    assert found["n"] == 9 and found["holds"] is True
    assert found["worst"]["harm"] <= found["bound"]
    assert found["guarantee"]["kappa"] == pytest.approx(6 * (1 + 2 / 5))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rule", "mean", "--faulty", "1"),
        ("--rule", "krumm", "--faulty", "1"),
        ("--rule", "krum", "--faulty", "4", "--contributors", "8"),
        ("--rule", "krum", "--faulty", "1", "--pre", "mnn"),
        ("--rule", "krum", "--faulty", "1", "--parameter", "tau=1"),
        ("--rule", "bounded-influence", "--faulty", "1", "--parameter", "W=0"),
        ("--rule", "bounded-influence", "--faulty", "1", "--parameter", "W=x"),
    ],
)
def test_what_cannot_be_is_wrong_use(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["redteam", *arguments])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
