"""Rounds on a Dask cluster: the same digest as on one machine, and never a wrong one."""

from __future__ import annotations

import os
import pickle
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest
import round_world
from round_world import World, errors, rules

import provenance
from provenance.aggregation import RULES
from provenance.aggregation.rounds import weighing
from provenance.aggregation.rounds.stream import StreamedUpdates
from provenance.aggregation.updates import UnusableUpdateError
from provenance.errors import Refused, Undecided

pytest.importorskip("distributed", reason="it comes with the extra `dask`")

import dask as dask_config
from distributed import Client, LocalCluster

from provenance.integrations import dask

SMALL = 7 * 16384 * 4  # the least that a task reads of seven updates


@pytest.fixture(scope="module")
def client():
    """Two processes that each see the folder."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": 0}
    with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def threads():
    """A cluster in this process."""
    options = {"n_workers": 1, "threads_per_worker": 3, "dashboard_address": "127.0.0.1:0", "memory_limit": 0}
    with LocalCluster(processes=False, **options) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    monkeypatch.setattr(round_world, "SHAPES", {"layer.weight": (300, 200), "layer.bias": (21,)})
    return World(tmp_path)


def on_dask(world: World, client: Client, rule: str = "trimmed-mean", faulty: int = 1, **options):
    chosen = {"round": "digits@12", "roster_keys": [world.maintainer.public_key()], **options}
    return dask.aggregate(
        world.folder, client=client, roster=world.roster, rule=rule, faulty=faulty, **chosen
    )


def same(one, other) -> bool:
    """Whether two rounds agree in all but the tensors, which the digest stands for."""
    return all(
        getattr(one, name) == getattr(other, name) for name in one.__struct_fields__ if name != "tensors"
    )


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_one_digest_everywhere(world, client, rule):
    world.everybody(bob=world.values(5.0))
    faulty = 0 if rule == "mean" else 1
    here = world.aggregate(rule, faulty, base=world.base)
    assert here.decision == "accepted"
    assert same(on_dask(world, client, rule, faulty, base=world.base, partition=SMALL), here)


@pytest.mark.parametrize("pre", [("nnm",), ("arc",), ("bucketing",), ("clip", "nnm")])
def test_so_has_every_step_before_it(world, threads, pre):
    world.everybody(bob=world.values(5.0))
    chosen = {"pre": pre, "base": world.base, "parameters": {"size": 2.0} if "bucketing" in pre else {}}
    here = world.aggregate("trimmed-mean", 1, **chosen)
    assert here.decision == "accepted"
    assert same(on_dask(world, threads, **chosen, partition=SMALL), here)


def test_the_digest_does_not_depend_on_partitions_or_workers(world, client, threads):
    world.everybody()
    digests = {
        on_dask(world, each, "geometric-median", partition=size).digest
        for each in (client, threads)
        for size in (1, SMALL, 2 * SMALL, dask.PARTITION)
    }
    assert digests == {world.aggregate("geometric-median").digest}


def test_half_precision_too(world, client):
    world.base = world.write(world.root / "half.safetensors", world.values(0.0, dtype="f2"))
    for name in world.keys:
        world.update(name, world.values(dtype="f2"))
    here = world.aggregate("krum")
    assert on_dask(world, client, "krum", partition=SMALL).digest == here.digest


def test_what_does_not_verify_is_dropped_with_the_same_words(world, client):
    poison = world.values()
    poison["layer.bias"][3] = np.nan
    world.everybody(bob=poison)
    world.update("mallory", by=world.keys["alice"])
    (world.folder / "junk.pkl").write_bytes(pickle.dumps([1]))
    path = world.folder / "cora.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    here, there = world.aggregate(), on_dask(world, client)
    assert same(here, there)
    assert {rule for _, rule in rules(there)} == {"AGG001", "AGG003", "AGG009", "AGG011"}


def test_a_signed_result_replays_here_and_there(world, client):
    world.everybody()
    out = world.root / "out.safetensors"
    assert on_dask(world, client, output=out, key=world.server).decision == "accepted"
    assert world.replay(out).decision == "accepted"
    options = {"roster_keys": [world.maintainer.public_key()], "keys": [world.server_public]}
    replayed = partial(
        dask.replay, out, client=client, updates=world.folder, roster=world.roster, partition=SMALL, **options
    )
    assert replayed().decision == "accepted"
    values = round_world.loaded(out)
    values["layer.weight"][0, 0] += 1
    world.write(out, values)
    assert errors(replayed()) == ["AGG016"]


def test_a_worker_that_lies_is_caught_by_a_replay_elsewhere(world, threads, monkeypatch):
    world.everybody()
    out = world.root / "out.safetensors"
    honest = dask._take

    def lying(*arguments):
        found = honest(*arguments)
        return (found[0] + 1e-3, found[1]) if isinstance(found, tuple) else found

    monkeypatch.setattr(dask, "_take", lying)
    assert on_dask(world, threads, output=out, key=world.server).decision == "accepted"
    assert set(errors(world.replay(out))) == {"AGG016"}


def test_so_is_one_that_lies_about_whose_values_were_taken(world, threads, monkeypatch):
    world.everybody()
    out = world.root / "out.safetensors"
    honest = dask._take

    def lying(*arguments):
        found = honest(*arguments)
        return (found[0], found[1][::-1].copy()) if isinstance(found, tuple) else found

    monkeypatch.setattr(dask, "_take", lying)
    assert on_dask(world, threads, output=out, key=world.server).decision == "accepted"
    assert set(errors(world.replay(out))) == {"AGG022"}


def test_columns_that_are_drawn_are_the_same_on_every_worker(world, client, monkeypatch):
    monkeypatch.setattr(weighing, "_ALL", 0)
    values = {name: {"w": world.rng.normal(size=200_000).astype("f4")} for name in world.keys}
    world.everybody(**values)
    for rule, options in (("meamed", {}), ("bulyan", {}), ("median", {"pre": ("nnm",)})):
        here = world.aggregate(rule, 1, **options)
        assert here.weighing.columns < here.weighing.of == 200_000
        assert same(on_dask(world, client, rule, 1, partition=SMALL, **options), here)


def test_a_file_that_changes_after_it_was_verified_stops_the_round(world, client, monkeypatch):
    world.everybody()
    examined = dask._examined

    def late(*arguments):
        found = examined(*arguments)
        with (world.folder / "bob.safetensors").open("r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"\0\0\0\1")
        return found

    monkeypatch.setattr(dask, "_examined", late)
    out = world.root / "out.safetensors"
    with pytest.raises(Refused, match="changed while it was aggregated") as caught:
        on_dask(world, client, output=out, partition=SMALL)
    assert caught.value.code == "AGG015"
    assert not out.exists()


def test_another_file_put_in_its_place_stops_the_round_too(world, client, monkeypatch):
    world.everybody()
    examined = dask._examined

    def swapped(*arguments):
        found = examined(*arguments)
        (world.folder / "alice.safetensors").replace(world.folder / "bob.safetensors")
        return found

    monkeypatch.setattr(dask, "_examined", swapped)
    with pytest.raises((Refused, Undecided)):
        on_dask(world, client)


def dying(marker: str, updates: StreamedUpdates, start: int, stop: int) -> float:
    """Kill the first worker that does this, and any where ``marker`` is empty."""
    try:
        if marker:
            os.mkdir(marker)
    except FileExistsError:
        return float(updates.chunks(start, stop).sum())
    os._exit(1)


def test_the_work_of_a_worker_that_dies_is_done_by_another(world, client):
    world.everybody()
    with dask_streams(world, client) as stream:
        work = partial(dying, str(world.root / "died"))
        sums = list(dask._passes(client, SMALL, stream, work))
        assert (world.root / "died").exists()
        assert sums == [
            float(stream.chunks(start, min(start + 16384, stream.d)).sum())
            for start in range(0, stream.d, 16384)
        ]


def test_where_every_worker_dies_there_is_no_result(world):
    world.everybody()
    quick = {"distributed.scheduler.allowed-failures": 0}
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": 0}
    with dask_config.config.set(quick), LocalCluster(**options) as cluster, Client(cluster) as client:
        with dask_streams(world, client) as stream, pytest.raises(Undecided, match="lost its workers"):
            with dask._told():
                list(dask._passes(client, SMALL, stream, partial(dying, "")))


def dask_streams(world: World, client: Client):
    from contextlib import contextmanager

    from provenance.aggregation.rounds.folder import opened_updates

    @contextmanager
    def opened():
        with opened_updates(world.folder, partial(dask._examined, client)) as folder:
            yield StreamedUpdates(folder.updates, folder.updates[0].examined.layout)

    return opened()


def test_a_worker_that_does_not_see_the_folder_leaves_the_round_undecided(tmp_path: Path):
    with pytest.raises(Undecided, match="a worker cannot open"):
        dask._examine(dask._stamp(), str(tmp_path), "nothing.safetensors")


def test_a_worker_of_another_version_computes_nothing(world, client, monkeypatch):
    world.everybody()
    monkeypatch.setattr(dask, "_stamp", lambda: ("0.0.1", "1"))
    with pytest.raises(Undecided, match=r"and the client 0\.0\.1"):
        on_dask(world, client)


def test_errors_come_back_from_other_processes_whole():
    found = pickle.loads(pickle.dumps(UnusableUpdateError(3, "NaN")))
    assert (found.row, str(found)) == (3, "row 3 of the updates holds NaN")
    refused = pickle.loads(pickle.dumps(Refused("no", code="AGG015", hint="again")))
    assert (refused.message, refused.code, refused.hint) == ("no", "AGG015", "again")
    assert provenance.integrations.dask is dask
    assert msgspec.structs.fields(provenance.Round)
