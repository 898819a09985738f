"""The version of what is installed, and where its documentation lives."""

from __future__ import annotations

__all__ = ["DOCUMENTATION", "version"]

DOCUMENTATION = "https://ml-provenance.readthedocs.io/"


def version() -> str:
    """Give the version of the installed distribution, or ``0+unknown`` where the source is used bare."""
    from importlib import metadata

    try:
        return metadata.version("ml-provenance")
    except metadata.PackageNotFoundError:
        return "0+unknown"
