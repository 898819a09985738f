"""Rounds on a base model that is a directory of several files: the same result, and nothing in it goes unnoticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from round_world import SHAPES, World, errors, loaded, rules
from safetensors.numpy import save_file

import provenance
from provenance.aggregation.rounds import sharded
from provenance.aggregation.rounds.engine import Engine
from provenance.aggregation.rounds.sealing import piece_digest
from provenance.errors import Refused, UsageError
from provenance.lineage.subjects import subject_of

CLIPPING: dict[str, Any] = {"rule": "centered-clipping", "parameters": {"tau": 1.0, "iterations": 3}}
FILES = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


@pytest.fixture(params=[True, False], ids=["with an index", "without"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> World:
    """A world whose base model is a directory of two files, the later tensor in the first."""
    world = World(tmp_path)
    world.single = loaded(world.base)
    world.base = tmp_path / "base"
    world.base.mkdir()
    for file, tensor in zip(FILES, SHAPES, strict=True):
        save_file({tensor: world.single[tensor]}, world.base / file)
    if request.param:
        weights = dict(zip(SHAPES, FILES, strict=True))
        (world.base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    (world.base / "config.json").write_text("{}")
    return world


@pytest.mark.parametrize("observe", [False, True])
def test_the_result_is_that_of_a_base_in_one_file(world, observe):
    world.everybody()
    found = world.aggregate(base=world.base, observe=observe, **CLIPPING)
    assert (found.decision, found.findings) == ("accepted", ())
    assert found.base == subject_of(world.base).digest["sha256"]
    (world.root / "single").mkdir()
    again = World(world.root / "single")
    again.write(again.base, world.single)
    for name in again.keys:
        again.update(name, loaded(world.folder / f"{name}.safetensors"))
    wanted = again.aggregate(base=again.base, **CLIPPING)
    assert {name: each.tolist() for name, each in found.tensors.items()} == {
        name: each.tolist() for name, each in wanted.tensors.items()
    }


def test_it_is_signed_and_replayed(world):
    world.everybody()
    out = world.signed(base=world.base, **CLIPPING)
    found = world.replay(out, base=world.base)
    assert (found.decision, found.findings) == ("accepted", ())
    assert set(loaded(out)) == set(SHAPES)
    assert errors(world.replay(out)) == ["AGG014"]


def test_contributors_name_it_by_its_digest(world):
    for name in world.keys:
        path = world.write(world.folder / f"{name}.safetensors", world.values())
        provenance.contribute(
            path, contributor=name, key=world.keys[name], round="digits@12", base=world.base
        )
    assert world.aggregate(base=world.base, **CLIPPING).decision == "accepted"


@pytest.mark.parametrize("file", [*FILES, "config.json", "another.txt"])
def test_a_changed_or_added_file_is_another_base(world, file):
    world.everybody()
    path = world.base / file
    data = bytearray(path.read_bytes() if path.exists() else b"")
    path.write_bytes(bytes(data[:-1]) + b"\x01")
    found = world.aggregate(base=world.base, **CLIPPING)
    assert found.decision == "undecided"
    assert errors(found) == ["AGG014"]


def test_an_update_of_other_tensors_is_dropped(world):
    world.everybody(bob={"layer.weight": np.ones((40, 30), "f4")})
    assert rules(world.aggregate(base=world.base, **CLIPPING)) == [("bob", "AGG008")]


def test_a_base_that_changes_while_it_is_used_stops_the_round(world, monkeypatch):
    world.everybody()
    honest = sharded.ShardedModel.piece

    def changed(self, number, piece, into=None):
        with (world.base / FILES[0]).open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x7f")
        return honest(self, number, piece, into)

    monkeypatch.setattr(sharded.ShardedModel, "piece", changed)
    with pytest.raises(Refused, match="changed while it was aggregated") as caught:
        world.aggregate(base=world.base, **CLIPPING)
    assert caught.value.code == "AGG015"


@pytest.mark.parametrize(
    "break_it",
    [
        lambda base: save_file({"layer.weight": np.ones((40, 30), "f4")}, base / "third.safetensors"),
        lambda base: (base / FILES[0]).write_bytes(b"no tensors"),
        lambda base: (base / FILES[1]).write_bytes((base / FILES[1]).read_bytes() + b"\0"),
        lambda base: (base / "out").symlink_to("/etc/passwd"),
        lambda base: (base / "a.safetensors.index.json").write_text('{"weight_map": {"x": "../../x"}}'),
        lambda base: (base / "a.safetensors.index.json").write_text('{"weight_map": {"a": 1}}'),
        lambda base: [each.unlink() for each in base.glob("*.safetensors")],
    ],
    ids=["twice", "broken", "longer", "link", "outside", "no map", "no tensors"],
)
def test_what_is_no_sound_model_is_told_and_never_a_traceback(world, break_it):
    world.everybody()
    indexed = (world.base / "model.safetensors.index.json").exists()
    break_it(world.base)
    try:
        found = world.aggregate(base=world.base, **CLIPPING)
    except UsageError as error:
        assert "cannot use the base model" in error.message
    else:  # an index says which files count, and what lies beside them makes it another base
        assert indexed
        assert errors(found) == ["AGG014"]


def test_on_a_cluster_it_is_refused(world):
    world.everybody()
    engine = Engine(examine=lambda _directory, _names: [piece_digest])
    with pytest.raises(UsageError, match="is a directory"):
        world.aggregate(base=world.base, engine=engine, **CLIPPING)
