"""Reading a TOML document strictly, with the line of every fault: text, lines, typed tables."""

from __future__ import annotations
