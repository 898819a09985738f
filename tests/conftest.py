"""What many tests need: a key pair, a small model, and a signed one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from safetensors.numpy import save_file

import provenance
from provenance.signing.keys import generate, write_key_pair

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

KEYS: dict[str, Path] = {}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One private key of each algorithm, made once; ``<path>.pub`` lies beside each."""
    if not KEYS:
        home = tmp_path_factory.mktemp("keys")
        for algorithm in ("ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "ml-dsa-65"):
            write_key_pair(home / algorithm, generate(algorithm))
            KEYS[algorithm] = home / algorithm
    return KEYS


@pytest.fixture
def key(keys: dict[str, Path]) -> Path:
    return keys["ecdsa-p256"]


@pytest.fixture
def public(key: Path) -> Path:
    return key.with_name(key.name + ".pub")


def make_model(root: Path, rows: int = 3000) -> Path:
    """A directory with weights of three chunks, a configuration and a nested file."""
    model = root / "model"
    (model / "tokenizer").mkdir(parents=True)
    rng = np.random.default_rng(7)
    tensors = {
        "embedding": rng.standard_normal((rows, 1000), dtype=np.float32),
        "bias": np.arange(10, dtype=np.float32),
    }
    save_file(tensors, model / "model.safetensors")
    (model / "config.json").write_text('{"layers": 2}\n', encoding="utf-8")
    (model / "tokenizer" / "vocab.txt").write_text("a\nb\n", encoding="utf-8")
    return model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path)


@pytest.fixture
def signed(model: Path, key: Path) -> Path:
    provenance.sign(model, key=key)
    return model


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PROVENANCE_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_memory_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each test has a memory of its own of the rosters, checkpoints and statements that were seen."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
