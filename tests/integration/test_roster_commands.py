"""``provenance roster`` as a maintainer calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("provenance")


def run(*arguments, status=0):
    done = subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def public_keys(keys):
    return {name: path.with_name(path.name + ".pub") for name, path in keys.items()}


def test_the_life_of_a_roster(tmp_path, keys, public_keys):
    roster = tmp_path / "roster.toml"
    maintainer = public_keys["ed25519"]
    assert run("roster", "init", roster, "--maintainer", maintainer).stdout == f"{roster}\n"
    added = run("roster", "add", roster, "alice", "--key", public_keys["ecdsa-p256"], "--voting-right", "0.5")
    assert added.stdout == "version 2\n"
    assert "roster sign" in added.stderr
    unsigned = run("roster", "show", roster, "--roster-key", maintainer, "--format", "json", status=3)
    document = json.loads(unsigned.stdout)
    assert (document["decision"], document["findings"][0]["rule"]) == ("undecided", "CON001")
    bundle = run("roster", "sign", roster, "--key", keys["ed25519"]).stdout.strip()
    assert Path(bundle).parent == tmp_path
    shown = run("roster", "show", roster, "--key", maintainer, "--format", "json")
    document = json.loads(shown.stdout)
    assert (document["decision"], document["verified"], document["version"]) == ("accepted", True, 2)
    assert [(each["id"], each["voting_right"], each["standing"]) for each in document["contributors"]] == [
        ("alice", 0.5, "valid")
    ]
    revoked = run("roster", "revoke", roster, "alice", "--at", "2026-01-01", "--reason", "left")
    assert revoked.stdout == "version 3\n"
    run("roster", "revoke", roster, "alice", "--reason", "left again", status=2)
    refused = run("roster", "show", roster, "--roster-key", maintainer, status=1)
    assert "CON002" in refused.stderr
    run("roster", "sign", roster, "--key", keys["ed25519"])
    text = run("roster", "show", roster, "--roster-key", maintainer).stdout
    assert "alice  revoked, voting right 0.5" in text
    assert "signed by 1 of 1 needed" in text
    assert run("roster", "show", roster).stdout.startswith("UNVERIFIED")
    assert "decision" not in json.loads(run("roster", "show", roster, "--format", "json").stdout)


def test_another_key_and_a_later_end(tmp_path, keys, public_keys):
    roster, maintainer = tmp_path / "roster.toml", public_keys["ed25519"]
    run("roster", "init", roster, "--maintainer", maintainer, "--expires", "2020-01-01")
    run("roster", "add", roster, "alice", "--key", public_keys["ecdsa-p256"])
    run("roster", "sign", roster, "--key", keys["ed25519"])
    assert "CON021" in run("roster", "show", roster, "--roster-key", maintainer, status=1).stderr
    more = ("roster", "add", roster, "alice", "--key", public_keys["ecdsa-p384"])
    run(*more, status=2)
    run(*more, "--existing", "--voting-right", "2", status=2)
    assert run(*more, "--existing").stdout == "version 3\n"
    run("roster", "sign", roster, "--key", keys["ed25519"], "--expires", "soon", status=2)
    run("roster", "sign", roster, "--key", keys["ed25519"], "--expires", "2999-12-31")
    shown = run("roster", "show", roster, "--roster-key", maintainer, "--format", "json")
    document = json.loads(shown.stdout)
    assert (document["version"], len(document["contributors"][0]["keys"])) == (4, 2)


def test_wrong_use_has_the_status_of_wrong_use(tmp_path, keys, public_keys):
    roster = tmp_path / "roster.toml"
    run("roster", "init", roster, "--threshold", 0, status=2)
    run("roster", "init", roster, "--maintainer", public_keys["ed25519"], "--threshold", 2, status=2)
    run("roster", "init", roster)
    run("roster", "init", roster, status=2)
    run("roster", "add", roster, "../alice", "--key", public_keys["ed25519"], status=2)
    run("roster", "add", roster, "alice", "--key", keys["ed25519"], status=2)
    run("roster", "add", roster, "alice", "--identity", "a@x.org", status=2)
    run("roster", "revoke", roster, "nobody", "--reason", "x", status=2)
    run("roster", "sign", tmp_path / "absent.toml", "--key", keys["ed25519"], status=3)
    (tmp_path / "broken.toml").write_text("x")
    run("roster", "show", tmp_path / "broken.toml", status=1)


def test_importing_names_what_was_left_out(tmp_path, public_keys):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from provenance.signing.keys import load_public_key

    line = (
        load_public_key(public_keys["ed25519"]).public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    )
    (tmp_path / "signers").write_text(f"alice {line}\nca cert-authority {line}\n")
    run("roster", "init", tmp_path / "r.toml")
    done = run("roster", "import", tmp_path / "r.toml", tmp_path / "signers")
    assert done.stdout == "alice\n"
    assert "left out" in done.stderr
