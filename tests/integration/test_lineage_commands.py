"""The commands about lineage, as a person or a CI job calls them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lineage_world import World, bundle_of

COMMAND = Path(sys.executable).with_name("provenance")


@pytest.fixture
def world(tmp_path) -> World:
    found = World(tmp_path)
    found.trained = found.usual()
    return found


def run(world, *arguments, trusting=True):
    options = []
    if trusting:
        options = ["--store", ".", "--roster", "roster.toml", "--roster-key", "keys/maintainer.pub"]
        options += ["--key", "keys/trainer.pub", "--key", "keys/curator.pub"]
    return subprocess.run(
        [COMMAND, *map(str, arguments), *options], capture_output=True, text=True, cwd=world.root, check=False
    )


def test_attest_prints_the_path_of_the_bundle(world):
    (world.root / "weights").write_text("w")
    done = run(
        world, "attest", "weights", "--kind", "fine-tune", "--input", "base=model", "--input",
        "dataset=curated/curated.jsonl", "--parameter", "epochs=3", "--parameter", "note=two words",
        "--key", "keys/trainer", trusting=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{bundle_of(world.root / 'weights', 'fine-tune').relative_to(world.root)}\n"
    shown = run(world, "lineage", "trace", "weights", "--format", "json")
    assert json.loads(shown.stdout)["status"] == "proven"


@pytest.mark.parametrize(
    "arguments",
    [
        ("attest", "model", "--kind", "train", "--key", "keys/trainer"),
        ("attest", "model", "--kind", "train", "--input", "data", "--key", "keys/trainer"),
        ("attest", "model", "--kind", "guess", "--input", "a=model", "--key", "keys/trainer"),
        (
            "attest",
            "model",
            "--kind",
            "train",
            "--input",
            "a=model",
            "--parameter",
            "=1",
            "--key",
            "keys/trainer",
        ),
        ("lineage", "impact"),
        ("lineage", "impact", "model", "--contributor", "bob"),
        ("lineage", "trace", "model", "--as-of", "soon"),
        ("lineage", "trace", "curated/curated.jsonl", "--record", "99"),
        ("lineage", "trace", "model", "--key", "keys/nobody.pub"),
    ],
)
def test_wrong_use(world, arguments):
    done = run(world, *arguments, trusting=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_trace_as_a_tree(world):
    done = run(world, "lineage", "trace", "model")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("model  ")
    assert lines[1].startswith("└── dataset curated.jsonl  ")
    assert lines[2].startswith("    ├── batch alice.jsonl  ")
    assert "proven, contributed by alice, CC-BY-4.0  (curate, signed by curator)" in lines[2]
    assert lines[-1].startswith("accepted: 0 errors, 0 warnings; answered in ")


def test_nothing_is_called_proven_above_a_source_that_is_missing(world):
    shutil.rmtree(world.root / "alice")
    shutil.rmtree(world.root / "bob")
    done = run(world, "lineage", "trace", "model")
    assert done.returncode == 3
    assert "alice.jsonl" in done.stdout
    assert "proven" not in done.stdout


def test_trace_as_json(world):
    document = json.loads(run(world, "lineage", "trace", "model", "--format", "json").stdout)
    assert (document["command"], document["decision"], document["status"]) == (
        "lineage trace",
        "accepted",
        "proven",
    )
    assert [[step["path"] for step in path["steps"]] for path in document["paths"]] == [
        ["model", "curated/curated.jsonl", "alice/alice.jsonl"],
        ["model", "curated/curated.jsonl", "bob/bob.jsonl"],
    ]
    assert "record" not in document


def test_a_record_as_json_and_its_proof_checked_by_itself(world):
    """The check that a stranger writes, in one expression a line."""
    import hashlib

    done = run(world, "lineage", "trace", "curated/curated.jsonl", "--record", "13", "--format", "json")
    record = json.loads(done.stdout)["record"]
    assert done.returncode == 0
    assert (record["index"], record["origin"], record["contributor"]) == (13, "unchanged", "bob")
    proof = record["proof"]
    line = world.data.read_bytes().splitlines()[13]
    node, index, last = hashlib.sha256(b"\0" + line).digest(), proof["index"], proof["count"] - 1
    for sibling in map(bytes.fromhex, proof["path"]):
        left = index % 2 == 1 or index == last
        node = hashlib.sha256(b"\1" + (sibling + node if left else node + sibling)).digest()
        while left and index % 2 == 0 and index:
            index, last = index // 2, last // 2
        index, last = index // 2, last // 2
    assert (node.hex(), last) == (proof["root"], 0)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github"])
def test_the_exit_status_is_the_same_in_every_format(world, form):
    assert run(world, "lineage", "trace", "model", "--format", form).returncode == 0
    bundle = bundle_of(world.bob, "contribution")
    content = bundle.read_bytes()
    bundle.unlink()
    assert run(world, "lineage", "trace", "model", "--format", form).returncode == 3
    bundle.write_bytes(content.replace(b'"sig":"', b'"sig":"AAAA'))
    assert run(world, "lineage", "trace", "model", "--format", form).returncode == 1
    assert run(world, "lineage", "impact", "alice/alice.jsonl", "--format", form).returncode == 0


def test_impact_of_a_revoked_contributor(world):
    world.revoke("bob")
    assert run(world, "lineage", "trace", "model").returncode == 1
    done = run(world, "lineage", "impact", "--contributor", "bob", "--format", "json")
    assert done.returncode == 0
    tainted = json.loads(done.stdout)["tainted"]
    assert [each["path"] for each in tainted] == ["bob/bob.jsonl", "curated/curated.jsonl", "model"]
    assert tainted[2]["via"] == ["bob.jsonl", "curated.jsonl", "model"]
    assert len(tainted[2]["digest"]) == 64
    text = run(world, "lineage", "impact", "--revoked-key", "keys/bob.pub").stdout
    assert "via bob.jsonl -> curated.jsonl" in text


def test_show_and_diff(world):
    shown = run(world, "lineage", "show", "curated/curated.jsonl")
    assert shown.returncode == 0
    assert "├── batch alice.jsonl" in shown.stdout
    assert "└── model  " in shown.stdout
    world.model([world.curated([world.bob, world.batch("carol")], name="other")], name="second")
    done = run(world, "lineage", "diff", "model", "second", "--format", "json")
    document = json.loads(done.stdout)
    assert [each["name"] for each in document["came"]] == ["carol.jsonl", "other.jsonl"]
    assert [each["name"] for each in document["went"]] == ["alice.jsonl", "curated.jsonl"]
    assert document["common"] == 1


def policy_file(world, lineage):
    path = world.root / "policy.toml"
    path.write_text(
        f"""
        version = 1
        [signers.trainer]
        keys = ["keys/trainer.pub", "keys/curator.pub"]
        [lineage]
        {lineage}
        [contributors]
        roster = "roster.toml"
        roster_keys = ["keys/maintainer.pub"]
        """
    )
    return path


def test_verify_obeys_the_policy_on_lineage(world):
    policy = policy_file(world, 'require = "proven"\nlicences = ["CC-BY-4.0"]')
    verify = ("verify", "model", "--policy", policy, "--store", ".", "--format", "json")
    done = run(world, *verify, trusting=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["lineage"]["status"] == "proven"
    assert run(world, "verify", "model", "--policy", policy, trusting=False).returncode == 3
    world.revoke("bob")
    done = run(world, *verify, trusting=False)
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["rule"], found["where"]) == ("CON011", "model <- curated.jsonl <- bob.jsonl")


def test_verify_takes_a_roster_in_place_of_the_policys(world):
    path = world.root / "policy.toml"
    path.write_text(
        'version = 1\n[signers.t]\nkeys = ["keys/trainer.pub", "keys/curator.pub"]\n[lineage]\nrequire = "proven"\n'
    )
    verify = ("verify", "model", "--policy", path, "--store", ".")
    assert run(world, *verify, trusting=False).returncode == 1
    roster = ("--roster", "roster.toml", "--roster-key", "keys/maintainer.pub")
    assert run(world, *verify, *roster, trusting=False).returncode == 0


def test_hostile_names_are_shown_as_text(world):
    evil = world.root / "evil\x1b[31m\nname.txt"
    evil.write_text("x")
    run(
        world,
        "attest",
        "curated/curated.jsonl",
        "--kind",
        "merge",
        "--input",
        f"data={evil}",
        "--key",
        "keys/curator",
        trusting=False,
    )
    done = run(world, "lineage", "trace", "curated/curated.jsonl")
    assert done.returncode == 3
    assert "\x1b" not in done.stdout + done.stderr
    assert "evil\\x1b[31m\\nname.txt" in done.stdout
