"""The verb ``convert``: from pickles and arrays to safetensors, without running or importing anything of the source."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import msgspec

from policies import Finding, Policy, finding, outcome
from policies.policy import FormatPolicy
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.opening import open_artifact_file
from provenance.errors import Unreadable, UsageError
from provenance.loading.converting.flattening import Flat, TooLarge
from provenance.loading.converting.judging import faults, judged, tied
from provenance.loading.converting.pickled import Broken
from provenance.loading.converting.results import Conversion, ConvertedTensor, LeftBehind
from provenance.loading.converting.signing import sign_conversion
from provenance.loading.converting.sources import FRAMEWORKS, flatten_file
from provenance.loading.converting.steadiness import Changed, Steady
from provenance.loading.converting.writing import HeaderTooLarge, write_safetensors
from provenance.policy_files import load_policy
from provenance.scanning.context import Context
from provenance.scanning.readers import FileReader
from provenance.scanning.scan import examine
from provenance.signing.keys import PrivateKey
from provenance.signing.signers import open_key

__all__ = ["Conversion", "convert"]

AnyPath = str | PathLike[str]

_SUFFIX = ".safetensors"


def convert(
    src: AnyPath,
    dst: AnyPath,
    *,
    key: AnyPath | PrivateKey | None = None,
    password: str | bytes | None = None,
    partial: bool = False,
    policy: str | Path | Policy = "harmless",
) -> Conversion:
    """Write the tensors of ``src`` to the safetensors file ``dst``, rebuilt by our own reader from the bytes alone.

    Nested names are joined with dots; plain values go into the metadata as JSON (``provenance.values``). A quantised
    tensor becomes its integers, with ``.scale`` and ``.zero_point`` beside it. Tensors that share their memory are
    written once for each name. What cannot be carried refuses the conversion, unless ``partial`` leaves it behind.
    ``policy`` says by its profiles which globals are no code. With ``key`` the result and a `convert` statement that
    links it to the digest of the source are signed. ``dst`` is written whole or not at all, and replaced where it is.

    Raises ``UsageError`` for paths, keys and policies that cannot be used, ``Unreadable`` where reading fails.
    Format of the result: https://huggingface.co/docs/safetensors.
    """
    source, target = Path(src), _target(Path(src), Path(dst))
    private = (
        None if key is None else open_key(Path(key) if isinstance(key, str | PathLike) else key, password)
    )
    formats = msgspec.structs.replace(load_policy(policy).formats, pickle="allowlist")
    listing = list_artifact(source)
    if listing.findings and not listing.files:
        return Conversion(decision=outcome(listing.findings), findings=listing.findings)
    if not listing.single:
        raise UsageError(f"{source} is a directory", hint="convert its files one by one")
    with _opened(listing.root, listing.files[0].name, digest=private is not None) as steady:
        result = _convert(steady, source, target, formats, partial=partial)
        if private is None or result.path is None:
            return result
        signature, statement = sign_conversion(
            private, target, source, steady.sha256, {"sourceFormat": result.format, "partial": partial}
        )
    return msgspec.structs.replace(result, signature=signature, statement=statement)


def _target(source: Path, target: Path) -> Path:
    """Where the result goes: never over the source, and under a name that says what it is."""
    if target.suffix != _SUFFIX:
        raise UsageError(f"the result must be called *{_SUFFIX}, not {target.name}")
    if target.is_dir():
        raise UsageError(f"{target} is a directory", hint="name a file")
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent}")
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target} is the source itself", hint="name another file")
    return target


@contextmanager
def _opened(root: Path, name: str, *, digest: bool) -> Iterator[Steady]:
    try:
        descriptor = open_artifact_file(root, name)
    except OSError as error:
        raise Unreadable(
            f"cannot open {name}: {(error.strerror or str(error)).lower()}", code="ART008"
        ) from error
    try:
        yield Steady(descriptor, digest=digest)
    finally:
        os.close(descriptor)


def _convert(
    steady: Steady, source: Path, target: Path, formats: FormatPolicy, *, partial: bool
) -> Conversion:
    """Scan, rebuild, judge, write."""
    reader = FileReader(steady.descriptor, steady.size)
    scanned = examine(reader, source.name, formats)
    flat, gathered = Flat(), list(scanned.findings)
    if outcome(judged(gathered, source, partial=True)) == "accepted":  # else the file itself is not sound
        flat, more = _rebuilt(reader, formats, scanned.format, partial=partial)
        gathered += more
    if outcome(judged(gathered, source, partial=partial)) == "accepted":
        gathered += _write(target, flat, scanned.format, steady)
    findings = judged(gathered, source, partial=partial)
    return _result(flat, scanned.format, steady.size, target, findings)


def _rebuilt(
    reader: FileReader, formats: FormatPolicy, found: str, *, partial: bool
) -> tuple[Flat, list[Finding]]:
    """What the file holds, and what is to be said of it."""
    context = Context(formats, lambda _context, _reader, _name: "")
    try:
        flat = flatten_file(context, reader, found)
    except Broken as error:
        return Flat(), [*context.findings, finding(*error.args)]
    except (TooLarge, RecursionError, MemoryError):
        return Flat(), [finding("CNV005", "there are more values, or deeper nesting, than the bounds allow")]
    return flat, context.findings + faults(flat, partial=partial)


def _metadata(flat: Flat, found: str) -> dict[str, str]:
    """Strings for the header: the framework, as other loaders expect it, and JSON of ours."""
    metadata = {"format": FRAMEWORKS.get(found, "np")}
    if flat.values:
        metadata["provenance.values"] = json.dumps(flat.values)
    if groups := tied(flat):
        metadata["provenance.tied"] = json.dumps(groups)
    return metadata


def _write(target: Path, flat: Flat, found: str, steady: Steady) -> list[Finding]:
    """Write the result, unless the source changed meanwhile."""
    try:
        write_safetensors(target, flat.arrays, _metadata(flat, found), steady.confirm)
    except Changed:
        return [finding("CNV006", "the file changed while it was read")]
    except MemoryError:
        return [finding("CNV005", "a tensor's storage does not fit into the memory")]
    except HeaderTooLarge:
        return [finding("CNV005", "the names and plain values take more than 100 MB")]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot write {target}: {reason}") from error
    return []


def _result(flat: Flat, found: str, size: int, target: Path, findings: tuple[Finding, ...]) -> Conversion:
    decision = outcome(findings)
    accepted = decision == "accepted"
    return Conversion(
        decision=decision,
        findings=findings,
        format=found,
        source_bytes=size,
        path=target if accepted else None,
        tensors=tuple(ConvertedTensor(name, one.dtype, one.shape) for name, one in flat.arrays.items()),
        values=tuple(flat.values),
        left_behind=tuple(LeftBehind(name, what) for name, what in flat.left),
    )
