"""``dvc.lock``: each stage of a pipeline with what it read and wrote, by MD5, which joins nothing here.

Source: https://dvc.org/doc/user-guide/project-structure/dvcyaml-files, schema 2.0 of ``dvc.lock``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from provenance.lineage.claims import UNSIGNED, Claim, Input
from provenance.lineage.importers.yaml_files import read_yaml, text_of
from provenance.lineage.references import Reference, named

__all__ = ["read_dvc_lock"]


def read_dvc_lock(path: str) -> Iterator[Claim]:
    """Read the stages; raises ``Malformed`` or ``Unreadable``."""
    stages = read_yaml(path).get("stages")
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if not isinstance(stage, dict):
            continue
        outputs = tuple(_references(stage.get("outs")))
        inputs = tuple(Input(reference, "dependency", uri) for reference, uri in _located(stage.get("deps")))
        if outputs and inputs:
            yield Claim(where=f"{path}, stage {name}", kind=UNSIGNED, subjects=outputs, inputs=inputs)


def _references(items: object) -> Iterator[Reference]:
    for reference, _ in _located(items):
        yield reference


def _located(items: object) -> Iterator[tuple[Reference, str]]:
    for item in items if isinstance(items, list) else ():
        path = text_of(item.get("path")) if isinstance(item, dict) else ""
        name = posixpath.basename(path.rstrip("/"))
        if name:
            yield named(name), path
