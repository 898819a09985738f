"""Training in rounds: everybody trains, signs and hands in; the server verifies, combines and signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import provenance
from examples.federated.attackers import MAX_NORM, worst_updates
from examples.federated.digits import Digits
from examples.federated.methods import Method
from examples.federated.people import HONEST, People
from examples.federated.training import Weights, accuracy, first_weights, trained
from provenance.signing.keys import PrivateKey

__all__ = ["Training", "contributions", "play", "played"]

TASK = "digits"


@dataclass(frozen=True)
class Training:
    """A model being trained by one method, with so many attackers, in a directory of its own."""

    root: Path
    people: People
    digits: Digits
    method: Method
    attackers: Sequence[str] = ()

    def model(self, number: int) -> Path:
        """Where the model of a round's end lies; number 0 is what all start from."""
        return self.root / f"model-{number}.safetensors"

    def folder(self, number: int) -> Path:
        """Where the updates of a round lie."""
        return self.root / f"round-{number}"


def played(training: Training, rounds: int) -> Iterator[float]:
    """Train for some rounds; gives the accuracy before the first and after each."""
    training.root.mkdir(parents=True)
    weights = first_weights()
    save_file(weights, training.model(0))
    provenance.sign(training.model(0), key=training.people.server)
    yield accuracy(weights, training.digits.test)
    for number in range(1, rounds + 1):
        contributions(training, number)
        play(training, number)
        yield accuracy(_verified(training, number), training.digits.test)


def contributions(training: Training, number: int) -> None:
    """Let everybody train on the model that the server signed, and hand in what came of it, signed.

    Where members attack, so does a stranger, who signs a huge update in the name of ada.
    """
    base = _verified(training, number - 1)
    updates = {name: trained(base, shard) for name, shard in zip(HONEST, training.digits.shards, strict=True)}
    if training.attackers:
        honest = np.stack([_flat(update) for update in updates.values()])
        sent = worst_updates(_flat(base), honest, len(training.attackers), training.method)
        updates |= {name: _shaped(row, base) for name, row in zip(training.attackers, sent, strict=True)}
    training.folder(number).mkdir()
    for name, update in updates.items():
        _hand_in(training, number, name, update, training.people.keys[name])
    if training.attackers:
        huge = {name: 100 * value for name, value in base.items()}
        _hand_in(training, number, "ada", huge, training.people.stranger, file="stranger")


def _hand_in(
    training: Training, number: int, name: str, update: Weights, key: PrivateKey, *, file: str = ""
) -> None:
    path = training.folder(number) / f"{file or name}.safetensors"
    save_file(update, path)
    provenance.contribute(
        path, contributor=name, key=key, round=f"{TASK}@{number}", base=training.model(number - 1)
    )


def play(training: Training, number: int) -> provenance.Round:
    """Verify the updates of a round and combine those that count into the next model."""
    method = training.method
    result = provenance.aggregate(
        training.folder(number),
        roster=training.people.roster,
        roster_keys=[training.people.maintainer],
        round=f"{TASK}@{number}",
        base=training.model(number - 1),
        rule=method.rule,
        faulty=method.faulty,
        pre=method.pre,
        parameters=method.parameters,
        max_norm=MAX_NORM,
        output=training.model(number),
        key=training.people.server,
    )
    if result.decision != "accepted":
        raise RuntimeError(f"round {number} was {result.decision}: {result.findings}")
    return result


def _verified(training: Training, number: int) -> Weights:
    """Load the model only if the server signed it."""
    return provenance.load(training.model(number), keys=[training.people.announced], framework="torch")


def _flat(weights: Weights) -> np.ndarray:
    return np.concatenate([weights[name].numpy().ravel() for name in sorted(weights)])


def _shaped(flat: np.ndarray, like: Weights) -> Weights:
    names = sorted(like)
    parts = np.split(flat, np.cumsum([like[name].numel() for name in names])[:-1])
    return {
        name: torch.from_numpy(part.reshape(like[name].shape).astype(np.float32))
        for name, part in zip(names, parts, strict=True)
    }
