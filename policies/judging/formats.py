"""Is each file in a format that the policy accepts, and what did reading it show?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from policies.evidence import FileEvidence
from policies.findings import Finding, finding
from policies.formats import PICKLE_CARRIERS, PICKLE_FORMATS
from policies.policy import FormatPolicy

__all__ = ["judge_files"]

_CARRIER_HINT = (
    "write the weights anew as safetensors; to accept it as it is, name the format in [formats] "
    'allow and set pickle = "allowlist"'
)


def judge_files(formats: FormatPolicy, files: Iterable[FileEvidence]) -> Iterator[Finding]:
    """Yield the findings file by file, in the order of their paths: about the format first, then what was found."""
    for file in sorted(files, key=lambda one: one.path):
        judged = _judge_format(formats, file)
        if judged is not None and not _said_already(judged, file):
            yield judged
        for found in file.findings:
            yield found if found.path else msgspec.structs.replace(found, path=file.path)


def _judge_format(formats: FormatPolicy, file: FileEvidence) -> Finding | None:
    """FMT001, FMT002 or PKL001, or None where the format is accepted.

    Under an allowlist the scan's findings about the pickle itself decide. Archives that carry pickles must be
    named as well, for a pickle is not all that is in them.
    """
    name = file.format
    if name in PICKLE_FORMATS or name in PICKLE_CARRIERS:
        if formats.pickle != "allowlist":
            return _pickle(file)
        if name in PICKLE_FORMATS:
            return None
    if name in formats.allow:
        return None
    if name == "unknown":
        return finding("FMT001", "the content is in no format that is known", path=file.path)
    return finding("FMT002", f"the content is `{name}`, which the policy does not accept", path=file.path)


def _pickle(file: FileEvidence) -> Finding:
    """PKL001; whether by itself or inside of another format."""
    if file.format == "pickle":
        return finding("PKL001", "the file is a pickle, which may run code when it is loaded", path=file.path)
    message = f"the content is `{file.format}`, which holds pickles that may run code when they are loaded"
    return finding(
        "PKL001", message, path=file.path, hint=_CARRIER_HINT if file.format in PICKLE_CARRIERS else ""
    )


def _said_already(judged: Finding, file: FileEvidence) -> bool:
    """Whether the scan has reported the same about the file as a whole, as an error."""
    return any(
        found.rule == judged.rule and found.severity == "error" and found.path in ("", file.path)
        for found in file.findings
    )
