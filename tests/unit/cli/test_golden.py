"""Every format against files that a person has read.

After a wanted change: ``make golden``, then read the difference before it is committed.
"""

import os
from pathlib import Path

import click
import pytest

from cli.rendering import FORMATS, renderer
from cli.version import version
from tests.unit.cli.reports import ALL

GOLDEN = Path(__file__).parents[2] / "vectors" / "golden"
SUFFIX = {"text": "txt", "junit": "xml", "github": "github.txt"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ALL)
def test_output_is_the_golden_one(name: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    text = click.unstyle(renderer(form)(ALL[name]())).replace(f'"{version()}"', '"VERSION"')
    file = GOLDEN / f"{name}.{SUFFIX.get(form, form)}"
    if os.environ.get("REGENERATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
