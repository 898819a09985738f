"""JSON as lenient loaders take it: what Python's reader accepts is read too, so that nothing hides behind a NaN."""

from __future__ import annotations

import json
from typing import Any

import msgspec

__all__ = ["NotJson", "TooDeep", "decode_json"]


class NotJson(Exception):
    """No loader would take the text for JSON."""


class TooDeep(Exception):
    """Values lie deeper in one another than is read."""


def decode_json(data: bytes | str) -> Any:
    """Decode one JSON value. Raises NotJson, TooDeep."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError):
        pass  # NaN, Infinity, halves of surrogates, numbers out of range: Python reads on
    except RecursionError:
        raise TooDeep from None
    try:
        return json.loads(data)
    except RecursionError:
        raise TooDeep from None
    except ValueError as error:
        raise NotJson from error
