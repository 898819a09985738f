"""Updates of models: safetensors files, so that nobody who receives one has to run anything to read it."""

from __future__ import annotations

from pathlib import Path

from provenance.errors import Refused, Undecided, UsageError

__all__ = ["require_safetensors"]


def require_safetensors(path: Path) -> None:
    """Raise ``UsageError`` unless ``path`` is a safetensors file, or a directory with some, all of which open."""
    import safetensors

    files = sorted(path.rglob("*.safetensors")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"there is no safetensors file in {path}", hint="write updates as safetensors")
    for each in files:
        try:
            with safetensors.safe_open(each, framework="numpy") as file:
                file.keys()
        except FileNotFoundError:
            raise Undecided(f"cannot find {each}", code="ART010") from None
        except (safetensors.SafetensorError, OSError) as error:
            raise Refused(
                f"{each} is no safetensors file: {error}", code="FMT003", hint="write updates as safetensors"
            ) from error
