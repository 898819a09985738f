"""Who takes part: a roster that its maintainer signed, and everybody's keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from provenance.signing.keys import PrivateKey, PublicKey, generate, write_key_pair
from provenance.trust.roster_editing import NewContributor, add_contributors, init_roster
from provenance.trust.roster_signing import sign_roster

__all__ = ["ATTACKERS", "HONEST", "People", "gathered"]

HONEST = ("ada", "ben", "chloe", "dan", "eve", "finn", "gina", "hugo", "iris", "jon")
ATTACKERS = ("mallory", "mike", "mona", "moss")


@dataclass(frozen=True)
class People:
    """The roster's file and its maintainer's key; contributors' keys by their ids; the server's and a stranger's own.

    ``announced`` is the file of the server's public key, which everybody has.
    """

    roster: Path
    maintainer: PublicKey
    keys: dict[str, PrivateKey]
    server: PrivateKey
    stranger: PrivateKey
    announced: Path


def gathered(root: Path) -> People:
    """Make everybody's keys and a signed roster in a new directory."""
    root.mkdir(parents=True)
    keys = {name: generate("ed25519") for name in (*HONEST, *ATTACKERS)}
    maintainer, roster = generate("ed25519"), root / "roster.toml"
    init_roster(roster, maintainers=[maintainer.public_key()])
    add_contributors(roster, [NewContributor(name, [key.public_key()]) for name, key in keys.items()])
    sign_roster(roster, key=maintainer)
    server = generate("ed25519")
    announced = write_key_pair(root / "server.key", server)
    return People(roster, maintainer.public_key(), keys, server, generate("ed25519"), announced)
