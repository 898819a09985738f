"""The profile ``scipy``: sparse arrays, splines and search trees, beside ``numpy``.

Left out on purpose: the distributions of ``scipy.stats``, which run a template from their state when they are loaded,
and ``interp1d``, which is pickled with its bound methods. Not proven: that the indices of a sparse array lead into
it (a forged one makes scipy's C code read beyond its memory).
"""

from __future__ import annotations

from provenance.scanning.pickles.allowlist.model import Entry, classes

__all__ = ["ENTRIES"]

_KINDS = ("bsr", "coo", "csc", "csr", "dia", "lil")
_SPARSE = tuple(
    entry
    for kind in _KINDS
    for module in (f"scipy.sparse._{kind}", f"scipy.sparse.{kind}")
    for entry in classes(
        module, f"{kind}_matrix {kind}_array", "a sparse array: its state is set as attributes"
    )
)
_DICTS = tuple(
    Entry("scipy.sparse._dok", name, "new", "a sparse array that is a dict", takes="items", state=True)
    for name in ("dok_matrix", "dok_array")
)
_STATE = "numbers and arrays, set as attributes"

ENTRIES: tuple[Entry, ...] = (
    *_SPARSE,
    *_DICTS,
    *classes("scipy.interpolate._bsplines", "BSpline", _STATE),
    *classes(
        "scipy.interpolate._cubic",
        "CubicSpline PchipInterpolator Akima1DInterpolator CubicHermiteSpline",
        _STATE,
    ),
    *classes("scipy.interpolate._interpolate", "PPoly BPoly NdPPoly", _STATE),
    *classes(
        "scipy.interpolate._fitpack2",
        "UnivariateSpline InterpolatedUnivariateSpline LSQUnivariateSpline RectBivariateSpline SmoothBivariateSpline",
        _STATE,
    ),
    *classes("scipy.interpolate._rgi", "RegularGridInterpolator", _STATE),
    *classes("scipy.interpolate._rbfinterp", "RBFInterpolator", _STATE),
    Entry(
        "scipy.spatial._ckdtree",
        "cKDTree",
        "class",
        "a search tree in C, of arrays",
        check="inert",
        state=True,
    ),
    Entry(
        "scipy.spatial._kdtree", "KDTree", "class", "a search tree in C, of arrays", check="inert", state=True
    ),
    *(
        Entry(module, "Rotation", "class", "an array of rotations", check="inert", state=True)
        for module in ("scipy.spatial.transform._rotation", "scipy.spatial.transform")
    ),
    Entry(
        *(
            "scipy._lib.array_api_compat.numpy._aliases",
            "asarray",
            "constant",
            "makes an array of one, as a value",
        ),
    ),
)
