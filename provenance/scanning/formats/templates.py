"""Chat templates (Jinja): read as a syntax tree and never rendered; what reaches beyond the messages is refused.

Loaders render them in a sandbox, and sandboxes have been left: by attributes with two underscores, by frames, by the
``attr`` filter, by names put together from parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["template_faults"]

_MAX_CHARACTERS: Final = 512 * 1024
_MAX_DEPTH: Final = 100  # brackets within brackets
_MAX_FAULTS: Final = 20


def template_faults(template: str) -> Iterator[tuple[str, str]]:
    """Yield (what is wrong, rule id) for what reaches beyond a template's values; nothing for an ordinary one.

    FMT013 where it does, FMT016 where that cannot be told: it is too large, nested too deeply, or no template.
    """
    if "{%" not in template and "{{" not in template:
        return
    if len(template) > _MAX_CHARACTERS:
        yield f"it is larger than {_MAX_CHARACTERS >> 10} KiB", "FMT016"
        return
    if _depth(template) > _MAX_DEPTH:
        yield f"brackets lie more than {_MAX_DEPTH} deep in one another", "FMT016"
        return
    from provenance.scanning.formats.template_syntax import NoTemplate, parse
    from provenance.scanning.formats.template_tree import tree_faults

    try:
        faults = dict.fromkeys(tree_faults(parse(template)))
    except NoTemplate as error:
        yield f"it cannot be parsed: {error}", "FMT016"
        return
    for fault in list(faults)[:_MAX_FAULTS]:
        yield fault, "FMT013"


def _depth(template: str) -> int:
    """How deep brackets lie in one another, those in texts counted too."""
    depth = deepest = 0
    for character in template:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(0, depth - 1)
    return deepest
