"""Write ``tests/vectors/pickles``: run it after a change of ``generating``, then read the difference.

    python tests/vectors/generate_pickles.py

A vector is a file, as base64 in pieces with a count of repetitions, and what scanning it is to find.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generating.bounds import BOUNDS
from generating.containers import CONTAINERS
from generating.model import Vector
from generating.streams import STREAMS

EXIT_STATUS = {"accepted": 0, "refused": 1, "undecided": 3}
TARGET = Path(__file__).parent / "pickles"


def described(vector: Vector) -> dict[str, object]:
    return {
        "name": vector.name,
        "file": vector.file,
        "pieces": [[base64.b64encode(data).decode(), times] for data, times in vector.pieces],
        "decision": vector.decision,
        "exit_status": EXIT_STATUS[vector.decision],
        "rules": vector.rules,
        "runs": vector.runs,
    }


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for requirement, (about, vectors) in {**STREAMS, **CONTAINERS, **BOUNDS}.items():
        assert len({vector.name for vector in vectors}) == len(vectors), requirement
        document = {"requirement": requirement, "about": about, "vectors": [described(one) for one in vectors]}
        text = json.dumps(document, indent=1, ensure_ascii=True)
        (TARGET / f"{requirement}.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
