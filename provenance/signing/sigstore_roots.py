"""Sigstore's trust roots: those that the ``sigstore`` package ships, or a file; nothing is fetched.

A file is a TrustedRoot or a ClientTrustConfig (sigstore/protobuf-specs).
"""

from __future__ import annotations

import logging
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provenance.errors import UsageError

if TYPE_CHECKING:
    from sigstore.models import TrustedRoot

__all__ = ["first_line", "load_trusted_root"]

_SHIPPED: Final = ("_store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
_MAX_ROOT_BYTES: Final = 4 * 1024 * 1024
_SILENT: Final = logging.NullHandler()


def load_trusted_root(path: Path | None) -> TrustedRoot:
    """Read trust roots from a file, or those that ``sigstore`` ships; raises ``UsageError``."""
    # The client warns of keys of kinds that it does not know; that is for programs that ask for its log.
    logging.getLogger("sigstore").addHandler(_SILENT)
    from sigstore.models import ClientTrustConfig, TrustedRoot

    if path is None:
        return _shipped_root()
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_ROOT_BYTES)
        if b"clienttrustconfig" in data:
            return ClientTrustConfig.from_json(data.decode()).trusted_root
        return TrustedRoot.from_file(str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    except Exception as error:  # a third party's reader of a file that the user named
        raise UsageError(f"{path} holds no Sigstore trust roots: {first_line(error)}") from error


def _shipped_root() -> TrustedRoot:
    """Read the roots in the package; the client's own way to them would write a cache into the home directory."""
    from sigstore.models import ClientTrustConfig, TrustedRoot

    shipped = files("sigstore").joinpath(*_SHIPPED)
    if not shipped.is_file():  # another release may keep them elsewhere
        return ClientTrustConfig.production(offline=True).trusted_root
    with as_file(shipped) as place:
        return TrustedRoot.from_file(str(place))


def first_line(error: Exception) -> str:
    """Return what a third party's error says, in one line of at most 300 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
