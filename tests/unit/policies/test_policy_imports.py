"""The ground floor is light and stands on nothing of this project."""

from __future__ import annotations

import subprocess
import sys

import policies

LOADED = "import sys, msgspec, policies; print(*sys.modules)"


def loaded() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, cwd=root()
    )
    return set(done.stdout.split())


def root() -> str:
    return policies.__file__.rsplit("/", 2)[0]


def test_what_only_policy_files_and_errors_need_is_not_loaded_with_the_package():
    assert not loaded() & {"tomllib", "difflib", "json", "policies.policy_document", "policies.expressions"}


def test_nothing_of_the_floors_above_is_loaded():
    heavy = {"provenance", "cli", "cryptography", "click", "rich", "numpy", "sigstore", "blake3"}
    assert not {module.partition(".")[0] for module in loaded()} & heavy


def test_every_public_name_is_there_and_sorted_out():
    assert all(hasattr(policies, name) for name in policies.__all__)
    assert len(set(policies.__all__)) == len(policies.__all__)
