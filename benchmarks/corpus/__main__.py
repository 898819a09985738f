"""``python -m benchmarks.corpus OUTPUT``: write the corpus; run in an environment that has the libraries."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.corpus.forgeries import forgeries
from benchmarks.corpus.harmless_arrays import array_files, plain_pickles
from benchmarks.corpus.harmless_formats import format_files
from benchmarks.corpus.harmless_models import model_files
from benchmarks.corpus.harmless_torch import torch_files
from benchmarks.corpus.malicious import Sample, malicious


def main() -> None:
    """Write ``malicious/``, ``harmless/`` and ``models/``, a folder a family."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus")
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000, help="about how many malicious pickles")
    options = parser.parse_args()
    forged = _family("other formats", forgeries())
    _write(options.output / "malicious", itertools.chain(malicious(options.seed, options.count), forged))
    for family, files in (
        ("torch", torch_files()),
        ("arrays", array_files()),
        ("plain pickles", plain_pickles()),
        ("other formats", format_files()),
    ):
        _write(options.output / "harmless", _family(family, files))
    _write(options.output / "models", _family("models", model_files()))


def _family(family: str, files: Iterable[tuple[str, bytes]]) -> Iterator[Sample]:
    """A folder a file, for scanners go by names and the names of some formats are fixed."""
    for index, (name, data) in enumerate(files):
        yield Sample(family, f"{index:05}/{name.replace(' ', '-')}", data)


def _write(root: Path, samples: Iterable[Sample]) -> None:
    for sample in samples:
        path = root / sample.family.replace(" ", "-") / sample.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.data)


main()
