"""HDF5 files as h5py writes them: every object and attribute is found, and nothing ordinary is flagged."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import h5py
import numpy as np
import pytest

from provenance.scanning.formats.hdf.attributes import read_attributes, texts
from provenance.scanning.formats.hdf.datasets import read_dataset
from provenance.scanning.formats.hdf.headers import read_messages
from provenance.scanning.formats.hdf.heaps import GlobalHeaps
from provenance.scanning.formats.hdf.links import read_links
from provenance.scanning.formats.hdf.superblock import find_superblock, read_superblock
from provenance.scanning.readers import BytesReader
from provenance.scanning.verb import scan_bytes

CONFIG = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"units": 1}}]}}


def written(fill: Callable[[h5py.File], None], **options) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as root:
        fill(root)
    return file.getvalue()


def many_groups(root: h5py.File) -> None:
    for index in range(300):
        root.create_group(f"a group with a long name {index:05d}").attrs["index"] = index


def many_in_one(root: h5py.File) -> None:
    group = root.create_group("ordered", track_order=True)
    for index in range(1500):
        group[f"n{index}"] = np.arange(2)


def attributes(root: h5py.File) -> None:
    for index in range(60):
        root.attrs[f"attribute {index}"] = "v" * index
    root.attrs["model_config"] = json.dumps(CONFIG)
    root.attrs["weight_names"] = [b"kernel", b"bias:0"]
    root.attrs["texts"] = np.array(["x", "a longer one"], dtype=object)
    root.attrs["empty"] = h5py.Empty("f4")
    root.attrs["complex"] = 1j
    root.attrs["flag"] = True
    root.attrs["record"] = np.array([(1, b"abc")], dtype=[("a", "i4"), ("b", "S3")])


def datasets(root: h5py.File) -> None:
    root["plain"] = np.random.default_rng(0).random((100, 10))
    root.create_dataset(
        "packed",
        data=np.zeros((500, 10)),
        chunks=(10, 10),
        compression="gzip",
        shuffle=True,
        fletcher32=True,
    )
    root.create_dataset("lzf", data=np.zeros((100, 10)), compression="lzf")
    root.create_dataset("texts", data=["x", "y"], dtype=h5py.string_dtype())
    root.create_dataset("empty", shape=(10,), maxshape=(None,), dtype="f4")
    root.create_dataset("grows", data=np.zeros((40, 10)), chunks=(5, 5), maxshape=(None, None))
    root.create_dataset("bounded", data=np.zeros(500), chunks=(7,), maxshape=(2000,))
    root.create_dataset("single", data=np.zeros(10), chunks=(10,))
    root.create_dataset("none", (0, 5), dtype="f8")
    root.create_dataset("null", data=h5py.Empty("f4"))
    root.create_dataset("variable", (3,), dtype=h5py.vlen_dtype(np.int32))
    root.create_dataset("record", (2,), dtype=[("a", "i4"), ("b", "f8", (2,))])
    root["enum"] = np.array([True, False])
    root["type"] = np.dtype("f8")
    root.create_dataset("typed", (3,), dtype=root["type"]).attrs["region"] = root["plain"].regionref[0:2]
    root["soft"] = h5py.SoftLink("/plain")
    root["hard"] = root["plain"]
    root["group/cycle"] = root["/"]


FILLS = [many_groups, many_in_one, attributes, datasets, lambda root: None]
VERSIONS = ["earliest", "v108", "v110", "v112", "latest"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(
    "options", [{}, {"userblock_size": 2048, "track_order": True}, {"userblock_size": 65536}]
)
def test_what_h5py_writes_passes(fill, version, options):
    scan = scan_bytes(written(fill, libver=version, **options), "x.h5")
    assert (scan.files[0].format, scan.decision, scan.findings) == ("hdf5", "accepted", ())


def ours(data: bytes) -> dict[str, tuple[set[str], int | None]]:
    """Path of each object -> names of its attributes, and bytes of its data."""
    reader = BytesReader(data)
    superblock = read_superblock(reader, find_superblock(reader))
    image, found = superblock.image, {}
    pending, seen = [(superblock.root, "/")], {superblock.root}
    while pending:
        address, path = pending.pop()
        messages = read_messages(image, address)
        dataset = read_dataset(image, GlobalHeaps(image), messages)
        names = {attribute.name for attribute in read_attributes(image, messages)}
        found[path] = names, dataset.size if dataset and dataset.type.kind != 9 else None
        for link in read_links(image, messages):
            if link.kind == 0 and link.address not in seen:
                seen.add(link.address)
                pending.append((link.address, f"{path.rstrip('/')}/{link.name}"))
    return found


def theirs(data: bytes) -> dict[str, tuple[set[str], int | None]]:
    found = {}
    with h5py.File(io.BytesIO(data)) as file:
        found["/"] = set(file.attrs), None

        def visit(name: str, item: h5py.Group | h5py.Dataset | h5py.Datatype) -> None:
            size = None
            if isinstance(item, h5py.Dataset) and item.dtype.kind != "O":
                size = item.id.get_space().get_simple_extent_npoints() * item.id.get_type().get_size()
            found["/" + name] = set(item.attrs), size

        file.visititems(visit)
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("ordered", [False, True])
def test_every_object_and_attribute_is_found(fill, version, ordered):
    data = written(fill, libver=version, track_order=ordered)
    mine, real = ours(data), theirs(data)
    # Of two hard links to one object either path may stand for it.
    assert len(mine) == len(real)
    assert sorted(str((sorted(a), s)) for a, s in mine.values()) == sorted(
        str((sorted(a), s)) for a, s in real.values()
    )


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_texts_of_attributes_are_read_whole(version):
    data = written(attributes, libver=version)
    image = (superblock := read_superblock(BytesReader(data), 0)).image
    values = {
        attribute.name: [value.rstrip(b"\0") for value in texts(image, GlobalHeaps(image), attribute)]
        for attribute in read_attributes(image, read_messages(image, superblock.root))
    }
    assert json.loads(values["model_config"][0]) == CONFIG
    assert values["weight_names"] == [b"kernel", b"bias:0"]
    assert values["texts"] == [b"x", b"a longer one"]
    assert values["record"] == [b"abc"]
    assert values["attribute 59"] == [b"v" * 59]
    assert values["complex"] == []


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_a_large_configuration_is_read(version):
    def fill(root: h5py.File) -> None:
        layers = [{"class_name": "Dense", "config": {"name": f"layer {index}"}} for index in range(5000)]
        root.attrs["model_config"] = json.dumps(
            {
                "class_name": "Sequential",
                "config": {"layers": [*layers, {"class_name": "Lambda", "config": {}}]},
            }
        )

    scan = scan_bytes(written(fill, libver=version), "x.h5")
    assert {finding.rule for finding in scan.findings} == {"FMT012"}


def test_an_attribute_larger_than_a_header_is_read():
    def fill(root: h5py.File) -> None:
        text = json.dumps({"class_name": "Lambda", "config": {"x": "y" * 100_000}}).encode()
        root.attrs.create("model_config", np.bytes_(text), dtype=f"S{len(text)}")

    scan = scan_bytes(written(fill, libver="latest"), "x.h5")
    assert {finding.rule for finding in scan.findings} == {"FMT012"}
