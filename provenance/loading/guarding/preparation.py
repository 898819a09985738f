"""What ``multiprocessing`` sends to a child by spawn or forkserver before all else: here also the guards to arm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from provenance.loading.guarding.active import obeyed

__all__ = ["with_guards"]


class _Sent:
    """Arms the process that unpickles it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __reduce__(self) -> tuple[Any, ...]:
        from provenance.loading.guarding.children import arm_all

        return arm_all, (self.text,)


def with_guards(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what stands in for ``get_preparation_data``: the guards that are obeyed here come first in it."""

    def get_preparation_data(name: str) -> dict[str, Any]:
        data: dict[str, Any] = original(name)
        terms = [guard.terms for guard in obeyed()]
        return {"provenance_guard": _Sent(msgspec.json.encode(terms).decode()), **data} if terms else data

    return get_preparation_data
