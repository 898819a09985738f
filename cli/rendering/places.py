"""Where a finding lies, as the formats for other tools want it: a path that is relative where it can be."""

from __future__ import annotations

import os
from urllib.parse import quote

from cli.rendering.report import Report
from policies import Finding

__all__ = ["from_here", "relative_path", "uri"]


def relative_path(report: Report, found: Finding) -> str:
    """Name the file of a finding from the working directory; the artifact itself where it names no file.

    A path outside of the working directory stays absolute.
    """
    return from_here(os.path.abspath(report.place(found.path))).replace(os.sep, "/")


def from_here(path: str) -> str:
    """Write an absolute path that lies in the working directory as a relative one; leave others as they are."""
    here = os.getcwd()
    inside = path == here or path.startswith(here.rstrip("/") + "/")
    return os.path.relpath(path, here) if inside else path


def uri(path: str) -> str:
    """Write a path as a relative URI reference, or as a ``file:`` URI where it is absolute."""
    quoted = quote(_bytes(path))
    if path.startswith("/"):
        return f"file://{quoted}"
    return f"./{quoted}" if ":" in path.split("/", 1)[0] else quoted


def _bytes(path: str) -> bytes:
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:  # half of a surrogate pair, which no file system gave
        return path.encode("utf-8", "surrogatepass")
