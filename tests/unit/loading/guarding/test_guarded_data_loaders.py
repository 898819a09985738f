"""Data loaders of torch with workers, inside the guard: samples of any class pass, what workers unpickle does not."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

import pytest
import torch

import provenance

EVIL = b"cos\nsystem\n(S'true'\ntR."


class Pair(NamedTuple):
    left: int
    right: bool


pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def attempt() -> str:
    try:
        pickle.loads(EVIL)
        return "loaded"
    except provenance.Refused:
        return "refused"


class Samples(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": torch.full((300,), float(index)), "pair": Pair(index, attempt() == "refused")}


def as_they_are(batch: list[Any]) -> list[Any]:
    return batch


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_data_loaders_work_and_their_workers_are_guarded(method: str) -> None:
    with provenance.guard(policy="harmless"):
        loader = torch.utils.data.DataLoader(
            Samples(), batch_size=4, num_workers=2, multiprocessing_context=method, collate_fn=as_they_are
        )
        found = [item for batch in loader for item in batch]
    assert [item["x"][0].item() for item in found] == list(range(8))
    assert all(item["pair"].right for item in found)
