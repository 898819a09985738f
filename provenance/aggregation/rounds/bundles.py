"""The bundles of a round: those beside the updates and in every ``.provenance/`` of the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from provenance.artifacts.names import ATTESTATION_DIRECTORY
from provenance.attestations.discovery import BundleSource, read_bundle, stored_bundles
from provenance.errors import ProvenanceError, Undecided

__all__ = ["round_bundles"]

_SUFFIX: Final = ".sigstore.json"
_MAX_DIRECTORIES: Final = 100_000


def round_bundles(directory: Path) -> Iterator[BundleSource]:
    """Read the bundles of a folder of updates; no link is followed.

    Raises ``Undecided`` where the folder has more directories than can be looked through.
    """
    for number, (place, directories, files) in enumerate(os.walk(directory)):
        if number >= _MAX_DIRECTORIES:
            raise Undecided(f"{directory} has too many directories to look through", code="AGG014")
        if ATTESTATION_DIRECTORY in directories:
            directories.remove(ATTESTATION_DIRECTORY)
            yield from stored_bundles(Path(place) / ATTESTATION_DIRECTORY)
        directories.sort()
        for name in sorted(files):
            if name.endswith(_SUFFIX):
                yield _beside(Path(place) / name)


def _beside(path: Path) -> BundleSource:
    if path.is_symlink():
        return BundleSource(str(path), problem=ProvenanceError("a symbolic link is not followed"))
    try:
        return read_bundle(path)
    except ProvenanceError as error:
        return BundleSource(str(path), problem=error)
