"""``webdataset-sample/1``: a record is the members of a tar file that share a name up to its first dot.

Its bytes are, for each extension in sorted order: the extension's length (4 bytes, little-endian), the extension, the
content's length (8 bytes), the content. The name before the dot is no part of it, so a sample keeps its leaf under
another number. Members of a sample follow one another, as WebDataset reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provenance.artifacts.records.source import MAX_RECORD_BYTES, RecordSource, unclear
from provenance.artifacts.records.tar_members import tar_members

__all__ = ["samples"]

_BATCH_BYTES: Final = 4 * 1024 * 1024
_BATCH_RECORDS: Final = 4096


def samples(source: RecordSource) -> Iterator[list[bytes]]:
    """Yield the records of a tar file in batches; raises ``Malformed`` (CON016)."""
    batch: list[bytes] = []
    size = 0
    for record in _samples(source):
        batch.append(record)
        size += len(record)
        if size > _BATCH_BYTES or len(batch) >= _BATCH_RECORDS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _samples(source: RecordSource) -> Iterator[bytes]:
    key: str | None = None
    members: dict[str, bytes] = {}
    size = 0
    for name, length in tar_members(source):
        its_key, extension = _parted(name, source)
        if its_key != key and members:
            yield _encoded(members)
            members, size = {}, 0
        key = its_key
        if extension in members:
            raise unclear(f"{source.name} has two members `{name[:200]}`")
        size += length
        if size > MAX_RECORD_BYTES:
            raise unclear(
                f"{source.name} has a sample of more than {MAX_RECORD_BYTES >> 20} MiB: `{name[:200]}`"
            )
        content = source.take(length)
        if len(content) != length:
            raise unclear(f"{source.name} is cut off in `{name[:200]}`")
        members[extension] = content
    if members:
        yield _encoded(members)


def _parted(name: str, source: RecordSource) -> tuple[str, str]:
    """Split at the first dot of the base name, as WebDataset does."""
    directory, slash, base = name.rpartition("/")
    stem, dot, extension = base.partition(".")
    if not stem or not dot or not extension:
        raise unclear(f"{source.name} has a member without a key and an extension: `{name[:200]}`")
    return f"{directory}{slash}{stem}", extension


def _encoded(members: dict[str, bytes]) -> bytes:
    parts: list[bytes] = []
    for extension, content in sorted((name.encode("utf-8"), content) for name, content in members.items()):
        parts += [
            len(extension).to_bytes(4, "little"),
            extension,
            len(content).to_bytes(8, "little"),
            content,
        ]
    return b"".join(parts)
