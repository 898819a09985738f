"""Fuzz one target by atheris, which follows the coverage: `fuzz_coverage.py TARGET SECONDS CORPUS`; ends by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["provenance", "policies"]):
    from fuzz_bounds import MAX_INPUT, MAX_SECONDS, bounded
    from fuzz_seeds import SEEDS
    from fuzz_targets import TARGETS


def main() -> None:
    name, seconds, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(SEEDS[name]()):
        (folder / f"seed-{number}").write_bytes(data)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT}",
        f"-timeout={int(3 * MAX_SECONDS)}",
        "-rss_limit_mb=3072",
        "-print_final_stats=1",
        f"-artifact_prefix={folder.parent}/{name}-",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], bounded(TARGETS[name]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
