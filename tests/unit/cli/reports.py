"""Reports with everything in them, for the tests of all output formats."""

from datetime import UTC, datetime

from cli.rendering.report import Report
from policies import Signer, finding
from provenance.scanning.verb import ScannedFile

FINGERPRINT = "SHA256:" + "9b1c" * 16
HOSTILE = "we\x1b[31mig\u202ehts\n::error::x.bin"

CHANGED = finding(
    "SIG003",
    "the file differs from the one that was signed",
    path="model.safetensors",
    where="bytes 8388608-12582912 (tensor encoder.layer.3.output.dense.weight)",
    notes=("expected blake3 4d1f, found 77aa",),
)
UNSIGNED = finding("SIG005", "a file is there that the signature does not cover", path=HOSTILE)
UNCOVERED = finding("SIG012", "files lie in paths that no signature covers", path=".gitattributes")
RENAMED = finding("SIG016", "it was signed as old & <new>.bin", path="config.json")


def accepted() -> Report:
    return Report(
        command="verify",
        subject="model",
        base="model",
        decision="accepted",
        exit_status=0,
        policy="release",
        findings=(UNCOVERED,),
        checked_files=12,
        checked_bytes=2_100_000_000,
        seconds=0.9,
        signers=(
            Signer(name="given", method="key", fingerprint=FINGERPRINT, satisfies=("given",)),
            Signer(
                name="ci",
                method="sigstore",
                fingerprint=FINGERPRINT,
                identity="release@example.org",
                issuer="https://issuer.example",
                time=datetime(2026, 10, 2, 9, 30, tzinfo=UTC),
            ),
        ),
        resources=(("config.json", "sha256", "ab" * 32), ("model.safetensors", "sha256", "cd" * 32)),
    )


def refused() -> Report:
    return Report(
        command="verify",
        subject="model",
        base="model",
        decision="refused",
        exit_status=1,
        policy="strict",
        findings=(CHANGED, UNSIGNED, UNCOVERED, RENAMED),
        checked_files=3,
        checked_bytes=999,
        seconds=0.042,
        signers=(),
        resources=(("model.safetensors", "sha256", "cd" * 32),),
    )


def scanned() -> Report:
    unknown = finding("FMT001", "the content is in no known format", path="odd.bin")
    files = (
        ScannedFile(path="config.json", format="json", size=14, decision="accepted"),
        ScannedFile(path="odd.bin", format="unknown", size=5, decision="undecided", findings=(unknown,)),
    )
    return Report(
        command="scan",
        subject="models",
        base="models",
        decision="undecided",
        exit_status=3,
        policy="harmless",
        findings=(unknown,),
        checked_files=2,
        checked_bytes=19,
        seconds=75.2,
        files=files,
    )


ALL = {"accepted": accepted, "refused": refused, "scanned": scanned}
