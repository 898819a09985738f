"""A policy: whose signatures count, what files may hold, what lineage must show, and until when it holds.

Each table of a policy file has its structure here, with the same names and the same defaults.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from policies.formats import PLAIN_FORMATS

__all__ = [
    "GIVEN",
    "ContributorPolicy",
    "FormatPolicy",
    "LineagePolicy",
    "LineageRequirement",
    "PickleRule",
    "Policy",
    "SignaturePolicy",
    "SignerRule",
    "Tolerance",
    "Waiver",
]

Tolerance = Literal["refuse", "warn"]
PickleRule = Literal["refuse", "allowlist"]
LineageRequirement = Literal["none", "asserted", "proven"]

# The name under which trust that was given on the spot (--key, keys=…) counts as one signer.
GIVEN = "given"


class SignerRule(msgspec.Struct, frozen=True, kw_only=True):
    """A signer by name: any of its keys, certificate roots or its identity at an issuer stands for it.

    ``keys`` and ``certificates`` are paths of PEM files; ``identity`` is a pattern (see ``identity_matches``)
    and ``issuer`` an exact URL, both empty or both given.
    """

    name: str
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    identity: str = ""
    issuer: str = ""


class SignaturePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How many distinct signers of ``accept`` must have signed, how fresh, and what unsigned files lead to.

    Where ``accept`` is empty, only trust that is given on the spot counts. ``required`` is false only in
    built-in policies that judge content alone; no policy file can say so.
    """

    threshold: int = 1
    accept: tuple[str, ...] = ()
    max_age_days: int | None = None
    uncovered: Tolerance = "warn"
    unsigned: Tolerance = "refuse"
    required: bool = True


class FormatPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The formats that are accepted, by content, and what becomes of pickles.

    Under ``pickle="allowlist"`` a pickle passes where every global that it imports is in one of ``profiles``
    or among ``allow_globals`` (each ``module.name``).
    """

    allow: tuple[str, ...] = PLAIN_FORMATS
    pickle: PickleRule = "refuse"
    profiles: tuple[str, ...] = ("tensors",)
    allow_globals: tuple[str, ...] = ()


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """An input that may lack lineage, by path or by digest, for a reason and until a day (both included)."""

    reason: str
    expires: date
    path: str = ""
    digest: str = ""


class LineagePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of the inputs an artifact was made from, and how deep to look.

    ``licences`` (SPDX identifiers) and ``sources`` (identity patterns or URL globs) accept all where empty.
    """

    require: LineageRequirement = "none"
    max_depth: int = 16
    licences: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()


class ContributorPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which roster says who may contribute, which keys sign it, and which contributors are shut out.

    ``required``: contributions count only from members of a roster; the path may come from the command.
    """

    roster: str = ""
    roster_keys: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    required: bool = False


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A whole policy; the defaults are those of the built-in ``strict``. ``expires`` is its last day (UTC)."""

    name: str
    version: int = 1
    expires: date | None = None
    signatures: SignaturePolicy = SignaturePolicy()
    signers: tuple[SignerRule, ...] = ()
    formats: FormatPolicy = FormatPolicy()
    lineage: LineagePolicy = LineagePolicy()
    contributors: ContributorPolicy = ContributorPolicy()

    @property
    def asks_for_lineage(self) -> bool:
        """Whether anything is said of where an artifact may come from."""
        lineage = self.lineage
        asked = lineage.require != "none" or lineage.licences or lineage.sources
        return bool(asked or self.contributors.forbid)
