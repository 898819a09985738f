"""The least that a policy must allow for given pickles to pass: the most frequent question of who meets a refusal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from policies import Policy
from policies.policy import FormatPolicy
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.errors import Unreadable
from provenance.scanning.paths import expand
from provenance.scanning.pickles.allowlist import PROFILE_NAMES, allowed_by
from provenance.scanning.pickles.names import name_fault
from provenance.scanning.readers import BytesReader, FileReader, Reader
from provenance.scanning.scan import imported_globals
from provenance.scanning.verb import Scan, content_policy, scan

__all__ = ["Allowlist", "allowlist_for", "minimal_allowlist"]

_Paths = str | Path | Iterable[str | Path]


class Allowlist(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy would have to allow, and what would come of it.

    ``globals`` are ``module.name``, beside the ``profiles`` that the policy has. ``impossible`` are imports by names
    that no allowlist can hold. ``known`` says which other profiles have some of the globals, with how many. ``scan``
    is the verdict over the files under the policy with the globals allowed.
    """

    globals: tuple[str, ...]
    profiles: tuple[str, ...]
    impossible: tuple[str, ...]
    known: tuple[tuple[str, int], ...]
    scan: Scan

    def toml(self) -> str:
        """The section of a policy file that allows the globals, ready to be pasted."""
        lines = ["[formats]", 'pickle = "allowlist"', f"profiles = {_strings(self.profiles)}"]
        if not self.globals:
            return "\n".join([*lines, "allow_globals = []", ""])
        names = [f"  {_string(name)}," for name in self.globals]
        return "\n".join([*lines, "allow_globals = [", *names, "]", ""])


def minimal_allowlist(path: _Paths, *, policy: str | Path | Policy = "harmless") -> tuple[str, ...]:
    """The globals that the pickles in these files import and the policy does not allow yet, each ``module.name``.

    They are what ``[formats] allow_globals`` needs for the files to pass; whether they are harmless is for whoever
    pastes them to know. Names that no allowlist can hold (dotted or computed ones) are left out.
    """
    rules = content_policy(policy)
    paths = expand([path] if isinstance(path, str | Path) else path)
    return _names(pair for pair in _needed(paths, rules.formats, {}) if not name_fault(*pair))


def allowlist_for(
    path: _Paths, *, policy: str | Path | Policy = "harmless", contents: Mapping[str, bytes] | None = None
) -> Allowlist:
    """Find the least allowlist, and scan once more with it; the arguments are those of ``scan``."""
    paths = expand([path] if isinstance(path, str | Path) else path)
    rules = content_policy(policy)
    needed = _needed(paths, rules.formats, contents or {})
    added = _names(pair for pair in needed if not name_fault(*pair))
    formats = msgspec.structs.replace(
        rules.formats, pickle="allowlist", allow_globals=(*rules.formats.allow_globals, *added)
    )
    return Allowlist(
        globals=formats.allow_globals,
        profiles=formats.profiles,
        impossible=_names(pair for pair in needed if name_fault(*pair)),
        known=_known(needed, formats),
        scan=scan(paths, policy=msgspec.structs.replace(rules, formats=formats), contents=contents),
    )


def _names(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(f"{module}.{name}" for module, name in pairs))


def _needed(paths: list[str], formats: FormatPolicy, contents: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """The pairs (module, name) that pickles in the files import and the policy does not allow."""
    formats = msgspec.structs.replace(formats, pickle="allowlist")
    found: set[tuple[str, str]] = set()
    for reader, name in _files(paths, contents):
        # What cannot be read is left for the scan to report.
        with contextlib.suppress(Unreadable, MemoryError, RecursionError, OverflowError):
            imported = imported_globals(reader, name, formats)
            found |= {pair for pair, allowed in imported.items() if not allowed}
    return found


def _files(paths: list[str], contents: Mapping[str, bytes]) -> Iterator[tuple[Reader, str]]:
    """Every file with its name; what cannot be opened is left for the scan to report."""
    for path in paths:
        if path in contents:
            yield BytesReader(contents[path]), path
            continue
        listing = list_artifact(Path(path))
        if not listing.files:
            continue
        with opened_root(listing.root) as root:
            for entry in listing.files:
                yield from _file(root, entry.name)


def _file(root: int, name: str) -> Iterator[tuple[Reader, str]]:
    try:
        descriptor = open_beneath(root, name)
    except OSError:
        return
    try:
        yield FileReader(descriptor, os.fstat(descriptor).st_size), name
    finally:
        os.close(descriptor)


def _known(needed: set[tuple[str, str]], formats: FormatPolicy) -> tuple[tuple[str, int], ...]:
    """Profiles that the policy does not have and that know some of the globals, with how many."""
    counts = {
        profile: sum(pair in allowed_by((profile,)) for pair in needed)
        for profile in PROFILE_NAMES
        if profile not in formats.profiles
    }
    return tuple((profile, count) for profile, count in counts.items() if count)


def _strings(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_string, values))}]"


def _string(text: str) -> str:
    """A string of TOML: JSON's escapes are TOML's too, but for DEL."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
