"""What stands around a derivation: the commit of the code, and the versions of what ran. Nothing is executed."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Final

__all__ = ["code_commit", "environment"]

# Packages whose version can change what training yields.
_NOTED: Final = (
    "ml-provenance",
    "accelerate",
    "datasets",
    "flax",
    "jax",
    "keras",
    "lightgbm",
    "numpy",
    "pandas",
    "peft",
    "polars",
    "pyarrow",
    "safetensors",
    "scikit-learn",
    "tensorflow",
    "tokenizers",
    "torch",
    "transformers",
    "xgboost",
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF: Final = re.compile(r"ref: (refs/[A-Za-z0-9._/@+-]{1,400})")
_MOST_BYTES: Final = 4 * 1024 * 1024


def environment() -> dict[str, object]:
    """Return the versions of Python, the platform and the packages of note that are installed."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version for name in _NOTED if (version := _version(name))},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def code_commit(directory: Path) -> str:
    """Return the commit that is checked out in a git work tree, "" where there is none.

    Files are read and git is not run: a repository's settings and hooks could run code. Whether files were changed
    since the commit is therefore not known. Source: gitrepository-layout(5), gitrevisions(7).
    """
    for place in (directory.resolve(), *directory.resolve().parents):
        git = _git_directory(place / ".git")
        if git is not None:
            return _head(git)
    return ""


def _git_directory(path: Path) -> Path | None:
    if path.is_dir():
        return path
    named = _read(path).removeprefix("gitdir: ").strip() if path.is_file() else ""
    return path.parent / named if named else None


def _head(git: Path) -> str:
    head = _read(git / "HEAD").strip()
    if _COMMIT.fullmatch(head):
        return head
    named = _REF.fullmatch(head)
    if named is None or ".." in named[1]:
        return ""
    common = _read(git / "commondir").strip()
    shared = git / common if common else git
    for place in (git, shared):
        commit = _read(place / named[1]).strip()
        if _COMMIT.fullmatch(commit):
            return commit
    for line in _read(shared / "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == named[1] and _COMMIT.fullmatch(commit):
            return commit
    return ""


def _read(path: Path) -> str:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
