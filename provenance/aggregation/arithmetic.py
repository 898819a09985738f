"""Small float64 algebra with one order of operations: the same bits on every processor and with every BLAS.

Only additions, multiplications, divisions and square roots, which IEEE 754 rounds in one way, each by a call of
its own, so that no compiler can contract them; no reduction whose order is the library's choice.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from provenance.aggregation.updates import Floats, Grid

__all__ = ["dominant", "product", "quantised", "refuse_flushing", "solve", "total"]

SQUARINGS: Final = 45
ALIKE: Final = 2.0**-46
COEFFICIENT_BITS: Final = 48
AT_ONCE: Final = 1 << 17  # terms of a product


def refuse_flushing() -> None:
    """Raise RuntimeError where this thread takes denormal numbers for zero; they are kept here, always."""
    if not (np.array([5e-324, 1e-320]) * np.array([1.0, 1.0])).all():
        raise RuntimeError(
            "the processor flushes denormal numbers to zero, which changes results; "
            "switch that off (torch.set_flush_denormal(False))"
        )


def total(values: Any) -> Any:
    """Add the rows of an array from the first to the last."""
    return np.add.accumulate(values, axis=0)[-1]


def product(left: Grid, right: Any) -> Any:
    """Multiply [m, k] by [k] or [k, n], adding over k from the first to the last."""
    if right.ndim == 1:
        return total((left * right).T)
    if right.shape[1] == 1:
        return product(left, right[:, 0])[:, None]
    result = np.empty((left.shape[0], right.shape[1]))
    some = max(1, AT_ONCE // right.size)
    for first in range(0, len(left), some):
        terms = left[first : first + some, :, None] * right
        # Over an axis that is not the last, numpy adds whole rows, one after the other; a test holds it to that.
        np.add.reduce(terms, axis=1, out=result[first : first + some])
    return result


def quantised(coefficients: Floats) -> Floats:
    """Round coefficients to 48 significant bits, which a statement can write down in full.

    Not to multiples of one number: a far row has a small coefficient, and yet its full force.
    """
    mantissas, exponents = np.frexp(coefficients)
    found: Floats = np.ldexp(np.rint(np.ldexp(mantissas, COEFFICIENT_BITS)), exponents - COEFFICIENT_BITS)
    return found


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


def dominant(matrix: Grid) -> tuple[float, Floats]:
    """Give the top eigenvalue of a positive semidefinite matrix and its eigenvector, of length 1.

    The matrix is squared until it is a multiple of one projector, which takes about log2(1 / relative gap) + 5
    squarings; for a gap below 2^-40 the vector is a mixture whose eigenvalues are alike.
    """
    power = (matrix + matrix.T) / 2.0
    whole = power
    for _ in range(SQUARINGS):
        scale = float(np.abs(power).max())
        if not scale > 0:
            return 0.0, np.eye(len(matrix))[0]
        power = power * 2.0 ** -math.frexp(scale)[1]
        squared = product(power, power)
        trace = total(np.diagonal(power))
        if not trace > 0:  # what rounding left of a matrix of zeros
            return 0.0, np.eye(len(matrix))[0]
        if np.abs(squared - trace * power).max() <= ALIKE * trace * trace:
            break
        power = squared
    vector = power[:, int(np.argmax(np.diagonal(power)))]
    vector = vector / np.sqrt(total(vector * vector))
    return float(total(vector * product(whole, vector))), vector
