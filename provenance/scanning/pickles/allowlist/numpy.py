"""The profile ``numpy``: arrays of other kinds and the states of random generators, beside ``tensors``.

Left out on purpose: ``memmap``, which opens files. Not proven: that the state of a generator is random.
"""

from __future__ import annotations

from provenance.scanning.pickles.allowlist.model import Entry

__all__ = ["ENTRIES"]

_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")

ENTRIES: tuple[Entry, ...] = (
    Entry("numpy", "record", "constant", "the type of a row, as a value"),
    Entry("numpy", "matrix", "constant", "the type of an array, as a value"),
    Entry("numpy", "recarray", "constant", "the type of an array, as a value"),
    Entry("numpy.rec", "recarray", "constant", "the type of an array, as a value"),
    Entry("numpy.ma", "MaskedArray", "constant", "the type of an array, as a value"),
    Entry("numpy.ma.core", "MaskedArray", "constant", "the type of an array, as a value"),
    Entry(
        "numpy.ma.core",
        "_mareconstruct",
        "function",
        "makes an empty masked array",
        check="array",
        state=True,
    ),
    Entry(
        *("numpy.random._pickle", "__randomstate_ctor", "function", "makes a generator by a known name"),
        check="generator",
        state=True,
        passes=("__bit_generator_ctor",),
    ),
    Entry(
        *("numpy.random._pickle", "__generator_ctor", "function", "makes a generator by a known name"),
        check="generator",
        state=True,
        passes=("__bit_generator_ctor",),
    ),
    Entry(
        *("numpy.random._pickle", "__bit_generator_ctor", "function", "makes a generator by a known name"),
        check="generator",
        state=True,
    ),
    *(
        Entry(f"numpy.random.{module}", name, "constant", "the type of a generator, as a value")
        for module, name in zip(
            ("_mt19937", "_pcg64", "_pcg64", "_philox", "_sfc64"), _GENERATORS, strict=True
        )
    ),
    Entry(
        "numpy.random.bit_generator",
        "SeedSequence",
        "new",
        "numbers that a generator starts from",
        state=True,
    ),
    Entry(
        "numpy.random.bit_generator",
        "__pyx_unpickle_SeedSequence",
        "function",
        "the same",
        check="inert",
        state=True,
    ),
    Entry("numpy.polynomial.polynomial", "Polynomial", "new", "coefficients", state=True),
    Entry("numpy.polynomial.chebyshev", "Chebyshev", "new", "coefficients", state=True),
    Entry("numpy.polynomial.legendre", "Legendre", "new", "coefficients", state=True),
)
