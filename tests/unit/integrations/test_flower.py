"""Flower's own simulation of six clients, three of whom attack. Run where the extra `flower` is installed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
pytest.importorskip(
    "flwr", reason="its pins need an environment of its own: pip install 'ml-provenance[flower]'"
)

from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Error, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.simulation import run_simulation
from round_world import World, rules

from provenance.aggregation.rounds.replaying import replay
from provenance.integrations.flower import RECORD, Contributor, VerifiedStrategy, signing_mod
from provenance.signing.keys import generate, write_key_pair

NAMES = ("ada", "ben", "chloe", "stranger", "replayer", "poisoner")
GOAL = np.arange(12, dtype="f4").reshape(3, 4)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, NAMES)
    world.keys["stranger"] = generate("ed25519")  # not the one in the roster
    for name in NAMES:
        write_key_pair(tmp_path / f"{name}.key", world.keys[name])
    return world


def strategy(world: World, **options) -> VerifiedStrategy:
    chosen = {
        "task": "goal",
        "folder": world.root / "rounds",
        "roster": world.roster,
        "roster_keys": [world.maintainer.public_key()],
        "rule": "trimmed-mean",
        "faulty": 1,
        "key": world.server,
        "fraction_evaluate": 0.0,
        "min_train_nodes": 6,
        "min_available_nodes": 6,
        **options,
    }
    return VerifiedStrategy(**chosen)


def who(root: Path, context: Context) -> Contributor:
    name = NAMES[int(context.node_config["partition-id"])]
    return Contributor(name, root / f"{name}.key")


def train(message: Message, context: Context) -> Message:
    """Go half the way to the goal, each client a little beside the others."""
    name = NAMES[int(context.node_config["partition-id"])]
    model = message.content["arrays"]["w"].numpy()
    model = model + (GOAL - model) / 2 + np.float32(0.01 * NAMES.index(name))
    if name == "poisoner":
        model[0, 0] = np.nan
    content = {
        "arrays": ArrayRecord({"w": Array(model)}),
        "metrics": MetricRecord({"num-examples": 10**9 if name == "poisoner" else 1}),
    }
    return Message(RecordDict(content), reply_to=message)


def replaying(root: Path, message: Message, context: Context, call_next) -> Message:
    """Send the first signed reply again in every round, as one of the clients."""
    reply = call_next(message, context)
    if NAMES[int(context.node_config["partition-id"])] != "replayer":
        return reply
    kept = root / "kept"
    if not kept.exists():
        kept.mkdir()
        (kept / "bundle").write_bytes(reply.content[RECORD]["bundle"])
        np.save(kept / "w.npy", reply.content["arrays"]["w"].numpy())
    reply.content["arrays"] = ArrayRecord({"w": Array(np.load(kept / "w.npy"))})
    reply.content[RECORD] = ConfigRecord({"bundle": (kept / "bundle").read_bytes()})
    return reply


@pytest.mark.filterwarnings("ignore")  # Ray's and Flower's own
def test_a_simulation_combines_only_what_verifies(world):
    chosen = strategy(world)
    client = ClientApp(mods=[partial(replaying, world.root), signing_mod("goal", partial(who, world.root))])
    client.train()(train)
    server = ServerApp()
    ends = []

    @server.main()
    def main(grid, context):
        start = ArrayRecord({"w": Array(np.zeros_like(GOAL))})
        ends.append(chosen.start(grid=grid, initial_arrays=start, num_rounds=3))

    backend = {"client_resources": {"num_cpus": 1, "num_gpus": 0.0}, "init_args": {"num_cpus": 2}}
    run_simulation(server, client, num_supernodes=6, backend_config=backend)
    found = [sorted(rules(each)) for each in chosen.rounds]
    attacks = [("poisoner", "AGG009"), ("stranger", "AGG002")]
    assert found == [attacks, *(2 * [[attacks[0], ("replayer", "AGG005"), attacks[1]]])]
    assert [each.n for each in chosen.rounds] == [4, 3, 3]
    assert np.abs(ends[0].arrays["w"].numpy() - GOAL).max() < 2
    replayed = replay(
        world.root / "rounds" / "model-3.safetensors",
        updates=world.root / "rounds" / "round-3",
        roster=world.roster,
        roster_keys=[world.maintainer.public_key()],
        keys=[world.server_public],
        base=world.root / "rounds" / "base-3.safetensors",
    )
    assert replayed.decision == "accepted"


def sent(chosen: VerifiedStrategy, model: np.ndarray, number: int) -> Message:
    """What the strategy sends to a client."""
    record = ArrayRecord({"w": Array(model)})

    class Grid:
        def get_node_ids(self):
            return list(range(6))

    messages = chosen.configure_train(number, record, ConfigRecord(), Grid())
    return next(iter(messages))


def replied(world: World, message: Message, node: int) -> Message:
    """What the client of a node replies."""
    context = Context(1, node, {"partition-id": node}, RecordDict(), {})
    reply = signing_mod("goal", partial(who, world.root))(message, context, train)
    reply.metadata._src_node_id = node
    return reply


def test_too_few_verified_replies_leave_the_model_as_it_was(world):
    chosen = strategy(world)
    message = sent(chosen, np.zeros_like(GOAL), 1)
    replies = [replied(world, message, node) for node in (0, 1, 3, 5)]
    arrays, metrics = chosen.aggregate_train(1, replies)
    assert arrays is None
    assert (metrics["verified"], metrics["rejected"]) == (2, 2)
    assert chosen.rounds[0].decision == "refused"


def test_replies_that_are_no_arrays_or_errors_are_recorded(world):
    chosen = strategy(world)
    message = sent(chosen, np.zeros_like(GOAL), 1)
    good = [replied(world, message, node) for node in (0, 1, 2)]
    odd = replied(world, message, 4)
    odd.content["arrays"]["w"] = Array("float32", (3,), "pickle", b"cos\nsystem\n")
    large = replied(world, message, 5)
    large.content["arrays"]["w"] = Array(np.zeros(1 << 20))
    failed = Message(Error(1, "it broke"), reply_to=message)
    failed.metadata._src_node_id = 9
    arrays, metrics = chosen.aggregate_train(1, [*good, odd, large, failed])
    assert (metrics["verified"], metrics["rejected"]) == (3, 3)
    assert [each.path for each in chosen.rounds[0].rejected if each.rule == "AGG011"] == [
        "node-4.safetensors",
        "node-5.safetensors",
        "node-9.safetensors",
    ]
    assert np.isfinite(arrays["w"].numpy()).all()


def test_a_changed_or_unsigned_reply_does_not_count(world):
    chosen = strategy(world)
    message = sent(chosen, np.zeros_like(GOAL), 1)
    replies = [replied(world, message, node) for node in (0, 1, 2, 4)]
    changed = replied(world, message, 4)
    changed.metadata._src_node_id = 7
    changed.content["arrays"] = ArrayRecord({"w": Array(GOAL * 100)})
    unsigned = Message(RecordDict({"arrays": ArrayRecord({"w": Array(GOAL)})}), reply_to=message)
    unsigned.metadata._src_node_id = 8
    chosen.aggregate_train(1, [*replies, changed, unsigned])
    assert chosen.rounds[0].n == 4
    assert {each.path for each in chosen.rounds[0].rejected} == {"node-7.safetensors", "node-8.safetensors"}
