"""Runs in MLflow's file store: which data sets a run logged as inputs, and which models came out of it.

Source: mlflow/mlflow, mlflow/store/tracking/file_store.py: ``<experiment>/<run>/meta.yaml``, ``inputs/*/meta.yaml`` of
the run (``source_id`` names a data set), ``<experiment>/datasets/<id>/meta.yaml``, ``artifacts/`` of the run, and
``<experiment>/models/``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice

from provenance.errors import ProvenanceError
from provenance.lineage.claims import UNSIGNED, Claim, Input
from provenance.lineage.importers.yaml_files import read_yaml, text_of
from provenance.lineage.references import Reference, named

__all__ = ["read_mlflow_run"]

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST = 1000


def read_mlflow_run(path: str) -> Iterator[Claim]:
    """Read the run whose ``meta.yaml`` this is, if it is one; raises ``Malformed`` or ``Unreadable``."""
    run = os.path.dirname(path)
    identifier = text_of(read_yaml(path).get("run_id"))
    if not identifier or not os.path.isdir(os.path.join(run, "inputs")):
        return
    experiment = os.path.dirname(run)
    outputs = {*_directories(os.path.join(run, "artifacts")), *_models(experiment, identifier)}
    inputs = tuple(_inputs(run, experiment))
    if outputs and inputs:
        subjects = tuple(map(named, sorted(outputs)))
        yield Claim(where=path, kind=UNSIGNED, subjects=subjects, inputs=inputs)


def _inputs(run: str, experiment: str) -> Iterator[Input]:
    for name in _directories(os.path.join(run, "inputs")):
        source = _member(os.path.join(run, "inputs", name), "source_id")
        if _IDENTIFIER.fullmatch(source):
            data = os.path.join(experiment, "datasets", source)
            named_so, digest = _member(data, "name"), _member(data, "digest")
            if named_so:
                yield Input(_reference(named_so, digest), "dataset", _member(data, "source"))


def _reference(name: str, digest: str) -> Reference:
    """MLflow's own digests are eight characters; a longer one was logged by somebody who had it."""
    if _SHA256.fullmatch(digest):
        return Reference(digest, "", digest, bare=True, name=name)
    return named(name)


def _models(experiment: str, run: str) -> Iterator[str]:
    for name in _directories(os.path.join(experiment, "models")):
        model = os.path.join(experiment, "models", name)
        if _member(model, "source_run_id") == run:
            yield _member(model, "name") or name


def _member(directory: str, member: str) -> str:
    try:
        return text_of(read_yaml(os.path.join(directory, "meta.yaml")).get(member))
    except ProvenanceError:
        return ""


def _directories(path: str) -> list[str]:
    """Name the directories in a directory, so many at most, and no links."""
    try:
        with os.scandir(path) as entries:
            return sorted(each.name for each in islice(entries, _MOST) if each.is_dir(follow_symlinks=False))
    except OSError:
        return []
