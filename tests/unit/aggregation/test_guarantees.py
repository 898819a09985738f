"""Guarantees: the constants, their conditions, and that random and crafted updates stay within them."""

import math
from typing import Any

import numpy as np
import pytest

from provenance.aggregation import RULES, aggregate_arrays, guarantee
from provenance.aggregation.plan import parameters_from_text, planned


@pytest.mark.parametrize(
    ("rule", "pre", "kappa"),
    [
        ("trimmed-mean", (), 2.667),
        ("krum", (), 8.0),
        ("median", (), 7.111),
        ("geometric-median", (), 7.111),
        ("trimmed-mean", ("nnm",), 7.333),
        ("trimmed-mean", ("arc",), 3.333),
        ("smea", (), 1.778),
        ("multi-krum", (), 2.5),
        ("mda", (), 8.0),
        ("meamed", (), 4.5),
        ("trimmed-mean", ("arc", "nnm"), 2 * (1 + 2.667) + 2 / 3),
        ("trimmed-mean", ("nnm", "arc"), 2 * (1 + 2.667 + 2 / 3)),
        ("caf", (), None),
        ("cge", (), None),
        ("centered-clipping", (), None),
        ("bounded-influence", (), None),
        ("median", ("clip",), None),
    ],
)
def test_constants_for_twenty_contributors_of_whom_four_are_faulty(
    rule: str, pre: tuple[str, ...], kappa: float | None
) -> None:
    found = guarantee(rule, n=20, faulty=4, pre=pre)
    assert found.kappa == (None if kappa is None else pytest.approx(kappa, rel=1e-3))
    assert found.lower_bound == pytest.approx(4 / 12)
    assert found.averaging_lower_bound == 4 / 32
    assert found.kappa is None or found.kappa >= found.lower_bound
    assert found.averaging is None or found.averaging >= found.averaging_lower_bound
    assert found.source


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_promises_more_than_can_be_had(rule: str) -> None:
    for n in range(1, 40):
        for f in range(n):
            try:
                found = guarantee(rule, n=n, faulty=f)
            except ValueError:
                assert n < RULES[rule].least(f) or n <= 2 * f or (rule == "mean" and f)
                continue
            assert n >= RULES[rule].least(f) and n > 2 * f
            assert found.kappa is None or found.kappa >= found.lower_bound * (1 - 1e-12)


def test_the_mean_of_no_faulty_contributor_is_exact() -> None:
    assert guarantee("mean", n=5, faulty=0).kappa == 0
    with pytest.raises(ValueError, match="mean withstands no faulty"):
        guarantee("mean", n=5, faulty=1)


def sets_of_honest(n: int, f: int, random: np.random.Generator) -> Any:
    return [np.sort(random.permutation(n)[: n - f]) for _ in range(20)]


def population(random: np.random.Generator, n: int, f: int) -> Any:
    """Rows of many kinds: in camps, on a line, alike, far, with heavy tails; the faulty anywhere among them."""
    d = int(random.integers(1, 6))
    x = random.normal(size=(n, d))
    match int(random.integers(6)):
        case 0:
            x += 10 * random.integers(0, 2, (n, 1))
        case 1:
            x = np.round(x)
        case 2:
            x = random.standard_cauchy((n, d))
        case 3:
            x[:] = x[0] + 1e-3 * x
            x[random.integers(n)] += 1
        case 4:
            x = np.repeat(x[: n - f], 2, axis=0)[:n]
        case _:
            x[:f] = x[f:].mean(axis=0) - random.uniform(0, 4) * x[f:].std(axis=0)
    return x


@pytest.mark.parametrize("pre", [(), ("nnm",), ("arc",), ("bucketing",)])
@pytest.mark.parametrize(
    "rule", [name for name in RULES if guarantee(name, n=30, faulty=0).kappa is not None]
)
def test_kappa_bounds_every_set_of_honest_rows(rule: str, pre: tuple[str, ...]) -> None:
    """The definition itself: for whichever n - f rows S, |result - mean_S|^2 <= kappa times their variance."""
    for seed in range(120):
        random = np.random.default_rng(seed)
        n = int(random.integers(3, 13)) if rule != "smea" else int(random.integers(3, 9))
        f = int(random.integers(0, (n - 1) // 2 + 1))
        try:
            bound = guarantee(rule, n=n, faulty=f, pre=pre)
        except ValueError:
            continue
        if bound.kappa is None:
            continue
        x = population(random, n, f)
        result = aggregate_arrays(x, rule=rule, faulty=f, pre=pre, threads=1)
        for honest in sets_of_honest(n, f, random):
            if rule == "monna" and honest[0] != 0:
                continue
            centre = x[honest].mean(axis=0)
            variance = ((x[honest] - centre) ** 2).sum() / len(honest)
            harm = ((result - centre) ** 2).sum()
            assert harm <= bound.kappa * variance * (1 + 1e-6) + 1e-12 * (x**2).max(), (seed, n, f)


def test_plain_words_tell_what_a_round_comes_to() -> None:
    said = " ".join(guarantee("trimmed-mean", n=20, faulty=4).explain(diameter=3.0, heterogeneity=1.0))
    worst = math.sqrt(20 / 16)
    assert "kappa 2.67" in said and "any 4 of 20" in said
    assert f"within {math.sqrt(8 / 3) * worst:.3g} of the mean of the honest" in said
    assert "no constant is known" in " ".join(guarantee("cge", n=20, faulty=4).explain())
    influence = guarantee("bounded-influence", n=20, faulty=4, parameters={"W": 4})
    assert influence.per_right == 0.25
    assert "moves the result by 0.25 at most" in " ".join(influence.explain())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": "trimed-mean"}, "did you mean trimmed-mean"),
        ({"pre": ("mnn",)}, "did you mean nnm"),
        ({"pre": ("nnm", "nnm")}, "works once"),
        ({"faulty": 10}, "not of 20"),
        ({"faulty": -1}, "whole number"),
        ({"faulty": True}, "whole number"),
        ({"faulty": 1.0}, "whole number"),
        ({"parameters": {"W": 1}}, "no parameter 'W'; it has: none"),
        ({"rule": "bulyan", "faulty": 5}, "of 23 contributors or more, not of 20"),
        ({"pre": ("bucketing",), "faulty": 5}, "of 11 contributors or more, not of 10"),
        ({"pre": ("clip",), "parameters": {"tau": 0}}, "above 0"),
        ({"pre": ("clip",), "parameters": {"tau": math.nan}}, "number"),
        ({"pre": ("clip",), "parameters": {"tau": "1"}}, "number"),
        ({"pre": ("bucketing",), "parameters": {"size": 1.5}}, "whole number"),
        ({"rule": "centered-clipping", "parameters": {"iterations": 10**6}}, "1000 at most"),
        ({"voting_rights": [1.0] * 19 + [2.0]}, "no weighted form"),
        ({"rule": "median", "voting_rights": [1.0] * 19}, "shape"),
        ({"rule": "median", "voting_rights": [-1.0] * 20}, "none below zero"),
        ({"rule": "median", "voting_rights": [0.0] * 20}, "not all zero"),
        ({"rule": "median", "voting_rights": [math.nan] * 20}, "finite"),
        ({"rule": "median", "voting_rights": [20.0] + [1.0] * 19}, "half of all rights"),
        ({"rule": "median", "pre": ("nnm",), "voting_rights": [2.0] + [1.0] * 19}, "median with nnm"),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(arguments: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"rule": "trimmed-mean", "n": 20, "faulty": 2}
    with pytest.raises(ValueError, match=message):
        planned(**(usual | arguments))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        np.zeros(3),
        np.zeros((2, 2, 2)),
        np.zeros((3, 3), bool),
        np.zeros((3, 3), complex),
        np.full((3, 3), "a"),
        1.0,
    ],
)
def test_arrays_that_are_no_updates_are_refused(array: Any) -> None:
    with pytest.raises(ValueError, match=r"updates must|nothing to aggregate"):
        aggregate_arrays(array, rule="median", faulty=1)


def test_numbers_too_large_to_add_are_refused() -> None:
    x = np.zeros((5, 3))
    x[2, 1] = 1e305
    for rule in ("mean", "krum", "trimmed-mean"):
        with pytest.raises(ValueError, match="row 2 of the updates holds numbers too large"):
            aggregate_arrays(x, rule=rule, faulty=0)


def test_parameters_are_read_from_text() -> None:
    assert parameters_from_text(["W=0.5", "clip.tau=2e3"]) == {"W": 0.5, "clip.tau": 2000.0}
    for text in ("W", "W=", "W=a", "=1=2"):
        with pytest.raises(ValueError, match="NAME=NUMBER"):
            parameters_from_text([text])


def test_a_parameter_that_two_steps_have_can_be_given_to_one() -> None:
    plan = planned("centered-clipping", n=9, faulty=1, pre=("clip",), parameters={"tau": 5, "clip.tau": 7})
    assert plan.choices.parameters["tau"] == 5
    assert plan.step_choices[0].parameters["tau"] == 7
