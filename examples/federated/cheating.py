"""A server that cheats: it signs what it likes, and whoever has the updates finds out."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from safetensors.torch import load_file, save_file

import provenance
from examples.federated.people import People
from examples.federated.rounds import Training, play
from provenance.attestations.discovery import read_bundle
from provenance.lineage.statements import statement_path, write_statement
from provenance.lineage.subjects import subject_of
from provenance.signing.keys import fingerprint
from provenance.signing.statements import read_statement

__all__ = ["audited", "left_out", "swapped"]


def swapped(training: Training, number: int) -> Path:
    """Replace a round's result by another, and sign it and a statement about it, as only the server can."""
    result, server = training.model(number), training.people.server
    weights = load_file(result)
    weights["2.bias"][0] += 0.5
    save_file(weights, result)
    provenance.sign(result, key=server)
    place = statement_path(result, "aggregate", fingerprint(server.public_key()))
    stated = read_statement(read_bundle(place)).statement
    forged = msgspec.structs.replace(stated, subject=(subject_of(result),))
    write_statement(forged, signer=server, artifact=result, kind="aggregate")
    return result


def left_out(training: Training, number: int, name: str, aside: Path) -> Path:
    """Combine a round as if one contributor had not handed in anything."""
    folder = training.folder(number)
    aside.mkdir()
    hidden = [*folder.glob(f"{name}.safetensors"), *folder.glob(f".provenance/{name}.*")]
    for path in hidden:
        shutil.move(path, aside)
    play(training, number)
    for path in hidden:
        shutil.move(aside / path.name, path)
    return training.model(number)


def audited(result: Path, updates: Path, people: People, base: Path) -> provenance.Replay:
    """Recompute a round as an auditor does, who has the updates, the roster and public keys."""
    return provenance.replay(
        result,
        updates=updates,
        roster=people.roster,
        roster_keys=[people.maintainer],
        keys=[people.announced],
        base=base,
    )
