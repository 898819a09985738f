"""The small commands: explain, policy, completion, digest, inspect, keygen; passwords; the page of rules."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.commands.keygen import ALGORITHMS
from cli.main import main
from cli.password import given_password
from cli.rendering.rules import rules_page
from policies import BUILTIN, RULES, parse_policy
from provenance.errors import UsageError
from provenance.signing import keys as key_files

EXAMPLE = """\
version = 1
expires = 2999-06-30

[signatures]
threshold = 2
accept = ["release", "ci"]

[signers.release]
keys = ["keys/alice.pub", "keys/bob.pub"]

[signers.ci]
identity = "https://github.com/acme/models/.github/workflows/release.yml@refs/tags/*"
issuer = "https://token.actions.githubusercontent.com"

[formats]
allow = ["safetensors", "gguf", "json"]
"""


def run(*arguments: object, **env: str) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=env)


def test_explain_one_rule_whatever_the_letters() -> None:
    for wanted in ("SIG003", "sig003"):
        result = run("explain", wanted)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"SIG003: {RULES['SIG003'].title}\n")


def test_explain_lists_all_rules() -> None:
    assert [line.split()[0] for line in run("explain").stdout.splitlines()] == list(RULES)


def test_explain_names_what_was_meant() -> None:
    result = run("explain", "SIG-003")
    assert result.exit_code == 2
    assert "did you mean SIG003?" in result.stderr


def test_the_page_of_rules_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "rules.md"
    assert page.read_text(encoding="utf-8") == rules_page(RULES.values()), "run `make docs`"


def test_policies_are_listed_and_shown_as_policy_files() -> None:
    listing = run("policy", "list").stdout
    assert [line.split()[0] for line in listing.splitlines()] == list(BUILTIN)
    shown = run("policy", "show", "strict")
    assert parse_policy(shown.stdout, name="strict", base="/") == BUILTIN["strict"]


def test_policy_check_says_what_a_sound_policy_asks_for(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(EXAMPLE)
    result = run("policy", "check", tmp_path / "p.toml")
    assert result.exit_code == 0
    assert "signatures: 2 of release, ci" in result.stdout
    assert result.stdout.endswith(f"sound: {tmp_path}/p.toml\n")
    assert f"note: {tmp_path}/keys/alice.pub is named in the policy but is not there" in result.stderr


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("threshold", "treshold", "line 5\n"),
        ("threshold = 2", "threshold = 3", "error[POL005]"),
        ("2999-06-30", "2001-06-30", "error[POL001]: the policy expired on 2001-06-30"),
        ("version = 1", "version = ", "line 1\n"),
    ],
)
def test_policy_check_refuses_a_wrong_policy_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    (tmp_path / "p.toml").write_text(EXAMPLE.replace(old, new, 1))
    result = run("policy", "check", tmp_path / "p.toml")
    assert result.exit_code == 1
    assert said in result.stdout
    assert f"  --> {tmp_path}/p.toml" in result.stdout


def test_policy_check_cannot_decide_about_what_is_not_there_or_no_text(tmp_path: Path) -> None:
    assert run("policy", "check", tmp_path / "absent").exit_code == 3
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert run("policy", "check", tmp_path / "binary").exit_code == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_PROVENANCE_COMPLETE" in result.stdout


def completed(words: str, at: int) -> list[str]:
    env = {"_PROVENANCE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    result = CliRunner().invoke(main, [], env=env, prog_name="provenance")
    return [line.partition(",")[2] for line in result.stdout.splitlines()]


def test_commands_options_rules_and_policies_are_completed() -> None:
    assert completed("provenance ver", 1) == ["verify"]
    assert "--ignore-unsigned-files" in completed("provenance verify --ig", 2)
    assert completed("provenance explain SIG00", 2) == [f"SIG00{n}" for n in range(1, 10)]
    assert "training" in completed("provenance scan --policy tr", 3)


def test_keygen_offers_what_the_library_can_make() -> None:
    assert key_files.ALGORITHMS == ALGORITHMS


def test_keygen_writes_a_pair_that_only_the_owner_can_read_and_never_overwrites(tmp_path: Path) -> None:
    key = tmp_path / "release.key"
    result = run("keygen", key)
    assert result.exit_code == 0
    public = key_files.load_public_key(Path(f"{key}.pub"))
    assert result.stdout.splitlines()[0] == key_files.fingerprint(public)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    again = run("keygen", key)
    assert (again.exit_code, key.read_bytes()) == (2, before)


def test_digest_prints_two_lines(signed: Path) -> None:
    lines = run("digest", signed).stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["sha256", "dirHash"]
    assert all(len(line.partition(":")[2]) == 64 for line in lines)


def test_digest_says_why_it_has_none(tmp_path: Path) -> None:
    absent = run("digest", tmp_path / "absent")
    assert (absent.exit_code, absent.stdout) == (3, "")
    assert "error[ART010]" in absent.stderr
    (tmp_path / "empty").mkdir()
    empty = run("digest", tmp_path / "empty")
    assert (empty.exit_code, empty.stdout) == (1, "")


def test_a_report_in_a_file_is_whole_and_has_no_colour(signed: Path, public: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.txt"
    result = run("--color", "always", "verify", signed, "--key", public, "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "\x1b" not in out.read_text() and "accepted: " in out.read_text()
    assert "accepted" in result.stderr


def test_a_report_that_cannot_be_written_is_wrong_use(signed: Path, public: Path, tmp_path: Path) -> None:
    result = run("verify", signed, "--key", public, "-o", tmp_path / "absent" / "report.txt")
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_passwords_come_from_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "gehéim")
    monkeypatch.setenv("EMPTY", "")
    assert given_password(None, None) is None
    assert given_password("PW", None) == "gehéim".encode()
    for variable, descriptor in (("EMPTY", None), ("ABSENT", None), ("PW", 3)):
        with pytest.raises(UsageError):
            given_password(variable, descriptor)


@pytest.mark.parametrize(
    "data, password",
    [(b"secret\n", b"secret"), (b"secret", b"secret"), (b"secret\r\nmore", b"secret"), (b" s \n", b" s ")],
)
def test_a_password_from_a_descriptor_is_its_first_line(data: bytes, password: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    assert given_password(None, reading) == password
    os.close(reading)


def test_a_descriptor_without_a_password_is_wrong_use() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(UsageError, match="gave no password"):
        given_password(None, reading)
    os.close(reading)
    with pytest.raises(UsageError, match="cannot read"):
        given_password(None, 4321)
    too_long, writing = os.pipe()
    os.write(writing, b"x" * 5000)
    os.close(writing)
    with pytest.raises(UsageError, match="longer"):
        given_password(None, too_long)
    os.close(too_long)


def test_a_bundle_that_was_named_is_shown_as_it_was_given(
    signed: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(signed.parent)
    for name, status in (("broken.sig", 1), ("absent.sig", 3)):
        if status == 1:
            Path(name).write_text("{}")
        result = run("verify", "model", "--key", public, "--signature", name)
        assert result.exit_code == status
        assert f"  --> {name}\n" in result.stdout


def test_a_nested_directory_of_the_same_name_is_not_taken_for_its_parent(
    signed: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(signed.parent)
    (signed / "model").mkdir()
    (signed / "model" / "config.json").write_text("{}")
    assert "  --> model/model/config.json\n" in run("verify", "model", "--key", public).stdout
