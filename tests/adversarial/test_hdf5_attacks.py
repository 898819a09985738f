"""An attacker who hands over an HDF5 file: it leads to other files, holds code, or exhausts whoever opens it."""

from __future__ import annotations

import io
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.scanning.verb import scan_bytes

VERSIONS = ["earliest", "latest"]
LAMBDA = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": {}}]}}


def written(fill: Callable[[h5py.File], None], **options) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as root:
        fill(root)
    return file.getvalue()


def rules(data: bytes, name: str = "x.h5") -> tuple[str, set[str]]:
    scan = scan_bytes(data, name)
    return scan.decision, {finding.rule for finding in scan.findings}


def external_link(root: h5py.File) -> None:
    root["layer/weights"] = h5py.ExternalLink("/etc/passwd", "/x")


def external_link_of_many(root: h5py.File) -> None:
    for index in range(200):
        root[f"g/{index}"] = h5py.SoftLink("/x")
    root["g/other"] = h5py.ExternalLink("other.h5", "/x")


def external_storage(root: h5py.File) -> None:
    root.create_dataset("w", (10,), dtype="u1", external=[("/etc/passwd", 0, 10)])


def virtual(root: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(10,), dtype="f4")
    layout[:] = h5py.VirtualSource("/secret.h5", "x", shape=(10,))
    root.create_virtual_dataset("w", layout)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fill", [external_link, external_link_of_many, external_storage, virtual])
@pytest.mark.parametrize("options", [{}, {"track_order": True}, {"userblock_size": 512}])
def test_other_files(fill, version, options):
    if fill is virtual and version == "earliest":
        options = {**options, "libver": ("earliest", "v110")}
    assert rules(written(fill, **{"libver": version, **options})) == ("refused", {"FMT010"})


def in_root(root: h5py.File, text: object) -> None:
    root.attrs["model_config"] = text


def among_many(root: h5py.File, text: object) -> None:
    for index in range(30):
        root.attrs[f"x{index}"] = "y"
    root.attrs["model_config"] = text


def in_a_group(root: h5py.File, text: object) -> None:
    root.create_group("a/b/c").attrs["training_config"] = text


def in_a_dataset(root: h5py.File, text: object) -> None:
    root.create_dataset("a/b", data=[1]).attrs["x"] = text


def in_an_array(root: h5py.File, text: object) -> None:
    root.attrs["x"] = np.array(["a", text], dtype=object)


TEXTS = [
    json.dumps(LAMBDA),
    "  " + json.dumps(LAMBDA),
    json.dumps({**LAMBDA, "x": float("nan")}),
    json.dumps(LAMBDA).replace("Lambda", "L\\u0061mbda"),
    json.dumps([{"deep": json.dumps(LAMBDA)}]),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("place", [in_root, among_many, in_a_group, in_a_dataset, in_an_array])
@pytest.mark.parametrize("text", TEXTS)
def test_code_in_configurations(place, version, text):
    data = written(lambda root: place(root, text), libver=version)
    assert rules(data) == ("refused", {"FMT012"})


def test_a_configuration_of_bytes():
    assert rules(written(lambda root: in_root(root, np.bytes_(json.dumps(LAMBDA))))) == (
        "refused",
        {"FMT012"},
    )


def test_a_configuration_that_is_cut_off_is_undecided():
    assert rules(written(lambda root: in_root(root, json.dumps(LAMBDA)[:-3]))) == ("undecided", {"FMT016"})


class Runs:
    def __reduce__(self):
        return print, ("ran",)


def test_pickles_that_pytables_would_load():
    for protocol in (0, 2, 4):
        value = np.bytes_(pickle.dumps(Runs(), protocol=protocol))
        decision, found = rules(written(lambda root, value=value: in_root(root, value)))
        assert decision == "refused", protocol
        assert found & {"PKL002", "PKL004"}

    def rows(root: h5py.File) -> None:
        root.create_dataset("a", (3,), dtype=h5py.vlen_dtype(np.uint8)).attrs["PSEUDOATOM"] = "object"

    assert rules(written(rows)) == ("refused", {"FMT007"})


def test_declared_sizes_that_the_file_cannot_hold():
    def chunked(root: h5py.File) -> None:
        root.create_dataset("w", (1 << 20, 1 << 20), chunks=(64, 64), dtype="f4")

    def unwritten(root: h5py.File) -> None:
        root.create_dataset("w", (1 << 40,), dtype="f4")

    def many(root: h5py.File) -> None:
        for index in range(20):
            root.create_dataset(f"w{index}", (1 << 20,), dtype="f8", chunks=(1 << 10,))

    for fill in (chunked, unwritten, many):
        for version in VERSIONS:
            assert rules(written(fill, libver=version)) == ("refused", {"FMT009"})


def test_an_unknown_filter_leaves_the_question_open():
    data = written(
        lambda root: root.create_dataset("w", data=np.zeros(100), chunks=(10,), compression="gzip")
    )
    at = data.index(b"deflate\0") - 8
    assert struct.unpack_from("<H", data, at) == (1,)
    assert rules(data[:at] + struct.pack("<H", 500) + data[at + 2 :]) == ("undecided", {"FMT016"})


def test_a_file_that_is_cut_off():
    data = written(lambda root: root.create_dataset("w", data=np.zeros(1000)))
    assert rules(data[:-100]) == ("refused", {"FMT009"})
    assert rules(data[:64])[0] != "accepted"


def test_groups_that_lead_back_to_themselves():
    def fill(root: h5py.File) -> None:
        root["a/b/c"] = root["/"]
        root["a/x"] = h5py.SoftLink("/a")

    for version in VERSIONS:
        assert rules(written(fill, libver=version)) == ("accepted", set())


def test_a_file_behind_text(tmp_path: Path):
    """Its user block makes it look like text or JSON; h5py reads what comes behind it."""
    evil = written(lambda root: in_root(root, json.dumps(LAMBDA)), userblock_size=1 << 17)
    with h5py.File(io.BytesIO(evil)) as file:
        assert "Lambda" in file.attrs["model_config"]
    for front in (b"just text\n" * 20_000, b'{"a": "' + b" " * 140_000):
        data = front[: 1 << 17] + evil[1 << 17 :]
        decision, found = rules(data, "x.txt")
        assert decision == "refused"
        assert "ARC010" in found


HARMLESS = [
    written(lambda root: in_root(root, json.dumps({"class_name": "Model", "config": {}})), libver=version)
    for version in VERSIONS
] + [written(external_link_of_many, libver="latest"), written(virtual, libver="latest")]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_is_changed_something_is_said_and_nothing_raised(data):
    original = data.draw(st.sampled_from(HARMLESS))
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + 8] = data.draw(
            st.one_of(
                st.binary(min_size=8, max_size=8),
                st.sampled_from([b"\xff" * 8, bytes(8), b"\xff\xff\xff\x7f\0\0\0\0"]),
            )
        )[: len(changed) - at]
    scan = scan_bytes(bytes(changed), "x.h5")
    assert scan.decision in ("accepted", "refused", "undecided")
