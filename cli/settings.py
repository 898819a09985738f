"""Settings from ``[tool.provenance]`` in ``pyproject.toml``: below options and the environment, above defaults.

The file is that of the working directory or, inside a git work tree, the nearest one above it. Keys have the
names of the options; ``color``, ``format``, ``policy`` and ``store`` stand in ``[tool.provenance]`` for every
command that has them, all others in ``[tool.provenance.<command>]``. Paths start from the file's directory.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import click

from provenance.errors import UsageError

__all__ = ["HARMLESS", "Settings", "apply_settings", "find_pyproject"]

COMMON = ("color", "format", "policy", "store")
HARMLESS = frozenset({"color", "format"})  # settings that have no part in what is judged, or by what
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Settings:
    """What a ``pyproject.toml`` says: its path, and the defaults of each command by parameter name."""

    path: str = ""
    color: str = "auto"
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)


def apply_settings(ctx: click.Context) -> Settings:
    """Read the settings and make them the defaults of the commands below ``ctx``; raises UsageError."""
    path = find_pyproject(os.getcwd())
    settings = _read(path, ctx) if path else Settings()
    ctx.obj = settings
    ctx.default_map = dict(settings.commands)
    return settings


def find_pyproject(start: str) -> str | None:
    """Find the ``pyproject.toml`` of a directory or, no further than the root of its git work tree, above it."""
    directory, found = start, None
    while True:
        candidate = os.path.join(directory, "pyproject.toml")
        if found is None and os.path.isfile(candidate):
            found = candidate
        if os.path.lexists(os.path.join(directory, ".git")):
            return found
        parent = os.path.dirname(directory)
        if parent == directory:  # no work tree: a stranger may own the directories above
            return found if found == os.path.join(start, "pyproject.toml") else None
        directory = parent


def _read(path: str, ctx: click.Context) -> Settings:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}") from problem
    if b"provenance" not in data:
        return Settings()
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path} is larger than {MOST_BYTES} bytes")
    try:
        text = data.decode()
        table = tomllib.loads(text).get("tool", {}).get("provenance", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError, RecursionError) as problem:
        raise UsageError(f"{path} is not valid TOML: {problem}") from problem
    return _Reader(path, text, ctx).settings(table) if table else Settings()


class _Reader:
    """Checks one ``[tool.provenance]`` table against the options that the commands have."""

    def __init__(self, path: str, text: str, ctx: click.Context) -> None:
        self.path, self.text = path, text
        group = ctx.command
        assert isinstance(group, click.Group)
        commands = {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
        self.options = {
            name: {_key(param): param for param in command.params if isinstance(param, click.Option)}
            for name, command in commands.items()
            if command
        }
        self.color = next(param for param in group.params if param.name == "color")

    def settings(self, table: Any) -> Settings:
        """Turn the table into settings; raises UsageError that names the line."""
        if not isinstance(table, dict):
            raise self.wrong("[tool.provenance] is not a table", "tool", "provenance")
        color = "auto"
        commands: dict[str, Any] = {name: {} for name in self.options}
        for key, value in table.items():
            if key in self.options and isinstance(value, dict):
                for name, inner in value.items():
                    self.set(commands, key, name, inner, f"tool.provenance.{key}")
            elif key == "color":
                color = self.checked(self.color, key, value, "tool.provenance")
            elif key in COMMON:
                for command in [name for name, options in self.options.items() if key in options]:
                    self.set(commands, command, key, value, "tool.provenance")
            else:
                raise self.unknown(key, [*COMMON, *self.options], "tool.provenance")
        return Settings(self.path, color, commands)

    def set(
        self, commands: dict[str, dict[str, Any]], command: str, key: str, value: Any, table: str
    ) -> None:
        """Make one value the default of one option; what a command's own table says goes before the common one."""
        option = self.options[command].get(key)
        if option is None:
            raise self.unknown(key, list(self.options[command]), table)
        checked = self.checked(option, key, value, table)
        if table != "tool.provenance" or option.name not in commands[command]:
            commands[command][str(option.name)] = checked

    def checked(self, option: click.Parameter, key: str, value: Any, table: str) -> Any:
        """Check one value against the type of its option, and let paths start from the file's directory."""
        many = option.multiple if isinstance(option, click.Option) else False
        values = value if many and isinstance(value, list) else [value]
        kind: type = str
        if isinstance(option, click.Option) and option.is_flag:
            kind = bool
        elif isinstance(option.type, click.types.IntParamType):
            kind = int
        if not all(type(item) is kind for item in values):
            expected = {str: "a string", bool: "true or false", int: "a whole number"}[kind]
            raise self.wrong(f"`{key}` must be {expected}{' or a list of such' if many else ''}", table, key)
        if isinstance(option.type, click.Choice) and value not in option.type.choices:
            raise self.wrong(f"`{key}` must be one of {', '.join(map(str, option.type.choices))}", table, key)
        values = [self.based(option, item) for item in values]
        return values if many else values[0]

    def based(self, option: click.Parameter, value: Any) -> Any:
        """Join a path to the file's directory; the name of a policy is none."""
        if isinstance(option.type, click.Path) or (option.name == "policy" and _looks_like_path(value)):
            return os.path.join(os.path.dirname(self.path), value)
        return value

    def unknown(self, key: str, known: list[str], table: str) -> UsageError:
        """Make the error for a key that is not known, with the nearest one that is."""
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(sorted(known)) or 'none'}"
        return self.wrong(f"unknown key `{key}` in [{table}]", table, key, hint)

    def wrong(self, message: str, table: str, key: str, hint: str = "") -> UsageError:
        """Make an error that names the file and the line."""
        from policies.document.toml_lines import line_of

        return UsageError(
            f"{self.path}, line {line_of(self.text, (*table.split('.'), key))}: {message}", hint=hint
        )


def _key(param: click.Option) -> str:
    """Name an option as in the file: its long form without the dashes."""
    longest = max(param.opts, key=len)
    return longest.lstrip("-")


def _looks_like_path(value: str) -> bool:
    return "/" in value or os.sep in value or value.endswith(".toml")
