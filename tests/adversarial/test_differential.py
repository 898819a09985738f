"""What the scanner accepts is given to both unpicklers of CPython: neither may ask for a name that is not allowed.

The unpicklers import nothing here: names are looked up in the allowlist, and stand-ins take their place.
"""

from __future__ import annotations

import _compat_pickle
import base64
import io
import json
import pickle
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.scanning.pickles.allowlist import allowed_by
from provenance.scanning.verb import scan_bytes

ALLOWED = allowed_by(("tensors",))
VECTORS = Path(__file__).parents[1] / "vectors" / "pickles"
CODES = [
    code
    for name, code in vars(pickle).items()
    if isinstance(code, bytes) and len(code) == 1 and name.isupper()
]
PIECES = [
    *(
        b"cposix\nmkdir\n",
        b"\x8c\5posix\x8c\5mkdir\x93",
        b"\x8c\5posix",
        b"\x8c\5mkdir",
        b"(U\1aiposix\nmkdir\n",
    ),
    *(
        b"ccollections\nOrderedDict\n",
        b"\x8c\x0bcollections",
        b"\x8c\x0bOrderedDict",
        b"Vposix\n",
        b"S'mkdir'\n",
    ),
    *(
        b"\x95\5\0\0\0\0\0\0\0",
        b"\x80\2",
        b"\x80\4",
        b"h\0",
        b"q\0",
        b"p1\n",
        b"g1\n",
        b"K\1",
        b"\x82\1",
        b"(",
        b"1",
    ),
]


class NotAllowed(Exception):
    """An import that the allowlist does not have."""


class StandIn(dict[Any, Any]):
    """Takes whatever an unpickler does to an object."""

    def __new__(cls, *_arguments: Any, **_named: Any) -> Self:
        return super().__new__(cls)

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        super().__init__()

    def __call__(self, *_arguments: Any, **_named: Any) -> StandIn:
        return StandIn()

    def __setstate__(self, _state: Any) -> None:
        pass

    def append(self, _item: Any) -> None:
        pass


def restricted(base: Any) -> Any:
    class Restricted(base):
        def find_class(self, module: str, name: str) -> Any:
            # Unpicklers map the names of Python 2 behind this method.
            pairs = {(module, name), _compat_pickle.NAME_MAPPING.get((module, name))}
            pairs.add((_compat_pickle.IMPORT_MAPPING.get(module, module), name))
            if pairs.isdisjoint(ALLOWED):
                raise NotAllowed(f"{module}.{name}")
            return StandIn

    return Restricted


UNPICKLERS = [restricted(pickle.Unpickler), restricted(pickle._Unpickler)]  # type: ignore[attr-defined]


def small_vectors() -> list[bytes]:
    found = []
    for path in sorted(VECTORS.glob("R0[1-8].json")):
        for vector in json.loads(path.read_bytes())["vectors"]:
            data = b"".join(base64.b64decode(piece) * times for piece, times in vector["pieces"])
            if len(data) < 3000 and vector["file"] == "model.pkl":
                found.append(data)
    return found


SEEDS = small_vectors()


def loads_nothing_else(data: bytes) -> None:
    for unpickler in UNPICKLERS:
        try:
            unpickler(io.BytesIO(data)).load()
        except NotAllowed as missed:
            pytest.fail(f"accepted, and imports {missed}: {data!r}")
        except Exception:
            pass  # it breaks off, having imported nothing else


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    made = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(made)))
        new = draw(st.one_of(st.sampled_from(PIECES), st.sampled_from(CODES), st.binary(max_size=3)))
        made[place : place + draw(st.integers(0, 3))] = new
    return bytes(made)


@settings(max_examples=1500, deadline=None)
@given(changed())
def test_neither_unpickler_imports_more_than_the_scanner_saw(data: bytes) -> None:
    if scan_bytes(data, "model.pkl").decision == "accepted":
        loads_nothing_else(data)


@pytest.mark.parametrize("data", SEEDS)
def test_the_vectors_themselves(data: bytes) -> None:
    if scan_bytes(data, "model.pkl").decision == "accepted":
        loads_nothing_else(data)
