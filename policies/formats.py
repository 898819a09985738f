"""The names of file formats, as found by content, and what each may carry."""

from __future__ import annotations

__all__ = ["FORMATS", "PICKLE_CARRIERS", "PICKLE_FORMATS", "PLAIN_FORMATS", "PROFILES"]

# Formats whose content is data, read without a pickle machine; archives count by what lies in them.
PLAIN_FORMATS: tuple[str, ...] = (
    "safetensors",
    "numpy",
    "keras",
    "hdf5",
    "savedmodel",
    "onnx",
    "gguf",
    "xgboost",
    "lightgbm",
    "sentencepiece",
    "parquet",
    "zip",
    "tar",
    "json",
    "text",
    "code",
)

# Formats that are a pickle, or an archive around one: `[formats] pickle` decides about them.
PICKLE_FORMATS: tuple[str, ...] = ("pickle", "joblib", "torch")

# Archives that hold pickles beside code or whole models: a policy must name them *and* allow pickles.
PICKLE_CARRIERS: tuple[str, ...] = ("torchscript", "torch-export", "nemo", "mar")

FORMATS: tuple[str, ...] = (*PLAIN_FORMATS, *PICKLE_FORMATS, *PICKLE_CARRIERS, "skops", "7z", "unknown")

# Named lists of globals that a harmless pickle may import.
PROFILES: tuple[str, ...] = ("tensors", "numpy", "sklearn", "scipy", "pandas", "xgboost", "lightgbm")
