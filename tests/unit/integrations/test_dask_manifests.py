"""Hashing on a Dask cluster: the manifest of one machine, whatever the workers and how the files are shared out."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from provenance.artifacts.manifest import Serialization, root_digest
from provenance.artifacts.measuring import Measured
from provenance.errors import ProvenanceError, Undecided
from provenance.lineage.subjects import subject_of
from provenance.signing.sign import build_manifest

pytest.importorskip("distributed", reason="it comes with the extra `dask`")
from distributed import Client, LocalCluster

from provenance.integrations import dask


@pytest.fixture(scope="module")
def client():
    """Two processes that each see the files."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": 0}
    with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of small files, an empty one and a large one, with a file that no manifest has."""
    drawn = random.Random(0)
    root = tmp_path / "data"
    for number in range(60):
        file = root / f"part-{number % 7}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(drawn.randbytes(drawn.randrange(5_000)))
    (root / "empty").touch()
    (root / "large").write_bytes(drawn.randbytes(5_000_001))
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("main")
    return root


CUTS = [
    Serialization(),
    Serialization(hash_type="blake3"),
    Serialization(method="shards", shard_size=1_000_000),
]


@pytest.mark.parametrize("partition", [1, 20_000, dask.PARTITION])
@pytest.mark.parametrize("cut", CUTS, ids=["files", "blake3", "shards"])
def test_the_manifest_is_that_of_one_machine(data, client, cut, partition):
    found = dask.manifest(data, client=client, serialization=cut, partition=partition)
    assert found == build_manifest(data, cut)


def test_the_digest_is_the_one_by_which_statements_name_the_data(data, client):
    found = dask.manifest(data, client=client, ignore=["large"], chunks=False)
    assert root_digest(found.resources).hex() == subject_of(data, ignore=["large"]).digest["sha256"]
    one = dask.manifest(data / "large", client=client)
    assert root_digest(one.resources).hex() == subject_of(data / "large").digest["sha256"]


def test_a_relative_path_is_the_same_files(data, client, monkeypatch):
    wanted = dask.manifest(data, client=client)
    monkeypatch.chdir(data.parent)
    assert dask.manifest("data", client=client) == wanted


def test_what_cannot_be_listed_is_refused_with_the_same_words(data, client):
    (data / "out").symlink_to("/etc/passwd")
    os.mkfifo(data / "pipe")
    said = []
    for make in (lambda: build_manifest(data, Serialization()), lambda: dask.manifest(data, client=client)):
        with pytest.raises(ProvenanceError) as caught:
            make()
        said.append((type(caught.value), caught.value.code, caught.value.message))
    assert said[0] == said[1]


def shrink(data):
    (data / "large").write_bytes(b"another")


def hide(data):
    data.rename(data.with_name("moved"))


@pytest.mark.parametrize(
    ("change", "message", "code"),
    [(shrink, "large: the file shrank", "ART009"), (hide, "a worker cannot open", "ART008")],
)
def test_what_changes_between_list_and_read_leaves_it_undecided(
    data, client, monkeypatch, change, message, code
):
    honest = dask._measured

    def later(*arguments, **options):
        change(data)
        return honest(*arguments, **options)

    monkeypatch.setattr(dask, "_measured", later)
    with pytest.raises(Undecided, match=message) as caught:
        dask.manifest(data, client=client)
    assert caught.value.code == code


def test_a_worker_of_another_version_hashes_nothing(data, client, monkeypatch):
    monkeypatch.setattr(dask, "_stamp", lambda: ("0.0.0", "1"))
    with pytest.raises(Undecided, match="runs ml-provenance"):
        dask.manifest(data, client=client)


def test_progress_is_told_as_work_is_done(data, client):
    from provenance.artifacts.listing import list_artifact

    listing, seen = list_artifact(data), []
    found = dask._measured(client, 20_000, listing, Serialization(), progress=seen.append)
    assert isinstance(found, Measured)
    assert sum(seen) == listing.total_bytes
    assert len(seen) > 2
