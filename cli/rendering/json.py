"""JSON for programs: one object, the findings whole and in the order in which they were gathered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cli.rendering.escape import escape
from cli.rendering.report import Report
from policies import Finding, Signer

if TYPE_CHECKING:
    from provenance.scanning.verb import ScannedFile

__all__ = ["SCHEMA", "dump", "finding_object", "render"]

SCHEMA = 1


def render(report: Report) -> str:
    """Write a report as one JSON object; the keys are those of every command that judges, then its own."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "command": report.command,
        "decision": report.decision,
        "subject": report.subject,
        "policy": report.policy,
        "findings": [finding_object(found) for found in report.findings],
        "checked": {"files": report.checked_files, "bytes": report.checked_bytes},
        "seconds": round(report.seconds, 3),
    }
    if report.files is not None:
        document["files"] = [_file(file) for file in report.files]
    if report.signers is not None:
        document["signers"] = [_signer(signer) for signer in report.signers]
    if report.resources is not None:
        document["resources"] = [
            {"name": name, "algorithm": algorithm, "digest": digest}
            for name, algorithm, digest in report.resources
        ]
    return dump({**document, **report.details})


def dump(document: dict[str, Any]) -> str:
    r"""Write JSON in ASCII, so that no name in it can reach a terminal unescaped; parsed, the names are exact.

    Bytes that are not UTF-8 have no place in JSON: they are written as ``\xff`` in plain text.
    """
    text = json.dumps(_without_surrogates(document), ensure_ascii=True, indent=2)
    return text.replace("\x7f", "\\u007f") + "\n"  # json leaves DEL as it is


def finding_object(found: Finding) -> dict[str, Any]:
    """Turn a finding into its JSON object."""
    return {
        "rule": found.rule,
        "severity": found.severity,
        "path": found.path,
        "where": found.where,
        "message": found.message,
        "hint": found.hint,
        "notes": list(found.notes),
    }


def _file(file: ScannedFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "format": file.format,
        "size": file.size,
        "decision": file.decision,
        "findings": [finding_object(found) for found in file.findings],
    }


def _signer(signer: Signer) -> dict[str, Any]:
    return {
        "name": signer.name,
        "method": signer.method,
        "fingerprint": signer.fingerprint,
        "identity": signer.identity,
        "issuer": signer.issuer,
        "time": signer.time.isoformat() if signer.time else None,
        "satisfies": list(signer.satisfies),
        "bundle": signer.bundle,
    }


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, str) and not _encodable(value):
        return "".join(escape(c) if "\ud800" <= c <= "\udfff" else c for c in value)
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
