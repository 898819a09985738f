"""The installed command, as a person or a CI job calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("provenance")


def run(*arguments, cwd=None, **env) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PROVENANCE_")}
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environment, **env},
        check=False,
    )


def test_the_main_job(model: Path, tmp_path: Path) -> None:
    key = tmp_path / "release.key"
    assert run("keygen", key).returncode == 0
    signed = run("sign", model, "--key", key)
    assert (signed.returncode, signed.stdout) == (0, f"{model}/model.sig\n")
    good = run("verify", model, "--key", f"{key}.pub")
    assert good.returncode == 0
    assert "accepted: 0 errors, 0 warnings; 3 files" in good.stdout
    (model / "config.json").write_text("{}")
    bad = run("verify", model, "--key", f"{key}.pub")
    assert bad.returncode == 1
    assert "error[SIG003]: the file differs from the one that was signed" in bad.stdout
    assert f"--> {model}/config.json" in bad.stdout


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github"])
def test_the_exit_status_is_the_same_in_every_format(signed: Path, public: Path, form: str) -> None:
    assert run("verify", signed, "--key", public, "--format", form).returncode == 0
    (signed / "model.sig").rename(signed.parent / "away.sig")
    assert run("verify", signed, "--key", public, "--format", form).returncode == 3
    (signed / "model.sig").write_text("garbage")
    found = run("verify", signed, "--key", public, "--format", form)
    assert found.returncode == 1
    assert "Traceback" not in found.stdout + found.stderr


def test_json_has_the_promised_members(signed: Path, public: Path) -> None:
    document = json.loads(run("verify", signed, "--key", public, "--format", "json").stdout)
    assert document["schema"] == 1
    assert (document["command"], document["decision"], document["findings"]) == ("verify", "accepted", [])
    assert [each["name"] for each in document["signers"]] == ["given"]
    assert [each["name"] for each in document["resources"]] == [
        "config.json",
        "model.safetensors",
        "tokenizer/vocab.txt",
    ]


def test_the_reference_digest(signed: Path) -> None:
    import hashlib

    names = ["config.json", "model.safetensors", "tokenizer/vocab.txt"]
    digests = [hashlib.sha256((signed / name).read_bytes()) for name in names]
    root = hashlib.sha256(b"".join(each.digest() for each in digests)).hexdigest()
    lines = "".join(f"{each.hexdigest()}  {name}\n" for each, name in zip(digests, names, strict=True))
    expected = f"sha256:{root}\ndirHash:{hashlib.sha256(lines.encode()).hexdigest()}\n"
    assert run("digest", signed).stdout == expected


def test_inspect_is_labelled_and_has_its_statuses(signed: Path, tmp_path: Path) -> None:
    shown = run("inspect", signed)
    assert shown.returncode == 0
    assert shown.stdout.startswith("UNVERIFIED")
    (tmp_path / "bad.json").write_text("[]")
    assert run("inspect", tmp_path / "bad.json").returncode == 1
    assert run("inspect", tmp_path / "absent.json").returncode == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify"],
        ["verify", "x", "--key", "absent.pub"],
        ["verify", "x", "--policy", "absent"],
        ["verify", "x", "--identity", "me"],
        ["sign", "x"],
        ["sign", "x", "--key", "absent"],
        ["keygen", "k", "--algorithm", "rsa"],
        ["verfy"],
        ["explain", "SIG999"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_status_2_with_a_sentence(arguments: list[str], tmp_path: Path) -> None:
    found = run(*arguments, cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr.strip()
    assert "Traceback" not in found.stderr


def test_a_password_is_read_from_the_environment_and_never_shown(model: Path, tmp_path: Path) -> None:
    key = tmp_path / "k"
    assert run("keygen", key, "--password-env", "SECRET", SECRET="hunter2").returncode == 0
    without = run("sign", model, "--key", key)
    assert without.returncode == 2
    assert "--password-env" in without.stderr
    wrong = run("sign", model, "--key", key, "--password-env", "SECRET", SECRET="other-password")
    assert (wrong.returncode, "other-password" in wrong.stderr) == (2, False)
    assert run("sign", model, "--key", key, "--password-env", "SECRET", SECRET="hunter2").returncode == 0


def test_hostile_names_reach_no_terminal(model: Path, key: Path, public: Path) -> None:
    import provenance

    provenance.sign(model, key=key)
    (model / "x\x1b[31m\n\u202eevil").write_text("hello")
    found = run("verify", model, "--key", public)
    assert found.returncode == 1
    assert "\x1b" not in found.stdout
    assert "\u202e" not in found.stdout


def test_heavy_libraries_stay_out_of_small_commands(signed: Path, public: Path) -> None:
    script = (
        "import sys, runpy\n"
        "sys.argv = ['provenance', *sys.argv[1:]]\n"
        "from cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'sigstore', 'rich', 'numpy', 'safetensors', 'requests'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for arguments in (["--help"], ["verify", str(signed), "--key", str(public)]):
        subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True)


def test_a_reader_that_goes_away_is_no_error(signed: Path, public: Path) -> None:
    command = f"{COMMAND} verify {signed} --key {public} --format json | head -c 1"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert found.stderr == ""
