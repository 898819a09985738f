"""Rounds that are computed in the read that verifies them: the same bits, and nothing of an update that does not count."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from round_world import World, errors, loaded, rules

from provenance.aggregation.passes import over_threads
from provenance.aggregation.rounds import ahead, computing, side_by_side, weighing
from provenance.aggregation.rounds import round as verb
from provenance.aggregation.rounds.engine import Engine
from provenance.errors import Refused, UsageError

AFTERWARDS = Engine(passes=partial(over_threads, threads=1))
"""Computes only with what has been read and admitted before."""
SMALL = 3 * 4 * 16384 * 7
"""Bytes of three blocks of seven rows, so that a round has several ranges."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def computed(monkeypatch):
    """How each round came to its result: ahead, or by reading the updates again."""
    found: list[str] = []
    honest = verb.compute

    def watched(admission, *arguments, **options):
        before = admission.ready.computed if admission.ready else None
        result = honest(admission, *arguments, **options)
        found.append("ahead" if result is before else "afterwards")
        return result

    monkeypatch.setattr(verb, "compute", watched)
    return found


def wide(world: World, name: str, dtype: str = "f4", columns: int = 100_003) -> dict[str, np.ndarray]:
    values = world.rng.normal(size=columns).astype(dtype)
    values[500:600] = -0.0
    return {"a": values[:70_000].reshape(700, 100), "b": values[70_000:], "empty": np.zeros((0, 3), dtype)}


def without_quick_distances(monkeypatch) -> None:
    monkeypatch.setattr(computing, "_QUICK", 0)


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8", "i4"])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_result_is_the_one_that_is_computed_afterwards(world, monkeypatch, computed, dtype, threads):
    without_quick_distances(monkeypatch)
    monkeypatch.setattr(weighing, "_ALL", 0)
    monkeypatch.setattr(side_by_side, "RANGE_BYTES", SMALL)
    scale = 1000 if dtype == "i4" else 1
    for name in world.keys:
        world.update(
            name, {key: (scale * each).astype(dtype) for key, each in wide(world, name, "f8").items()}
        )
    for rule, faulty, options in [
        ("mean", 0, {}),
        ("trimmed-mean", 1, {}),
        ("median", 2, {}),
        ("krum", 1, {}),
        ("geometric-median", 1, {}),
        ("bulyan", 1, {}),
        ("trimmed-mean", 1, {"pre": ["nnm"]}),
        ("median", 1, {"observe": True}),
    ]:
        one = world.aggregate(rule, faulty, threads=threads, **options)
        other = world.aggregate(rule, faulty, engine=AFTERWARDS, **options)
        assert (one.decision, one.digest) == (other.decision, other.digest), rule
        assert one.accepted == other.accepted
        assert one.weighing == other.weighing
        assert None not in {each.coefficient for each in one.accepted}
        assert (one.diameter, one.heterogeneity) == (other.diameter, other.heterogeneity)
    assert set(computed[::2]) == {"ahead"}
    assert set(computed[1::2]) == {"afterwards"}


def test_differences_from_the_base_are_computed_ahead_where_it_is_named(world, computed):
    world.everybody()
    options = {"parameters": {"tau": 1.0, "iterations": 3}, "base": world.base}
    one = world.aggregate("centered-clipping", 1, **options)
    assert one.digest == world.aggregate("centered-clipping", 1, engine=AFTERWARDS, **options).digest
    assert computed == ["ahead", "afterwards"]


def test_ranges_that_are_proven_at_once_agree_with_a_base_that_is_proven_in_pieces(
    world, computed, monkeypatch
):
    monkeypatch.setattr(side_by_side, "RANGE_BYTES", SMALL)
    world.base = world.write(world.base, wide(world, "base"))
    for name in world.keys:
        world.update(name, wide(world, name))
    options = {"parameters": {"tau": 1.0, "iterations": 3}, "base": world.base}
    one = world.aggregate("centered-clipping", 1, **options)
    assert one.digest == world.aggregate("centered-clipping", 1, engine=AFTERWARDS, **options).digest
    assert computed == ["ahead", "afterwards"]


def test_tensors_in_another_order_than_their_names_are_computed_afterwards(world, computed):
    for name in world.keys:
        world.update(name, {"a": np.ones(4, "f2"), "b": np.full(4, len(name), "f4")})
    assert world.aggregate().digest == world.aggregate(engine=AFTERWARDS).digest
    assert computed == ["afterwards", "afterwards"]


def test_rows_that_begin_alike_for_long_are_computed_afterwards(world, computed, monkeypatch):
    without_quick_distances(monkeypatch)
    monkeypatch.setattr(side_by_side, "RANGE_BYTES", 1)
    for number, name in enumerate(world.keys):
        values = np.zeros(40_000, "f4")
        values[-1] = number
        world.update(name, {"w": values})
    found = world.aggregate("median", 1)
    assert found.tensors["w"][-1] == 3
    assert computed == ["afterwards"]


def test_a_file_that_was_moved_counts_all_the_same(world, computed):
    world.everybody()
    os.rename(world.folder / "bob.safetensors", world.folder / "zoe.safetensors")
    assert world.aggregate().n == 7
    assert computed == ["afterwards"]


def test_an_update_with_other_tensors_does_not_slow_down_the_others(world, computed):
    world.everybody(bob={"strange": np.ones(3, "f4")})
    found = world.aggregate()
    assert (found.n, rules(found)) == (6, [("bob", "AGG008")])
    assert computed == ["ahead"]


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("rule", ["mean", "median", "krum"])
@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [("tampered", "AGG001"), ("nan", "AGG009"), ("late nan", "AGG009"), ("far", "AGG010")],
)
def test_nothing_of_an_update_that_does_not_count_is_in_the_result(
    world, monkeypatch, computed, rule, quick, spoiled, reason
):
    if not quick:
        without_quick_distances(monkeypatch)
    monkeypatch.setattr(side_by_side, "RANGE_BYTES", 1)
    values = {"w": world.rng.normal(size=50_000).astype("f4")}
    if spoiled != "tampered":
        place = -1 if spoiled == "late nan" else 0
        values["w"][place] = 1e20 if spoiled == "far" else np.nan
    for name in world.keys:
        world.update(name, values if name == "bob" else {"w": world.rng.normal(size=50_000).astype("f4")})
    if spoiled == "tampered":
        flip_the_last_bit(world.folder / "bob.safetensors")
    out = world.root / "out.safetensors"
    found = world.aggregate(rule, int(rule != "mean"), output=out, max_norm=1e6)
    assert (found.decision, found.n, rules(found)) == ("accepted", 6, [("bob", reason)])
    (world.folder / "bob.safetensors").unlink()
    assert found.digest == world.aggregate(rule, int(rule != "mean"), engine=AFTERWARDS, max_norm=1e6).digest
    assert computed == ["afterwards", "afterwards"]
    assert [each.name for each in world.root.iterdir() if each.name.endswith(".tmp")] == []


def flip_the_last_bit(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))


@pytest.mark.parametrize("quick", [True, False])
def test_bytes_that_were_there_only_while_they_were_computed_with_are_no_update(world, monkeypatch, quick):
    """Somebody who writes to the folder shows other bytes for a moment, and the signed ones before and after."""
    if not quick:
        without_quick_distances(monkeypatch)
    world.everybody()
    expected = world.aggregate("mean", 0, engine=AFTERWARDS).digest
    honest, shown = side_by_side.read_values, []

    def swapped(descriptor, offsets, span, offset, into):
        honest(descriptor, offsets, span, offset, into)
        if not shown:
            shown.append(descriptor)
            into[:] = 1000.0

    monkeypatch.setattr(side_by_side, "read_values", swapped)
    found = world.aggregate("mean", 0)
    assert shown
    assert (found.n, [rule for _, rule in rules(found)]) == (6, ["AGG001"])
    assert max(float(each.max()) for each in found.tensors.values()) < 10
    monkeypatch.undo()
    assert world.aggregate("mean", 0).digest == expected


def test_an_update_that_changes_between_two_passes_stops_the_round(world, monkeypatch):
    world.everybody()
    honest = side_by_side.SideBySide._conclude

    def late(source):
        honest(source)
        flip_the_last_bit(world.folder / "bob.safetensors")

    monkeypatch.setattr(side_by_side.SideBySide, "_conclude", late)
    out = world.root / "out.safetensors"
    with pytest.raises(Refused, match="changed while it was aggregated"):
        world.aggregate("geometric-median", 1, output=out)
    assert [each for each in world.root.iterdir() if "out" in each.name] == []


def test_a_round_that_is_refused_leaves_nothing_behind(world):
    world.everybody()
    out = world.root / "out.safetensors"
    found = world.aggregate("trimmed-mean", 4, output=out)
    assert (found.decision, errors(found)) == ("refused", ["AGG013"])
    assert [each for each in world.root.iterdir() if "out" in each.name] == []


def test_an_update_twice_in_the_folder_counts_once(world, computed):
    world.everybody()
    (world.folder / "again.safetensors").write_bytes((world.folder / "bob.safetensors").read_bytes())
    assert world.aggregate().digest == world.aggregate(engine=AFTERWARDS).digest


def test_a_replay_is_computed_ahead_too(world, monkeypatch):
    world.everybody()
    out = world.signed()
    assert loaded(out)
    tried = []
    honest = ahead._combined

    def watched(*arguments):
        tried.append(honest(*arguments))
        return tried[-1]

    monkeypatch.setattr(ahead, "_combined", watched)
    assert world.replay(out).decision == "accepted"
    assert tried[0].ready.computed.digest == world.aggregate(engine=AFTERWARDS).digest


@pytest.mark.parametrize("engine", [{}, {"engine": AFTERWARDS}], ids=["ahead", "afterwards"])
def test_a_result_that_cannot_be_put_in_its_place_is_told_and_leaves_nothing(world, engine):
    world.everybody()
    place = world.root / "results"
    place.mkdir()
    before = sorted(world.root.iterdir())
    with pytest.raises(UsageError, match="cannot write .*results: is a directory"):
        world.aggregate(output=place, **engine)
    assert sorted(world.root.iterdir()) == before
