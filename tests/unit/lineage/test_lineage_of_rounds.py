"""The lineage of an aggregate: every update by its contributor, and the base."""

from __future__ import annotations

import numpy as np
from lineage_world import World
from safetensors.numpy import save_file

import provenance


def tensors(path, value):
    path.parent.mkdir(exist_ok=True)
    save_file({"w": np.full(4, value, dtype=np.float32)}, path)
    return path


def test_an_aggregate_is_followed_to_its_contributors_and_its_base(tmp_path):
    world = World(tmp_path)
    base = tensors(world.root / "base.safetensors", 0)
    provenance.sign(base, key=world.key("trainer"))
    updates = world.root / "updates"
    updates.mkdir()
    for number, name in enumerate(("alice", "bob", "carol")):
        update = tensors(updates / name / "update.safetensors", number + 1)
        provenance.contribute(update, contributor=name, key=world.key(name), round="digits@12", base=base)
    result = world.root / "out.safetensors"
    provenance.aggregate(
        updates,
        roster=world.roster,
        roster_keys=[world.pub("maintainer")],
        rule="mean",
        faulty=0,
        round="digits@12",
        output=result,
        key=world.key("trainer"),
    )
    found = world.trace(result)
    assert (found.status, found.findings) == ("proven", ())
    assert {path.contributor for path in found.paths} == {"", "alice", "bob", "carol"}
    world.revoke("bob")
    refused = world.trace(result)
    assert [each.rule for each in refused.findings] == ["CON011"]
    tainted = [each.name for each in world.impact(contributor="bob").tainted]
    assert tainted == ["update.safetensors", "out.safetensors"]
