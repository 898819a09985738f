"""YAML from untrusted hands: plain values only, bounded, and without aliases, which can blow up a small file."""

from __future__ import annotations

from typing import Any

import yaml

from provenance.errors import Malformed
from provenance.lineage.finding import read_bounded

__all__ = ["MAX_YAML_BYTES", "parse_yaml", "read_yaml", "text_of", "texts_of"]

MAX_YAML_BYTES = 1024 * 1024
_LONGEST_TEXT = 1000


class _Loader(yaml.SafeLoader):
    """Plain values; numbers and dates stay text, for here they are only names."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}


def read_yaml(path: str) -> dict[str, Any]:
    """Read a YAML file whose root is a mapping; raises ``Malformed`` or ``Unreadable``."""
    return parse_yaml(read_bounded(path, MAX_YAML_BYTES))


def parse_yaml(data: bytes) -> dict[str, Any]:
    """Read YAML whose root is a mapping of plain values, all of them text; raises ``Malformed``."""
    try:
        tree = yaml.load(data.decode("utf-8"), Loader=_Loader)  # noqa: S506 (a child of SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Malformed("it is not YAML of plain values", code="SIG008") from error
    if not isinstance(tree, dict):
        raise Malformed("its root is no mapping", code="SIG008")
    return tree


def text_of(value: object) -> str:
    """Return a value where it is a short text, else ""."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT else ""


def texts_of(value: object) -> list[str]:
    """Return a text or a list of texts as a list, without what is something else."""
    many = value if isinstance(value, list) else [value]
    return [text for text in map(text_of, many) if text]
