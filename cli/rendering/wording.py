"""Small pieces of text that several formats share: counts, sizes, durations, signers."""

from __future__ import annotations

from cli.rendering.escape import escape
from cli.rendering.report import Report
from policies import GIVEN, Signer

__all__ = ["checked", "count", "duration", "signer_line", "size", "verdict"]

# How a signer is called who has no name in a policy, for trust was given on the spot.
_GIVEN = {"key": "the given key", "certificate": "a given root", "sigstore": "the given identity"}


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 file``, ``12,000 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int) -> str:
    """Write a number of bytes in decimal units: ``999 bytes``, ``2.1 GB``."""
    if number < 1000:
        return count(number, "byte")
    scaled = float(number)
    for unit in ("kB", "MB", "GB", "TB"):
        scaled /= 1000
        if scaled < 999.95 or unit == "TB":
            break
    return f"{scaled:.1f} {unit}"


def duration(seconds: float) -> str:
    """Write a duration: ``0.04 s``, ``0.9 s``, ``75 s``."""
    if seconds < 0.1:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds:.0f} s"


def checked(report: Report) -> str:
    """Say what was checked and how long it took: ``12 files, 2.1 GB checked in 0.9 s``."""
    if report.command.startswith("lineage"):  # statements are what it reads
        return f"answered in {duration(report.seconds)}"
    amount = f"{count(report.checked_files, 'file')}, {size(report.checked_bytes)}"
    return f"{amount} checked in {duration(report.seconds)}"


def verdict(report: Report) -> str:
    """Write the last line of a judgement: the decision, the counts, what was checked."""
    errors = f"{count(report.count('error'), 'error')}, {count(report.count('warning'), 'warning')}"
    return f"{report.decision}: {errors}; {checked(report)}"


def signer_line(signer: Signer) -> str:
    """Say who signed, with what, and since when that is known for certain."""
    facts = [f"identity {signer.identity}"] if signer.identity else []
    if signer.issuer:
        facts.append(f"issuer {signer.issuer}")
    given_key = signer.name == GIVEN and signer.method == "key"
    facts.append(signer.fingerprint if given_key else f"key {signer.fingerprint}")
    who = _GIVEN[signer.method] if signer.name == GIVEN else signer.name
    when = f", {signer.time:%Y-%m-%d}" if signer.time else ""
    return escape(f"signed by {who} ({', '.join(facts)}){when}")
