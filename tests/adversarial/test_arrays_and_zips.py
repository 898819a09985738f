"""An array whose numbers happen to be the mark of a zip is an array; a zip behind an array is told, wherever it leads."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from provenance.scanning.detect import detect
from provenance.scanning.verb import scan_bytes

MARK = int.from_bytes(b"PK\x05\x06", "little")


def saved(values) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(values, np.int32))
    return file.getvalue()


def archive(size: int = 10, *, moved: int = 0) -> bytes:
    """Make a zip; ``moved`` writes its offsets as if so much stood in front of it, as some readers want them."""
    file = io.BytesIO(b"\0" * moved)
    file.seek(moved)
    with zipfile.ZipFile(file, "a" if moved else "w") as zipped:
        for number in range(size):
            zipped.writestr(f"{number}" * 200, b"x")
    return file.getvalue()[moved:]


@pytest.mark.parametrize("before", [0, 5, 400, 30_000])
@pytest.mark.parametrize("after", [0, 3, 5, 400])
def test_numbers_that_are_the_mark_of_a_zip(before, after):
    data = saved([7] * before + [MARK] + [7] * after)
    assert detect(data[:65536], len(data), data[-65536:], "a.npy") == "numpy"
    assert scan_bytes(data, "a.npy").decision == "accepted"


@pytest.mark.parametrize("size", [0, 10, 500])
@pytest.mark.parametrize("behind", [b"", b"comment", b"PK\x05\x06", b"PK\x05\x06" + b"\0" * 17])
def test_a_zip_behind_an_array(size, behind):
    data = saved(range(100))
    for moved in (0, len(data)):
        found = scan_bytes(data + archive(size, moved=moved) + behind, "a.npy")
        assert found.decision == "refused"
        assert {each.rule for each in found.findings} >= {"ARC010"}
