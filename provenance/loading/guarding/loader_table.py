"""The loaders that are guarded: where each is defined, what it is given, and which formats it reads."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LOADERS", "Loader"]


class Loader(NamedTuple):
    """A loader: where it is defined, and which argument, by position and by name, says what to load.

    ``net`` where nothing may run while it loads; ``named`` where it goes by the file's name; ``streams`` where
    it is better given a file object than a path; ``signed`` where bytes in
    memory, which bear no signature, do not do for a policy that asks for one; ``formats`` what it reads: a file in
    another format would be another thing to the loader than it was to the judge.
    """

    module: str
    function: str
    parameter: str
    position: int = 0
    net: bool = True
    named: bool = False
    streams: bool = False
    signed: bool = True
    formats: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The loader as the report calls it: under the name that programs know it by."""
        known = _KNOWN.get(self.module, self.module)
        return f"{known}.{self.function.removesuffix('.__init__')}"


_KNOWN = {
    "torch.serialization": "torch",
    "torch.jit._serialization": "torch.jit",
    "torch.package.package_importer": "torch.package",
    "numpy.lib._npyio_impl": "numpy",
    "numpy.lib.npyio": "numpy",
    "joblib.numpy_pickle": "joblib",
    "keras.src.saving.saving_api": "keras",
    "keras.src.legacy.saving.legacy_h5_format": "keras.legacy",
    "h5py._hl.files": "h5py",
}
_TENSORS = ("torch", "numpy", "flax", "tensorflow", "paddle", "mlx")

_TORCH = ("torch", "pickle")
_ARRAYS = ("numpy", "pickle", "zip")  # an .npz without arrays is a zip like any other
_HDF5 = ("hdf5", "keras")

LOADERS: tuple[Loader, ...] = (
    Loader("torch.serialization", "load", "f", formats=(*_TORCH, "torchscript")),
    Loader("torch.jit._serialization", "load", "f", formats=("torchscript",)),
    Loader("torch.export", "load", "f", net=False, formats=("torch-export",)),
    Loader("numpy.lib._npyio_impl", "load", "file", signed=False, formats=_ARRAYS),
    Loader("numpy.lib.npyio", "load", "file", signed=False, formats=_ARRAYS),
    Loader("joblib.numpy_pickle", "load", "filename", formats=("joblib", "pickle")),
    Loader("safetensors", "safe_open", "filename", net=False, formats=("safetensors",)),
    *(
        Loader(f"safetensors.{kind}", function, parameter, net=False, formats=("safetensors",))
        for kind in _TENSORS
        for function, parameter in (("load_file", "filename"), ("load", "data"))
    ),
    *(
        Loader(f"keras.src.{module}", function, "filepath", position, net=False, named=True, formats=_HDF5)
        for module, function, position in (
            ("saving.saving_api", "load_model", 0),
            ("saving.saving_api", "load_weights", 1),
            ("legacy.saving.legacy_h5_format", "load_model_from_hdf5", 0),
        )
    ),
    # HDF5 looks for the real path of what it opens, and a copy in memory has none.
    Loader("h5py._hl.files", "File.__init__", "name", 1, net=False, streams=True, formats=_HDF5),
    Loader("torch.package.package_importer", "PackageImporter.__init__", "file_or_buffer", 1),
)
