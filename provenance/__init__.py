"""Sign data sets and model weights, and load only what a policy accepts."""

from __future__ import annotations

__all__: list[str] = []
