"""Parsing templates by Jinja's own parser, with the tags that transformers adds; nothing is compiled or rendered."""

from __future__ import annotations

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser

__all__ = ["NoTemplate", "parse"]


class NoTemplate(Exception):
    """The text is no template, or one nested too deeply."""


class _Generation(Extension):
    """``{% generation %} … {% endgeneration %}`` marks what the model wrote."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> nodes.Node:
        """Read what stands between the two tags."""
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


_ENVIRONMENT = Environment(  # noqa: S701 - nothing is rendered
    extensions=[loopcontrols, _Generation], trim_blocks=True, lstrip_blocks=True, cache_size=0
)


def parse(template: str) -> nodes.Template:
    """Return the syntax tree. Raises NoTemplate."""
    try:
        return _ENVIRONMENT.parse(template)
    except TemplateSyntaxError as error:
        raise NoTemplate(str(error.message)[:120]) from None
    except RecursionError:
        raise NoTemplate("it is nested too deeply") from None
    except (
        ValueError,
        OverflowError,
        MemoryError,
        TypeError,
    ) as error:  # numbers of thousands of digits, odd escapes
        raise NoTemplate(type(error).__name__) from None
