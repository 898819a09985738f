"""A small world for stories about rounds: a roster, contributors with keys, a base model, a folder of signed updates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from provenance.aggregation.rounds.replaying import replay
from provenance.aggregation.rounds.result import Replay, Round
from provenance.aggregation.rounds.round import aggregate
from provenance.attestations.contribution import Base, Contribution, Update, contribution_statement
from provenance.lineage.statements import write_statement
from provenance.lineage.subjects import subject_of
from provenance.signing.keys import PrivateKey, generate, write_key_pair
from provenance.trust.roster_editing import add_contributor, init_roster, revoke_contributor
from provenance.trust.roster_signing import sign_roster

NAMES = ("alice", "bob", "cora", "dave", "erin", "frank", "grace")
SHAPES = {"layer.weight": (40, 30), "layer.bias": (30,)}


class World:
    """Seven contributors around one base model; every story changes one thing."""

    def __init__(self, root: Path, contributors: tuple[str, ...] = NAMES, **rights: float) -> None:
        self.root = root
        self.folder = root / "round"
        self.folder.mkdir()
        self.roster = root / "roster.toml"
        self.keys: dict[str, PrivateKey] = {name: generate("ed25519") for name in contributors}
        self.maintainer = generate("ed25519")
        self.server = root / "server.key"
        write_key_pair(self.server, generate("ed25519"))
        init_roster(self.roster, maintainers=[self.maintainer.public_key()])
        for name, key in self.keys.items():
            add_contributor(self.roster, name, keys=[key.public_key()], voting_right=rights.get(name, 1.0))
        self.sign_roster()
        self.rng = np.random.default_rng(5)
        self.base = self.write(root / "base.safetensors", self.values(0.0))

    @property
    def server_public(self) -> Path:
        return self.server.with_name("server.key.pub")

    def sign_roster(self) -> None:
        sign_roster(self.roster, key=self.maintainer)

    def revoke(self, name: str) -> None:
        revoke_contributor(self.roster, name, reason="the laptop was stolen")
        self.sign_roster()

    def values(self, centre: float = 1.0, noise: float = 0.1, dtype: str = "f4") -> dict[str, np.ndarray]:
        return {
            name: (centre + noise * self.rng.normal(size=shape)).astype(dtype)
            for name, shape in SHAPES.items()
        }

    def write(self, path: Path, values: dict[str, np.ndarray]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(values, path)
        return path

    def update(
        self,
        name: str,
        values: dict[str, np.ndarray] | None = None,
        *,
        file: str = "",
        by: PrivateKey | None = None,
        **changes: Any,
    ) -> Path:
        """Write an update and sign it as a contributor does; ``changes`` are members of the update's statement."""
        path = self.write(
            self.folder / (file or f"{name}.safetensors"), self.values() if values is None else values
        )
        self.sign(path, name, by=by, **changes)
        return path

    def sign(self, path: Path, name: str, *, by: PrivateKey | None = None, **changes: Any) -> Path:
        base = changes.pop("base", "") or subject_of(self.base).digest["sha256"]
        told = {"task": "digits", "round": 12, "form": "weights", **changes}
        contribution = Contribution(
            contributor=name,
            kind="update",
            created_at=datetime.now(UTC),
            update=Update(base=Base(sha256=base), **told),
        )
        statement = contribution_statement(subject_of(path), contribution)
        return write_statement(statement, signer=by or self.keys[name], artifact=path, kind="contribution")

    def everybody(self, **values: dict[str, np.ndarray]) -> None:
        for name in self.keys:
            self.update(name, values.get(name))

    def aggregate(self, rule: str = "trimmed-mean", faulty: int = 1, **options: Any) -> Round:
        chosen = {"round": "digits@12", "roster_keys": [self.maintainer.public_key()], **options}
        return aggregate(self.folder, roster=self.roster, rule=rule, faulty=faulty, **chosen)

    def signed(self, **options: Any) -> Path:
        """Aggregate to a signed result."""
        result = self.aggregate(output=self.root / "out.safetensors", key=self.server, **options)
        assert result.decision == "accepted", result.findings
        return self.root / "out.safetensors"

    def replay(self, result: Path, **options: Any) -> Replay:
        chosen = {
            "roster_keys": [self.maintainer.public_key()],
            "keys": [self.server_public],
            **options,
        }
        return replay(result, updates=self.folder, roster=self.roster, **chosen)


def rules(result: Round | Replay) -> list[tuple[str, str]]:
    return [(each.contributor, each.rule) for each in result.rejected]


def errors(result: Round | Replay) -> list[str]:
    return [found.rule for found in result.findings if found.severity == "error"]


def loaded(path: Path) -> dict[str, np.ndarray]:
    return load_file(path)
