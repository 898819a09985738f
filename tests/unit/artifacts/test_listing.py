import os
import socket
from pathlib import Path

import pytest

from provenance.artifacts.listing import list_artifact


def rules(path: Path, **options) -> dict[str, str]:
    return {found.path: found.rule for found in list_artifact(path, **options).findings}


def names(path: Path, **options) -> list[str]:
    return [entry.name for entry in list_artifact(path, **options).files]


def test_lists_regular_files_sorted_by_name(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a/b/c", "B"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names(tmp_path) == ["B", "a/b/c", "a/z", "b"]


def test_leaves_out_default_paths_at_the_top_only_and_reports_them(tmp_path: Path) -> None:
    for name in (".git/config", ".gitignore", ".gitattributes", ".github/x.yml", "sub/.gitignore", "w"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    listing = list_artifact(tmp_path)
    assert [entry.name for entry in listing.files] == ["sub/.gitignore", "w"]
    assert listing.uncovered == (".git", ".gitattributes", ".github", ".gitignore")


def test_ignores_exact_paths_with_their_subtree_only(tmp_path: Path) -> None:
    for name in ("cache/x", "sub/cache/y", "cached"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names(tmp_path, ignore=("cache",)) == ["cached", "sub/cache/y"]


def test_attestation_files_are_no_part_but_what_hides_beside_them_is(tmp_path: Path) -> None:
    for name in ("model.sig", "w", "w.sigstore.json", "evil.sigstore.json", "sub/model.sig"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    for name in ("a.sigstore.json", "b.jsonl", "evil.py"):
        (tmp_path / ".provenance").mkdir(exist_ok=True)
        (tmp_path / ".provenance" / name).write_text("x")
    assert names(tmp_path) == [".provenance/evil.py", "evil.sigstore.json", "sub/model.sig", "w"]


def test_a_half_written_bundle_is_no_part(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("x")
    (tmp_path / ".model.sig.0123456789abcdef.tmp").write_text("x")
    (tmp_path / ".other.0123456789abcdef.tmp").write_text("x")
    assert names(tmp_path) == [".other.0123456789abcdef.tmp", "w"]


@pytest.mark.parametrize("target", ["/etc/passwd", "w", "nothing", "..", "."])
def test_links_are_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "w").write_text("x")
    (tmp_path / "link").symlink_to(target)
    assert rules(tmp_path) == {"link": "ART001"}


@pytest.mark.parametrize("target", ["/etc/passwd", "nothing", "..", "."])
def test_allowed_links_must_stay_inside(tmp_path: Path, target: str) -> None:
    (tmp_path / "w").write_text("x")
    (tmp_path / "link").symlink_to(target)
    assert rules(tmp_path, allow_symlinks=True) == {"link": "ART001"}


def test_allowed_links_are_listed_under_their_own_names(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "w").write_text("x")
    (tmp_path / "file").symlink_to("d/w")
    (tmp_path / "directory").symlink_to("d")
    assert names(tmp_path, allow_symlinks=True) == ["d/w", "directory/w", "file"]


def test_pipes_sockets_and_devices_are_refused_without_opening_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        assert rules(tmp_path) == {"pipe": "ART002", "socket": "ART002"}
    assert rules(tmp_path / "pipe") == {str(tmp_path / "pipe"): "ART002"}


def test_names_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("x")
    assert rules(tmp_path) == {"\\xff": "ART003"}


@pytest.mark.parametrize(("one", "other"), [("A", "a"), ("é", "e\u0301"), ("STRASSE", "straße")])
def test_names_that_collide_are_a_warning(tmp_path: Path, one: str, other: str) -> None:
    (tmp_path / one).write_text("x")
    (tmp_path / other).write_text("x")
    (found,) = list_artifact(tmp_path).findings
    assert (found.rule, found.severity) == ("ART006", "warning")


def test_directories_that_collide_are_a_warning(tmp_path: Path) -> None:
    for name in ("A/x", "a/y"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    assert rules(tmp_path) == {"a": "ART006"}


def test_empty_and_absent_artifacts_have_a_finding(tmp_path: Path) -> None:
    assert set(rules(tmp_path).values()) == {"ART007"}
    assert set(rules(tmp_path / "absent").values()) == {"ART010"}
    (tmp_path / ".git").mkdir()
    assert set(rules(tmp_path).values()) == {"ART007"}
