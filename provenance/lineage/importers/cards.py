"""Model cards: the front matter of ``README.md`` names the base model and the data sets.

Source: https://huggingface.co/docs/hub/model-cards, members ``base_model`` and ``datasets``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from provenance.errors import Malformed
from provenance.lineage.claims import UNSIGNED, Claim, Input
from provenance.lineage.finding import read_bounded
from provenance.lineage.importers.yaml_files import MAX_YAML_BYTES, parse_yaml, texts_of
from provenance.lineage.references import named

__all__ = ["read_model_card"]

_MOST_FRONT_BYTES = 64 * 1024


def read_model_card(path: str) -> Iterator[Claim]:
    """Read what the card of the model in whose directory it lies names; raises ``Malformed`` or ``Unreadable``."""
    front = _front_matter(read_bounded(path, MAX_YAML_BYTES))
    inputs = tuple(
        Input(named(text.rpartition("/")[2]), role, text)
        for member, role in (("base_model", "base"), ("datasets", "dataset"))
        for text in texts_of(front.get(member))
        if text.rpartition("/")[2]
    )
    if inputs:
        model = os.path.basename(os.path.dirname(path))
        yield Claim(where=path, kind=UNSIGNED, subjects=(named(model),), inputs=inputs)


def _front_matter(data: bytes) -> dict[str, object]:
    lines = data[:_MOST_FRONT_BYTES].split(b"\n")
    fences = [number for number, line in enumerate(lines) if line.rstrip() == b"---"][:2]
    if len(fences) < 2 or fences[0] != 0:
        raise Malformed("it has no front matter", code="SIG008")
    return parse_yaml(b"\n".join(lines[1 : fences[1]]))
