"""``provenance digest``: the digests by which statements name an artifact."""

from __future__ import annotations

from cli.console import tell, write_out
from cli.options import command, path_argument

__all__ = ["digest"]


@command()
@path_argument
def digest(path: str) -> int:
    """Print the digests that identify an artifact.

    PATH is a file or a directory. The first line is the root digest, `sha256:` and hex: SHA-256 over the SHA-256
    of each file, as in the subject of an OMS signature. The second is `dirHash:` and hex, which binds the names
    of the files too. Bundles and paths such as .git are left out, as when signing.
    """
    from pathlib import Path

    from cli.progress import progress
    from cli.rendering.report import EXIT_STATUS
    from cli.rendering.text import render_finding
    from policies import outcome
    from provenance.artifacts.listing import list_artifact
    from provenance.artifacts.manifest import Serialization, dir_hash, root_digest
    from provenance.artifacts.measuring import measure

    listing = list_artifact(Path(path))
    findings = listing.findings
    if outcome(findings) == "accepted":
        with progress("hashing", [path]) as advance:
            measured = measure(listing, Serialization(), progress=advance)
        findings += measured.findings
    decision = outcome(findings)
    for found in findings:
        tell(render_finding(found))
    if decision == "accepted":
        write_out(f"sha256:{root_digest(measured.resources).hex()}\ndirHash:{dir_hash(measured.resources)}\n")
    return EXIT_STATUS[decision]
