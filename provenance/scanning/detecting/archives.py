"""Archives: what a zip or tar is, by the names of its members."""

from __future__ import annotations

__all__ = ["is_tar_header", "tar_format", "zip_format"]

_LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_TORCH_TAR = {"sys_info", "pickle", "storages", "tensors"}  # torch before 0.1.10
_NAMES = 4096  # members whose names are looked at


def zip_format(head: bytes, tail: bytes) -> str:  # noqa: PLR0911 - one return a format
    """``torch``, ``torchscript``, ``torch-export``, ``keras``, ``numpy``, ``skops``, ``mar``, else ``zip``.

    Names come from the local headers in ``head`` and the central directory in ``tail``: whichever a loader
    believes, a member that makes the archive dangerous counts.
    """
    names = {name.lower() for name in (*_names(head, _LOCAL, 26, 30), *_names(tail, _CENTRAL, 28, 46))}
    base = {name.rpartition("/")[2] for name in names}
    if "mar-inf/manifest.json" in names:
        return "mar"
    if "serialized_exported_program.json" in base or "archive_format" in base:
        return "torch-export"
    if any(name.endswith(".data/extern_modules") for name in names):
        return "torch-export"  # torch.package: its modules run when it is imported
    if "data.pkl" in base:
        script = "constants.pkl" in base or any(
            "/code/" in name or name.startswith("code/") for name in names
        )
        return "torchscript" if script else "torch"
    if "config.json" in names and ("metadata.json" in names or "model.weights.h5" in names):
        return "keras"
    if "schema.json" in names:
        return "skops"
    if names and all(name.endswith(".npy") for name in names):
        return "numpy"
    return "zip"


def _names(data: bytes, signature: bytes, length_at: int, name_at: int) -> list[str]:
    """Names of the headers with this signature."""
    names: list[str] = []
    pos = data.find(signature)
    while pos >= 0 and len(names) < _NAMES:
        length = int.from_bytes(data[pos + length_at : pos + length_at + 2], "little")
        name = data[pos + name_at : pos + name_at + length]
        if len(name) == length:
            names.append(name.decode("utf-8", "replace"))
        pos = data.find(signature, pos + 4)
    return names


def tar_format(head: bytes) -> str:
    """``tar``, ``nemo``, ``torch`` (its oldest form), or empty."""
    if len(head) < 512 or not is_tar_header(head[:512]):
        return ""
    names = _tar_names(head)
    base = {name.rpartition("/")[2] for name in names}
    if "model_config.yaml" in base:
        return "nemo"
    if len(_TORCH_TAR & {name.strip("./") for name in names}) >= 2:
        return "torch"
    return "tar"


def is_tar_header(block: bytes) -> bool:
    """Whether the checksum of a header is right; the oldest tars have no other sign."""
    try:
        stated = int(block[148:156].rstrip(b" \0").strip() or b"x", 8)
    except ValueError:
        return False
    return stated == sum(block) - sum(block[148:156]) + 256 and block[0] != 0


def _tar_names(head: bytes) -> list[str]:
    """Names of the members whose headers lie in ``head``."""
    names: list[str] = []
    pos = 0
    while pos + 512 <= len(head) and len(names) < _NAMES and is_tar_header(head[pos : pos + 512]):
        names.append(head[pos : pos + 100].rstrip(b"\0").decode("utf-8", "replace"))
        try:
            size = int(head[pos + 124 : pos + 136].strip(b" \0") or b"0", 8)
        except ValueError:
            break
        pos += 512 + (size + 511) // 512 * 512
    return names
