"""One result whatever the processor that BLAS takes this for, the instructions of numpy, and where rows lie in memory."""

import hashlib
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from provenance.aggregation import RULES, aggregate, aggregate_arrays
from provenance.aggregation.gram import GramBlock, gram_block
from provenance.aggregation.updates import BLOCK, ArrayUpdates

PROGRAM = """
import hashlib
import numpy as np
from provenance.aggregation import RULES, aggregate_arrays
x = np.random.default_rng(0).standard_normal((15, 40_000), np.float32)
x[1] *= 300
found = hashlib.sha256()
for rule in RULES:
    for pre in ((), ("nnm",), ("arc",)):
        found.update(aggregate_arrays(x, rule=rule, faulty=0 if rule == "mean" else 3, pre=pre).tobytes())
print(found.hexdigest())
"""
MACHINES = [
    {},
    {"OPENBLAS_CORETYPE": "Haswell"},
    {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1"},
    {
        "OPENBLAS_CORETYPE": "SkylakeX",
        "NPY_DISABLE_CPU_FEATURES": "AVX512_SKX AVX512_ICL AVX512_CLX AVX512_CNL",
    },
    {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 FMA3"},
]


def digest_on(machine: dict[str, str]) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env=os.environ | machine,
        check=False,
        capture_output=True,
        text=True,
    )
    return run.stdout.strip() if run.returncode == 0 else f"failed: {run.stderr[-500:]}"


def test_one_digest_on_every_machine() -> None:
    digests = {digest_on(machine) for machine in MACHINES}
    ran = {digest for digest in digests if not digest.startswith("failed: ")}
    refused = [d for d in digests - ran if "NPY_DISABLE_CPU_FEATURES" not in d]  # not for every processor
    assert len(ran) == 1
    assert not refused


def test_parts_of_the_gram_matrix_add_up_in_any_order() -> None:
    x = np.random.default_rng(0).standard_normal((9, 7 * BLOCK + 123), np.float32)
    x[2] *= 1e5
    updates = ArrayUpdates(x)
    starts = range(0, updates.d, BLOCK)
    parts = [gram_block(updates, start, min(start + BLOCK, updates.d), centre=4) for start in starts]
    whole = gram_block(updates, 0, updates.d, centre=4).integers()
    for seed in range(5):
        total = GramBlock(0, {})
        for index in np.random.default_rng(seed).permutation(len(parts)):
            total = total + parts[index]
        exponent, integers = total.integers()
        assert exponent == whole[0]
        assert (integers == whole[1]).all()


def test_many_parts_do_not_overflow() -> None:
    x = np.ones((2, 10), np.float32)
    part = gram_block(ArrayUpdates(x), 0, 10)
    total = GramBlock(0, {})
    for _ in range(2000):
        total = total + GramBlock(300, {key: values << 10 for key, values in part.parts.items()})
    exponent, integers = total.integers()
    assert float(integers[0, 1]) * 2.0**exponent == 10 * 2000 * 1024


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-7])
@pytest.mark.parametrize("kind", ["normal", "spiky", "one far", "pairs", "frozen", "scales"])
def test_distances_are_right_to_a_millionth(kind: str, spread: float) -> None:
    random = np.random.default_rng(0)
    n, d = 8, 3 * BLOCK + 77
    x = random.standard_normal((n, d), np.float32)
    match kind:
        case "spiky":
            x *= random.random((n, d)) < 0.001
        case "one far":
            x[0] *= 1e6
        case "pairs":
            x[1] = x[0] + 1e-4 * x[2]
        case "frozen":
            x[:, : 2 * BLOCK] = x[0, : 2 * BLOCK]
        case "scales":
            x *= 10.0 ** random.integers(-6, 6, d).astype(np.float32)
    x = (random.standard_normal(d) + spread * x).astype(np.float32)
    wide = x.astype(np.float64)
    for centre in (0, 3, None):
        exponent, gram = gram_block(ArrayUpdates(x), 0, d, centre=centre).integers()
        lengths = np.diagonal(gram)
        squares = (lengths + lengths[:, None] - 2 * gram).astype(np.float64) * 2.0**exponent
        wanted = ((wide[:, None] - wide[None]) ** 2).sum(axis=-1)
        assert np.abs(squares - wanted).max() <= 1e-6 * wanted.max()
        apart = wanted > 0
        assert (np.abs(squares - wanted)[apart] <= 2e-6 * wanted[apart]).all()


@pytest.mark.parametrize("rule", RULES)
def test_where_rows_lie_in_memory_changes_nothing(rule: str) -> None:
    x = np.random.default_rng(0).standard_normal((11, 900), np.float32)
    wanted = aggregate_arrays(x, rule=rule, faulty=0 if rule == "mean" else 2).tobytes()
    backwards = x[:, ::-1].copy()[:, ::-1]
    for other in (
        np.asfortranarray(x),
        np.repeat(x, 2, axis=1)[:, ::2],
        backwards,
        x.astype(">f4"),
        x.tolist(),
    ):
        found = aggregate_arrays(
            np.asarray(other, np.float32) if isinstance(other, list) else other,
            rule=rule,
            faulty=0 if rule == "mean" else 2,
        )
        assert found.tobytes() == wanted


@pytest.mark.parametrize("rule", RULES)
def test_updates_are_left_as_they_are(rule: str) -> None:
    x = np.random.default_rng(0).standard_normal((11, 900), np.float32)
    x.flags.writeable = False
    before = hashlib.sha256(x.tobytes()).hexdigest()
    for pre in ((), ("clip",), ("arc", "nnm"), ("bucketing",)):
        if rule != "bulyan" or "bucketing" not in pre:
            aggregate_arrays(x, rule=rule, faulty=0 if rule == "mean" else 2, pre=pre)
    assert hashlib.sha256(x.tobytes()).hexdigest() == before


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("rule", RULES)
def test_zeros_have_no_sign(rule: str, dtype: str) -> None:
    x = np.array([[0.0], [-0.0], [-0.0], [0.0], [-0.0], [0.0], [-0.0]], dtype)
    for rows in (x, -x, np.full((7, 1), -0.0, dtype)):
        for pre in ((), ("nnm",)):
            found = aggregate_arrays(rows, rule=rule, faulty=0 if rule == "mean" else 1, pre=pre)
            assert found.tobytes() == bytes(x.itemsize)


def test_denormal_numbers_are_kept() -> None:
    x = np.full((5, 3), 1e-40, np.float32)
    for rule in ("mean", "median", "trimmed-mean", "krum", "geometric-median"):
        assert (aggregate_arrays(x, rule=rule, faulty=0) == np.float32(1e-40)).all()
    tiny = np.full((5, 3), 5e-324)
    assert (aggregate_arrays(tiny, rule="median", faulty=2) == 5e-324).all()


@pytest.mark.parametrize("rule", ["trimmed-mean", "krum", "geometric-median", "mda", "meamed", "caf"])
def test_huge_and_tiny_numbers_are_like_others(rule: str) -> None:
    x = np.random.default_rng(0).normal(size=(9, 50))
    wanted = aggregate_arrays(x, rule=rule, faulty=2)
    for power in (900, -900, 100, -100):
        found = aggregate_arrays(np.ldexp(x, power), rule=rule, faulty=2)
        assert np.allclose(np.ldexp(found, -power), wanted, rtol=1e-9, atol=1e-12)


def test_extra_memory_is_bounded() -> None:
    import tracemalloc

    x = np.zeros((20, 1_000_000), np.float32)
    x[:, ::3] = np.random.default_rng(0).standard_normal((20, 333_334))
    updates = ArrayUpdates(x)
    for rule in ("trimmed-mean", "krum", "geometric-median", "bulyan"):
        for pre in ((), ("nnm",)):
            tracemalloc.start()
            aggregate(updates, rule=rule, faulty=4, pre=pre, threads=2, out=lambda start, values: None)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 64 * 2**20


def some(seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=(9, 40))


@pytest.mark.parametrize("pre", [(), ("nnm",), ("bucketing",)])
@pytest.mark.parametrize("rule", [name for name, rule in RULES.items() if rule.equivariant])
def test_moving_all_updates_moves_the_result(rule: str, pre: tuple[str, ...]) -> None:
    if rule == "bulyan" and "bucketing" in pre:
        return
    f = 0 if rule == "mean" else 1
    for seed in range(5):
        x = some(seed)
        moved = 50 * np.random.default_rng(99).normal(size=40)
        found = aggregate_arrays(x + moved, rule=rule, faulty=f, pre=pre)
        assert np.allclose(found - moved, aggregate_arrays(x, rule=rule, faulty=f, pre=pre), atol=1e-7)
