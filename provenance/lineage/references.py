"""How statements name an artifact, and when two of them mean the same one.

They are joined by the OMS root digest, and by the ``dirHash`` too where both sides have it; two single files are the
same where their bytes are, whatever their names. A bare SHA-256 of another tool may be either kind of digest. Names
join nothing but what nobody signed (``dvc.lock`` and the like).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from provenance.attestations.slsa import ResourceDescriptor
from provenance.attestations.statement import Subject

__all__ = ["KeyKind", "Reference", "name_key", "named", "reference_to", "same_artifact"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_KEY_DIGITS: Final = 32


class KeyKind:
    """What the keys begin with, under which references are kept and found, and in whose order they are."""

    ROOT: Final = b"1"
    BARE: Final = b"2"
    FILE: Final = b"3"
    NAME: Final = b"4"


class Reference(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An artifact as one statement names it: hex digests, "" where it does not give them.

    ``sha256`` is the OMS root digest, ``file_sha256`` the plain SHA-256 of a single file. ``bare``: the statement has
    one SHA-256 and does not say of what, so both members hold it. A reference without digests goes by its ``name``.
    """

    sha256: str = ""
    dir_hash: str = ""
    file_sha256: str = ""
    bare: bool = False
    name: str = ""

    @property
    def node(self) -> str:
        """What tells this artifact from others in a graph; the name of a single file is no part of it."""
        if not self.sha256:
            return f"name {self.name}" if self.name else ""
        if self.bare or self.file_sha256 or not self.dir_hash:
            return self.sha256
        return f"{self.sha256} {self.dir_hash}"

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Under what it is kept, the kinds of digest apart: a file may hold what is another one's digest.

        Half a digest is enough to find by; ``same_artifact`` compares the whole.
        """
        if not self.sha256:
            return (name_key(self.name),) if self.name else ()
        if self.bare:
            return (_digest_key(KeyKind.BARE, self.sha256),)
        root = _digest_key(KeyKind.ROOT, self.sha256)
        return (root, _digest_key(KeyKind.FILE, self.file_sha256)) if self.file_sha256 else (root,)

    def asked_keys(self, *, bare: bool = True) -> tuple[bytes, ...]:
        """Under what others that mean the same artifact may be kept; ``bare``: whether any of them may be bare."""
        if not self.sha256:
            return self.keys
        root = _digest_key(KeyKind.ROOT, self.sha256)
        if not (bare or self.bare):
            return (root,)
        file = (_digest_key(KeyKind.FILE, self.sha256),) if self.bare else ()
        if not bare:
            return (root, *file)
        digests = dict.fromkeys(filter(None, (self.sha256, self.file_sha256)))
        return (root, *file, *(_digest_key(KeyKind.BARE, digest) for digest in digests))


def same_artifact(one: Reference, other: Reference) -> bool:
    """Tell whether two references that share a key mean the same artifact."""
    if not (one.sha256 and other.sha256):
        return bool(one.name) and one.name == other.name
    if one.bare or other.bare:
        return not ({one.sha256, one.file_sha256} - {""}).isdisjoint({other.sha256, other.file_sha256})
    if one.sha256 != other.sha256:
        return False
    if one.file_sha256 and other.file_sha256:
        return one.file_sha256 == other.file_sha256
    return not one.dir_hash or not other.dir_hash or one.dir_hash == other.dir_hash


def reference_to(described: Subject | ResourceDescriptor, *, ours: bool = False) -> Reference:
    """Return how a subject or an input names its artifact; without a SHA-256 in hex there is only its name.

    In a statement of ``ours`` the SHA-256 is the root digest, whatever else is there.
    """
    sha256 = _hexadecimal(described.digest.get("sha256"))
    annotations: Mapping[str, Any] = described.annotations or {}
    dir_hash = _hexadecimal(annotations.get("dirHash"))
    file_sha256 = _hexadecimal(annotations.get("fileSha256"))
    name = (
        described.name or (described.uri if isinstance(described, ResourceDescriptor) else "") or "(no name)"
    )
    bare = bool(sha256) and not dir_hash and not file_sha256 and not ours
    return Reference(sha256, dir_hash, sha256 if bare else file_sha256, bare, name)


def name_key(name: str) -> bytes:
    """Return the key of what goes by a name."""
    return KeyKind.NAME + name.encode("utf-8", "replace")


def named(name: str) -> Reference:
    """Refer to an artifact of which nothing but a name is known."""
    return Reference(name=name)


def _digest_key(kind: bytes, digest: str) -> bytes:
    return kind + bytes.fromhex(digest[:_KEY_DIGITS])


def _hexadecimal(value: object) -> str:
    return value if isinstance(value, str) and _SHA256.fullmatch(value) else ""
