"""Arrays as Flower sends them: read without trust, and one file for the same arrays."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load

from provenance.errors import Malformed
from provenance.integrations.array_records import canonical_file, record_arrays


def npy(array: np.ndarray, **options) -> bytes:
    file = BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def sent(data: bytes, stype: str = "numpy.ndarray"):
    return {"a": SimpleNamespace(stype=stype, data=data)}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="f4").reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype="f8").reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.float16(3.5) * np.ones(()),
        np.zeros((0, 4), "f4"),
    ],
)
def test_arrays_come_through_as_they_are(array):
    found = record_arrays(sent(npy(array)), limit=1000)["a"]
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(load(canonical_file({"a": found}))["a"], array)


def test_one_file_for_the_same_arrays():
    one, two = np.ones(3, "f4"), np.zeros((2, 2), "f2")
    assert canonical_file({"x": one, "y": two}) == canonical_file({"y": np.asfortranarray(two), "x": one})


HUGE = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy(np.array([{}], object), allow_pickle=True), "dtype"),
        (npy(np.array(["x"])), "dtype"),
        (HUGE, "cannot reshape"),
        (npy(np.ones(4, "f4"))[:-1], "cannot be read"),
        (b"", "cannot be read"),
        (b"\x93NUMPY\x02\x00", "version"),
        (b"PK\x03\x04", "cannot be read"),
    ],
)
def test_what_is_no_plain_array_is_refused(data, message):
    with pytest.raises(Malformed, match=message):
        record_arrays(sent(data), limit=1000)


def test_too_much_is_refused_before_it_is_read():
    with pytest.raises(Malformed, match="more than 100 bytes"):
        record_arrays(sent(npy(np.ones(100))), limit=100)


def test_other_ways_to_store_arrays_are_refused():
    with pytest.raises(Malformed, match="stored as pickle"):
        record_arrays(sent(b"", "pickle"), limit=100)
