"""Files that have no format of their own because a model beside them keeps its numbers there.

ONNX names such files in the model (``external_data``), TensorFlow in the index of its variables. They are known by what
refers to them, and must be as long as it says.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

import msgspec

from policies.evidence import FileEvidence
from policies.findings import finding

__all__ = ["belonging"]

_CONFIGURATIONS = frozenset(("config.json", "model_index.json", "modules.json", "tokenizer_config.json"))
_NOTE = "code beside a model's configuration, which loaders run where remote code is trusted"


def belonging(files: Iterable[FileEvidence]) -> list[FileEvidence]:
    """Give unknown files that models of the same artifact refer to the format of the model.

    A file that is shorter than the model says makes the model broken (FMT009).
    """
    listed = list(files)
    by_path = {file.path: file for file in listed}
    for model in listed:
        for reference in model.refers:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(model.path), reference.name))
            file = by_path.get(path)
            if file is None:
                continue
            if file.size < reference.size:
                message = f"it keeps {reference.size} bytes in {reference.name!r}, which has {file.size}"
                broken = finding("FMT009", message, path=model.path)
                held = by_path[model.path]
                by_path[model.path] = msgspec.structs.replace(held, findings=(*held.findings, broken))
            elif file.format == "unknown" and not file.findings:
                by_path[path] = msgspec.structs.replace(file, format=model.format)
    return _with_notes(list(by_path.values()))


def _with_notes(files: list[FileEvidence]) -> list[FileEvidence]:
    """Note Python code beside a model's configuration: loaders run it once they are told to trust it."""
    if not any(posixpath.basename(file.path) in _CONFIGURATIONS for file in files):
        return files
    return [
        msgspec.structs.replace(file, findings=(*file.findings, finding("FMT005", _NOTE, path=file.path)))
        if file.format == "code" and file.path.endswith(".py")
        else file
        for file in files
    ]
