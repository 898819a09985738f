"""Is a module the one that the allowlist means, or a file of the same name that lies in its way (CWE-1395)?"""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from functools import cache
from types import ModuleType

__all__ = ["is_importable", "is_installed", "is_library"]


def is_installed(module: str) -> bool:
    """Whether a module's top level comes from where the standard library or packages are installed.

    What lies in the working directory, beside the script or beside a model does not. Only the top-level package is
    looked at, and only for its place: an installed package of a foreign author is not told apart.
    """
    top = module.partition(".")[0]
    if top in sys.builtin_module_names:
        return True
    loaded = sys.modules.get(top)
    return _place_of(top) if loaded is None else _is_at_home(loaded)


def is_importable(module: str) -> bool:
    """Whether a top-level module of this name could be imported."""
    top = module.partition(".")[0]
    if top in sys.modules:
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return True  # unknown is not no


def _place_of(top: str) -> bool:
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return False
    if spec is None:
        return True  # nothing can be imported by this name
    return spec.origin in ("built-in", "frozen") or is_library(spec.origin or "")


def _is_at_home(module: ModuleType) -> bool:
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or getattr(module, "__file__", None) or ""
    return origin in ("built-in", "frozen") or is_library(origin)


def is_library(file: str) -> bool:
    """Whether a file lies where the standard library or packages are installed."""
    if file.startswith("<frozen "):
        return True
    real = os.path.realpath(file)
    return bool(file) and any(real.startswith(home) for home in _homes())


@cache
def _homes() -> tuple[str, ...]:
    """The directories of the standard library and of installed packages, each with a final slash."""
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found |= set(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        found.add(site.getusersitepackages())
    # Distributions keep packages in places of their own, and environments may look into those below them.
    found |= {path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")}
    return tuple(sorted({os.path.realpath(path).rstrip("/") + "/" for path in found if path}))
