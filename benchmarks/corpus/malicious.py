"""The malicious half: gadgets, calls, operands, shapes and containers, crossed at random but reproducibly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.corpus.calls import CALLS
from benchmarks.corpus.containers import CONTAINERS
from benchmarks.corpus.exhaustion import exhausting
from benchmarks.corpus.gadgets import GADGETS, Gadget
from benchmarks.corpus.operands import OPERANDS
from benchmarks.corpus.shapes import LARGE_SHAPES, SHAPES

__all__ = ["Sample", "malicious"]


class Sample(NamedTuple):
    """A file: the family it is counted in, a name, and its bytes."""

    family: str
    name: str
    data: bytes


def malicious(seed: int, count: int) -> Iterator[Sample]:
    """About ``count`` files: every member of every axis occurs, its companions are drawn at random."""
    rng = random.Random(seed)
    plans = [*_plans(rng, count)]
    for index, (gadget, call, operand, shape, container) in enumerate(plans):
        protocol, callee = OPERANDS[operand](gadget.module, gadget.name)
        body = CALLS[call](gadget, callee)
        data = {**SHAPES, **LARGE_SHAPES}[shape](protocol, body, rng)
        suffix, data = CONTAINERS[container](data, rng)
        family = "pickles" if container in ("a pickle", "a wrong extension") else "containers"
        yield Sample(family, f"{index:05}{suffix}", data)
    for index, (name, data) in enumerate(exhausting()):
        yield Sample("exhaustion", f"{index:05}-{name}", data)


def _plans(rng: random.Random, count: int) -> Iterator[tuple[Gadget, str, str, str, str]]:
    """First each pair of neighbouring axes, then whatever chance brings."""
    axes: tuple[list[str], ...] = (list(CALLS), list(OPERANDS), list(SHAPES), list(CONTAINERS))

    def draw(**fixed: str) -> tuple[Gadget, str, str, str, str]:
        drawn = [rng.choice(axis) for axis in axes]
        names = ("call", "operand", "shape", "container")
        call, operand, shape, container = (
            fixed.get(name, value) for name, value in zip(names, drawn, strict=True)
        )
        return fixed.get("gadget") or rng.choice(GADGETS), call, operand, shape, container  # type: ignore[return-value]

    for gadget in GADGETS:
        drawn = draw(container="a pickle", shape="plain", operand="global", call="reduce")
        yield (gadget, *drawn[1:])
        yield (gadget, *draw()[1:])
    for call in axes[0]:
        for operand in axes[1]:
            yield draw(call=call, operand=operand)
    for shape in axes[2]:
        for container in axes[3]:
            yield draw(shape=shape, container=container)
    for shape in LARGE_SHAPES:
        for container in ("a pickle", "a torch zip", "gzip", "an array of objects"):
            yield draw(shape=shape, container=container)
    produced = 2 * len(GADGETS) + len(axes[0]) * len(axes[1]) + len(axes[2]) * len(axes[3]) + 8
    for _ in range(max(0, count - produced)):
        yield draw()
