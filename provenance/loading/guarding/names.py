"""May this name be unpickled? The allowlist answers, for the pair that an unpickler would really import."""

from __future__ import annotations

import _compat_pickle

from policies import Finding, finding
from provenance.loading.guarding.active import Guarding
from provenance.loading.guarding.extensions import POISON
from provenance.loading.guarding.origins import is_importable, is_installed
from provenance.scanning.pickles.names import canonical, name_fault

__all__ = ["judge_name"]


def judge_name(guard: Guarding, module: str, name: str) -> Finding | None:  # noqa: PLR0911 (one return a fault)
    """The finding that speaks against unpickling ``module.name`` under a guard, or None.

    The pair is raw: whether the unpickler maps Python 2's names is not known, so whatever it may mean is judged.
    """
    if module == POISON:
        return finding("PKL007", f"uses an extension code, which stands for {_shown(name)}")
    shown = _shown(f"{module}.{name}")
    if guard.terms.policy.formats.pickle != "allowlist":
        return finding("PKL001", f"a pickle imports {shown}, and the policy accepts no pickle")
    fault = name_fault(module, name)
    if fault:
        return finding("PKL004", f"imports {shown}: {fault}")
    meant = canonical(module, name, 2)
    if not guard.allows(*meant):
        return finding("PKL002", f"imports {shown}")
    if meant != (module, name) and not guard.allows(module, name) and _is_ambiguous(module):
        return finding("PKL002", f"imports {shown}, which means another thing in Python 2")
    if f"{meant[0]}.{meant[1]}" not in guard.own_names and not is_installed(meant[0]):
        return finding("GRD002", f"imports {shown}, whose module is no installed one")
    return None


def _is_ambiguous(module: str) -> bool:
    """A Python 2 name is also one of this Python where a module is there under it."""
    return module not in _compat_pickle.IMPORT_MAPPING or is_importable(module)


def _shown(name: str) -> str:
    return name[:200] if name.isprintable() else ascii(name[:200])
