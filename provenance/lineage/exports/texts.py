"""Names in the languages of diagrams and identifiers: whatever they hold, they stay names."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

__all__ = ["json_text", "plain", "timestamp"]

_MOST = 120


def plain(text: str) -> str:
    """Replace control and formatting characters (line ends, bidirectional marks) and cut what is too long."""
    shown = "".join("\ufffd" if unicodedata.category(each)[0] == "C" else each for each in text)
    return shown if len(shown) <= _MOST else shown[: _MOST - 1] + "…"


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def json_text(document: Any) -> str:
    """Write a document as JSON in ASCII."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
