"""What numpy, scipy, pandas and Python itself write: arrays, archives of arrays, frames, plain pickles."""

from __future__ import annotations

import bz2
import datetime as dt
import decimal
import fractions
import gzip
import io
import lzma
import pickle
import random
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

__all__ = ["array_files", "plain_pickles"]


def _arrays() -> dict[str, Any]:
    import numpy as np

    rng = np.random.default_rng(0)
    codes = "?bBhHiIlLqQefdgFDG"
    found: dict[str, Any] = {f"code-{index}": np.zeros(5, code) for index, code in enumerate(codes)}
    found |= {
        "matrix": rng.normal(size=(20, 30)),
        "fortran": np.asfortranarray(rng.normal(size=(5, 4))),
        "strided": np.arange(20)[::3],
        "empty": np.zeros((0, 4)),
        "scalar": np.array(1.5),
        "big-endian": np.arange(4, dtype=">f8"),
        "texts": np.array(["one", "two"]),
        "bytes": np.array([b"one", b"two"]),
        "dates": np.array(["2026-01-01", "2026-02-01"], dtype="datetime64[D]"),
        "spans": np.array([1, 2], dtype="timedelta64[s]"),
        "rows": np.array([(1, 2.0, "a")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U5")]),
        "nested-rows": np.zeros(2, dtype=[("a", "f4", (3, 3)), ("b", [("c", "i2"), ("d", "u1")])]),
        "aligned-rows": np.zeros(2, dtype=np.dtype([("a", "u1"), ("b", "f8")], align=True)),
        "void": np.zeros(2, dtype="V7"),
        "large": rng.normal(size=200_000),
    }
    return found


def array_files() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes) of arrays in numpy's formats and as pickles."""
    import numpy as np

    arrays = _arrays()
    for name, array in arrays.items():
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        yield f"{name}.npy", file.getvalue()
        for protocol in range(6):
            yield f"{name}.{protocol}.pkl", pickle.dumps(array, protocol)
    for name, save in (("plain", np.savez), ("packed", np.savez_compressed)):
        file = io.BytesIO()
        save(file, **{key: value for key, value in arrays.items() if key != "large"})
        yield f"{name}.npz", file.getvalue()
    objects = np.array([{"a": 1}, [1, 2], "x", None, 1.5], dtype=object)
    file = io.BytesIO()
    np.save(file, objects, allow_pickle=True)
    yield "objects.npy", file.getvalue()
    file = io.BytesIO()
    np.savez(file, weights=np.zeros(3), labels=objects)
    yield "objects.npz", file.getvalue()
    yield "all.pkl", pickle.dumps(arrays)


def plain_pickles() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes) of pickles of plain values."""
    import numpy as np

    values: dict[str, Any] = {
        "vocabulary": {f"word{index}": index for index in range(5000)},
        "numbers": [random.Random(0).random() for _ in range(5000)],
        "records": [
            {"id": index, "text": "a text", "tags": ["x", "y"], "score": 0.5} for index in range(500)
        ],
        "texts": ["é" * 300, "a" * 70_000, "", "\n", "\ud800"],
        "bytes": [b"", b"x" * 70_000, bytearray(b"y" * 300)],
        "integers": [0, -1, 255, 256, 65_536, -(2**31), 2**31, 2**63, -(2**200)],
        "constants": [True, False, None],
        "containers": [(), (1,), (1, 2, 3, 4), {1, 2}, frozenset((3,)), OrderedDict(a=1), Counter("abc")],
        "times": [
            dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC),
            dt.date(2026, 1, 1),
            dt.timedelta(days=1),
        ],
        "others": [
            decimal.Decimal("1.5"),
            fractions.Fraction(1, 3),
            uuid.UUID(int=1),
            PurePosixPath("/a/b"),
            1j,
        ],
        "random": random.Random(0).getstate(),
        "scalars": [np.float32(1.5), np.int64(3), np.bool_(True), np.datetime64("2026-01-01")],
        "dtypes": [np.dtype("f4"), np.dtype([("a", "i4")]), np.float64],
        "nested": [[[[[1]]]], {"a": {"b": {"c": [1, {"d": (1, 2)}]}}}],
    }
    for name, value in values.items():
        for protocol in range(6):
            data = pickle.dumps(value, protocol)
            yield f"{name}.{protocol}.pkl", data
        yield f"{name}.pkl.gz", gzip.compress(pickle.dumps(value), mtime=0)
        yield f"{name}.pkl.bz2", bz2.compress(pickle.dumps(value))
        yield f"{name}.pkl.xz", lzma.compress(pickle.dumps(value))
