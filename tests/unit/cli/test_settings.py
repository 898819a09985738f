"""Settings from pyproject.toml: options and the environment go first, and the artifact's own are not heard."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from cli.settings import find_pyproject

UNTRUSTED = "settings never come from the artifact's own directory"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git work tree with an empty signed-to-be model in it, and the working directory in it."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "data" / "x.json").write_text("{}\n")
    monkeypatch.chdir(root)
    return root


def write(directory: Path, text: str) -> None:
    (directory / "pyproject.toml").write_text(text)


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(main, arguments, env=env)


def policy_of(result: Result) -> str:
    return json.loads(result.stdout)["policy"]


def test_settings_are_taken_and_said(project: Path) -> None:
    write(project, '[tool.provenance]\nformat = "json"\npolicy = "ci"\n')
    result = run("scan", "data")
    assert policy_of(result) == "ci"
    assert "note: --policy taken from [tool.provenance] in pyproject.toml" in result.stderr


def test_flags_go_before_the_environment_before_the_file(project: Path) -> None:
    write(project, '[tool.provenance]\nformat = "json"\npolicy = "ci"\n')
    assert policy_of(run("scan", "data", PROVENANCE_SCAN_POLICY="training")) == "training"
    assert policy_of(run("scan", "data", PROVENANCE_POLICY="training")) == "training"
    assert policy_of(run("scan", "data", "--policy", "strict", PROVENANCE_POLICY="training")) == "strict"


def test_the_table_of_a_command_goes_before_the_common_one(project: Path) -> None:
    for text in (
        '[tool.provenance.scan]\npolicy = "ci"\n[tool.provenance]\npolicy = "strict"\nformat = "json"\n',
        '[tool.provenance]\npolicy = "strict"\nformat = "json"\n[tool.provenance.scan]\npolicy = "ci"\n',
    ):
        write(project, text)
        assert policy_of(run("scan", "data")) == "ci"


@pytest.mark.parametrize("artifact", [".", "../project", "../project/pyproject.toml", "x.json"])
def test_the_artifacts_own_settings_are_not_heard(project: Path, artifact: str) -> None:
    (project / "x.json").write_text("{}\n")
    write(project, '[tool.provenance]\nformat = "json"\npolicy = "ci"\n')
    result = run("scan", artifact)
    assert policy_of(result) == "harmless"
    assert UNTRUSTED in result.stderr


def test_a_link_does_not_hide_whose_settings_they_are(project: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(project)
    write(project, '[tool.provenance]\nformat = "json"\npolicy = "ci"\n')
    assert policy_of(run("scan", str(tmp_path / "alias"))) == "harmless"


def test_a_model_cannot_name_the_key_that_it_is_verified_with(
    signed: Path, public: Path, monkeypatch
) -> None:
    write(signed, f'[tool.provenance.verify]\nkey = ["{public}"]\nignore-unsigned-files = true\n')
    monkeypatch.chdir(signed)
    result = run("verify", ".")
    assert result.exit_code == 3
    assert "POL002" in result.stdout
    assert UNTRUSTED in result.stderr


def test_keys_are_found_from_the_files_directory(signed: Path, public: Path, monkeypatch) -> None:
    root = signed.parent
    (root / ".git").mkdir()
    (root / "sub").mkdir()
    (root / "release.pub").write_bytes(public.read_bytes())
    write(root, '[tool.provenance.verify]\nkey = "release.pub"\n')
    monkeypatch.chdir(root / "sub")
    result = run("verify", "../model")
    assert (result.exit_code, "--key taken from" in result.stderr) == (0, True)


@pytest.mark.parametrize(
    "text, line, said",
    [
        ('[tool.provenance]\n\npolcy = "ci"\n', 3, "unknown key `polcy` in [tool.provenance]"),
        (
            '[tool.provenance.scan]\npolicy = "ci"\nkey = "x"\n',
            3,
            "unknown key `key` in [tool.provenance.scan]",
        ),
        ("[tool.provenance]\ncolor = 1\n", 2, "`color` must be a string"),
        ('[tool.provenance]\ncolor = "red"\n', 2, "`color` must be one of auto, always, never"),
        ('[tool.provenance.sign]\n#\nshard-size = "1"\n', 3, "`shard-size` must be a whole number"),
        ('[tool.provenance.verify]\nthorough = "yes"\n', 2, "`thorough` must be true or false"),
        ("[tool.provenance.verify]\nkey = [1]\n", 2, "`key` must be a string or a list of such"),
        ('[tool.provenance]\nscan.polcy = "ci"\n', 2, "unknown key `polcy`"),
        ("[tool]\nprovenance = 3\n", 2, "[tool.provenance] is not a table"),
    ],
)
def test_wrong_settings_are_wrong_use_with_the_line(project: Path, text: str, line: int, said: str) -> None:
    write(project, text)
    result = run("scan", "data")
    assert result.exit_code == 2
    assert f"pyproject.toml, line {line}: " in result.stderr
    assert said in result.stderr


def test_a_near_miss_is_named(project: Path) -> None:
    write(project, '[tool.provenance]\npolcy = "ci"\n')
    assert "did you mean `policy`?" in run("scan", "data").stderr


@pytest.mark.parametrize(
    "data", [b"provenance = [", b"provenance = '\xff'", b"#provenance" + b" " * (1 << 20)]
)
def test_a_broken_file_is_wrong_use(project: Path, data: bytes) -> None:
    (project / "pyproject.toml").write_bytes(data)
    result = run("scan", "data")
    assert (result.exit_code, "pyproject.toml" in result.stderr) == (2, True)


def test_files_that_do_not_speak_of_us_are_left_alone(project: Path) -> None:
    for text in ("[broken", "[tool.ruff]\nline-length = 100\n", '[project]\nname = "provenance"\n'):
        write(project, text)
        assert run("scan", "data").exit_code == 0


def test_how_far_up_is_looked(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    write(tmp_path, "")
    assert find_pyproject(str(inner)) is None, "no work tree: what lies above may be a stranger's"
    assert find_pyproject(str(tmp_path)) == str(tmp_path / "pyproject.toml")
    (tmp_path / ".git").mkdir()
    assert find_pyproject(str(inner)) == str(tmp_path / "pyproject.toml")
    (tmp_path / "a" / ".git").mkdir()
    assert find_pyproject(str(inner)) is None, "the root of the work tree is the end"


def test_help_needs_no_sound_settings(project: Path) -> None:
    write(project, "[tool.provenance]\nnonsense = 1\n")
    assert run("--help").exit_code == 0
    assert run("--version").exit_code == 0
