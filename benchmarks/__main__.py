"""``python -m benchmarks NAME``: run one benchmark."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = (
    "signing",
    "rounds",
    "loading",
    "guard",
    "records",
    "scanning",
    "lineage",
    "aggregation",
    "streaming",
)


def main() -> None:
    """Dispatch by name; the rest of the arguments goes to the benchmark."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        sys.exit(f"usage: python -m benchmarks {{{','.join(NAMES)}}} [options]")
    import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])


main()
