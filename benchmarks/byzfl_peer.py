"""The peer's side of the aggregation benchmark, run by a python that has byzfl: one JSON line in, one out.

byzfl imports torchvision for its examples, which must match torch to the letter; its rules need none of it.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any
from unittest.mock import MagicMock


def main() -> None:
    """Answer {"shape": [n, f, d], "seed"} by making the input, {"rule", "save"} by the CPU seconds that it took."""
    warnings.simplefilter("ignore")
    sys.modules["torchvision"] = MagicMock()
    import numpy as np
    import torch

    updates: Any = None
    rules: dict[str, Any] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "shape" in asked:
            n, faulty, d = asked["shape"]
            updates = torch.from_numpy(
                np.random.default_rng(asked["seed"]).standard_normal((n, d), np.float32)
            )
            rules = _rules(faulty)
            answer: dict[str, Any] = {"rules": list(rules)}
        else:
            some = updates[:, : asked["columns"]].double() if asked["save"] else updates
            started = time.process_time()
            result = rules[asked["rule"]](some)
            answer = {"seconds": time.process_time() - started}
            if asked["save"]:
                np.save(asked["save"], result.numpy())
        print(json.dumps(answer), flush=True)


def _rules(f: int) -> dict[str, Any]:
    from byzfl.aggregators import aggregators as rule
    from byzfl.aggregators import preaggregators as pre

    return {
        "mean": rule.Average(),
        "median": rule.Median(),
        "trimmed-mean": rule.TrMean(f=f),
        "meamed": rule.Meamed(f=f),
        "nnm + trimmed-mean": lambda x: rule.TrMean(f=f)(pre.NNM(f=f)(x)),
        "caf": rule.CAF(f=f),
        "krum": rule.Krum(f=f),
        "multi-krum": rule.MultiKrum(f=f),
        "geometric-median": rule.GeometricMedian(),
        "mda": rule.MDA(f=f),
        "centered-clipping": _clipping(1),
        "centered-clipping, 5 steps": _clipping(5),
        "monna": rule.MoNNA(f=f),
    }


def _clipping(steps: int) -> Any:
    """Make a rule that starts at zero each time: byzfl's remembers where it ended."""
    from byzfl.aggregators.aggregators import CenteredClipping

    def clipped(updates: Any) -> Any:
        return CenteredClipping(L=steps, tau=100.0)(updates)

    return clipped


main()
