"""An attacker packs a pickle in a form that only old or lenient loaders still open."""

from __future__ import annotations

import io
import lzma
import pickle
import zipfile
import zlib

import pytest

from provenance.scanning.verb import scan_bytes

EVIL = b"\x80\x02cposix\ngetpid\n)R."


def packed(data: bytes, **filters: int) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, **filters}])


@pytest.mark.parametrize(
    "filters", [{}, {"dict_size": 4096}, {"dict_size": 3 << 12, "lc": 2, "lp": 1, "pb": 0}]
)
def test_lzma_without_a_magic(filters):
    assert scan_bytes(packed(EVIL, **filters), "model").decision == "refused"
    assert scan_bytes(packed(pickle.dumps([1, 2]), **filters), "model").decision == "accepted"


def test_what_joblib_wrote_before_it_had_wrappers():
    for space in (b"", b" "):
        head = b"ZF" + hex(len(EVIL)).encode().ljust(19) + space
        scan = scan_bytes(head + zlib.compress(EVIL), "model.joblib")
        assert (scan.files[0].format, scan.decision) == ("pickle", "refused")
        assert scan_bytes(head + zlib.compress(b"\x80\x02]."), "model.joblib").decision == "accepted"


def test_a_package_of_torch_brings_modules():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("p/.data/extern_modules", "p/.data/version", "p/byteorder", "p/evil.py"):
            archive.writestr(name, "import os\n")
    scan = scan_bytes(file.getvalue(), "model.pt")
    assert scan.decision == "refused"
    assert {"FMT002", "FMT005"} <= {finding.rule for finding in scan.findings}
