"""Small float64 algebra with one order of operations: the same bits on every processor and with every BLAS.

Only additions, multiplications, divisions and square roots, which IEEE 754 rounds in one way, each by a call of
its own, so that no compiler can contract them; no reduction whose order is the library's choice.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from provenance.aggregation.updates import Floats, Grid

__all__ = ["eigen", "product", "quantised", "refuse_flushing", "solve", "total"]

SWEEPS: Final = 24  # Jacobi needs about 8 for n = 100; the loop ends by itself
COEFFICIENT_BITS: Final = 48


def refuse_flushing() -> None:
    """Raise RuntimeError where this thread takes denormal numbers for zero; they are kept here, always."""
    if not (np.array([5e-324, 1e-320]) * np.array([1.0, 1.0])).all():
        raise RuntimeError(
            "the processor flushes denormal numbers to zero, which changes results; "
            "switch that off (torch.set_flush_denormal(False))"
        )


def total(values: Any) -> Any:
    """Add the rows of an array from the first to the last."""
    result = np.array(values[0], np.float64)
    for row in values[1:]:
        result = result + row
    return result


def product(left: Grid, right: Any) -> Any:
    """Multiply [m, k] by [k] or [k, n], adding over k from the first to the last."""
    vector = right.ndim == 1
    columns = right[:, None] if vector else right
    result = np.zeros((left.shape[0], columns.shape[1]))
    for k in range(left.shape[1]):
        result += left[:, k, None] * columns[k]
    return result[:, 0] if vector else result


def quantised(coefficients: Floats) -> Floats:
    """Round coefficients to multiples of 2^-48, which a statement can write down in full."""
    return np.ldexp(np.rint(np.ldexp(coefficients, COEFFICIENT_BITS)), -COEFFICIENT_BITS)


def solve(matrix: Grid, right: Floats) -> Floats | None:
    """Solve a linear system by elimination with partial pivoting; None where the matrix is singular."""
    n = len(right)
    work = np.concatenate([matrix, right[:, None]], axis=1)
    for k in range(n):
        pivot = k + int(np.argmax(np.abs(work[k:, k])))
        if not abs(work[pivot, k]) > 0 or not np.isfinite(work[pivot, k]):
            return None
        work[[k, pivot]] = work[[pivot, k]]
        factors = work[k + 1 :, k] / work[k, k]
        work[k + 1 :, k:] -= factors[:, None] * work[k, k:]
    result = np.zeros(n)
    for k in range(n - 1, -1, -1):
        result[k] = work[k, n] / work[k, k]
        work[:k, n] -= work[:k, k] * result[k]
    return result


def eigen(matrices: Any) -> tuple[Any, Any]:
    """Give eigenvalues [..., n] and eigenvectors [..., n, n] (in columns) of symmetric matrices, in no order.

    Cyclic Jacobi rotations, n/2 disjoint ones at a time in the order of a round-robin tournament (Golub and Van
    Loan, Matrix Computations, 8.5), until every off-diagonal element is negligible against the diagonal.
    """
    n = matrices.shape[-1]
    work = np.array(matrices, np.float64)
    vectors = np.broadcast_to(np.eye(n), work.shape).copy()
    if n == 1:
        return work[..., 0], vectors
    rounds = _tournament(n)
    for _ in range(SWEEPS):
        if _is_diagonal(work):
            break
        for left, right in rounds:
            _rotate(work, vectors, left, right)
    return np.diagonal(work, axis1=-2, axis2=-1).copy(), vectors


def _is_diagonal(work: Any) -> bool:
    n = work.shape[-1]
    scale = np.abs(np.diagonal(work, axis1=-2, axis2=-1)).max(axis=-1)
    rest = np.abs(work) * (1 - np.eye(n))
    return bool((rest.max(axis=(-2, -1)) <= scale * 2.0**-56).all())


def _rotate(work: Any, vectors: Any, left: Any, right: Any) -> None:
    """Turn the planes (left[k], right[k]) so that the elements between them vanish."""
    between = work[..., left, right]
    apart = work[..., right, right] - work[..., left, left]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        theta = apart / (2.0 * between)
        tangent = np.where(theta < 0, -1.0, 1.0) / (np.abs(theta) + np.sqrt(theta * theta + 1.0))
    tangent = np.where(between == 0, 0.0, tangent)
    cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
    sine = tangent * cosine
    for target in (work, vectors):
        a, b = target[..., :, left], target[..., :, right]
        target[..., :, left], target[..., :, right] = (
            cosine[..., None, :] * a - sine[..., None, :] * b,
            sine[..., None, :] * a + cosine[..., None, :] * b,
        )
    a, b = work[..., left, :], work[..., right, :]
    work[..., left, :], work[..., right, :] = (
        cosine[..., :, None] * a - sine[..., :, None] * b,
        sine[..., :, None] * a + cosine[..., :, None] * b,
    )
    work[..., left, right] = 0.0
    work[..., right, left] = 0.0


def _tournament(n: int) -> list[tuple[Any, Any]]:
    """Pair n players so that each meets each once, in rounds of disjoint pairs (the circle method)."""
    players: list[int] = [*range(n), *([-1] if n % 2 else [])]
    rounds = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        pairs = zip(players[:half], reversed(players[half:]), strict=True)
        met = [(min(pair), max(pair)) for pair in pairs if -1 not in pair]
        rounds.append((np.array([a for a, _ in met]), np.array([b for _, b in met])))
        players = [players[0], players[-1], *players[1:-1]]
    return rounds
