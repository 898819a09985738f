"""The model, what a contributor does to it in one round, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from examples.federated.digits import Shard

__all__ = ["Weights", "accuracy", "first_weights", "trained"]

HIDDEN = 32
STEPS = 5
RATE = 0.5

Weights = dict[str, torch.Tensor]


def _model() -> nn.Module:
    return nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))


def first_weights(seed: int = 0) -> Weights:
    """Give the weights that everybody starts from."""
    torch.manual_seed(seed)
    return {name: value.detach().clone() for name, value in _model().state_dict().items()}


def trained(weights: Mapping[str, torch.Tensor], shard: Shard) -> Weights:
    """Take some steps of gradient descent on all that one person has."""
    model = _model()
    model.load_state_dict(dict(weights))
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(shard.pictures), shard.labels).backward()
        optimiser.step()
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def accuracy(weights: Mapping[str, torch.Tensor], test: Shard) -> float:
    """Give the share of the test's pictures that are read right."""
    model = _model()
    model.load_state_dict(dict(weights))
    with torch.no_grad():
        return float((model(test.pictures).argmax(dim=1) == test.labels).float().mean())
