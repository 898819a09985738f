"""Train with and without attackers, draw the picture, and catch a server that cheats: `make federated`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import torch

import provenance
from examples.federated.cheating import audited, left_out, swapped
from examples.federated.digits import Digits, shared_out
from examples.federated.methods import METHODS
from examples.federated.people import ATTACKERS, HONEST, People, gathered
from examples.federated.picture import Curves, picture
from examples.federated.rounds import Training, played

SCRATCH = Path(".scratch/federated")
PICTURE = Path("docs/pictures/federated.svg")


def say(text: str) -> None:
    """Narrate, in bold on a terminal."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)


def trainings(scratch: Path, people: People, digits: Digits, attackers: tuple[str, ...]) -> list[Training]:
    """Prepare one training a method."""
    return [
        Training(
            scratch / f"{method.title.replace(' ', '-')}-{len(attackers)}", people, digits, method, attackers
        )
        for method in METHODS
    ]


def curves(prepared: list[Training], rounds: int) -> Curves:
    """Train by every method and print the accuracy at the end."""
    found: dict[str, list[float]] = {}
    for training in prepared:
        started = time.perf_counter()
        found[training.method.title] = list(played(training, rounds))
        took = time.perf_counter() - started
        print(
            f"{training.method.title:<20} {found[training.method.title][-1]:6.1%}   ({took:.1f} s)",
            flush=True,
        )
    return found


def cheat(training: Training, number: int) -> bool:
    """Tell the story of the server that cheats; says whether every verdict was as it has to be."""
    people, updates, base = training.people, training.folder(number), training.model(number - 1)
    result = training.model(number)
    say(f"An auditor recomputes round {number} from the signed updates.")
    verdicts = [_told(audited(result, updates, people, base))]
    say("The server replaces the result, and signs it and a new statement: both signatures are good.")
    swapped(training, number)
    check = provenance.verify(result, keys=[people.announced])
    print(f"verify: {check.decision}; a signature says who, not what from")
    verdicts.append(_told(audited(result, updates, people, base)))
    say("The server leaves out iris, who did nothing wrong, and signs what comes out.")
    left_out(training, number, "iris", training.root / "aside")
    verdicts.append(_told(audited(result, updates, people, base)))
    return verdicts == ["accepted", "refused", "refused"]


def _told(found: provenance.Replay) -> str:
    print(f"replay: {found.decision}")
    for update in found.rejected:
        print(f"  {update.rule} {update.path} does not count: {update.message}")
    for each in found.findings:
        print(f"  {each.rule} {each.message}" + (f" ({each.where})" if each.where else ""))
    return found.decision


def main() -> int:
    """Run it all; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.federated", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="how long to train")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where to write the picture")
    options = parser.parse_args()
    torch.set_num_threads(1)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")  # versions of a roster that is made anew each time
    people, digits = gathered(SCRATCH / "people"), shared_out(len(HONEST))
    say(
        f"{len(HONEST)} contributors, who differ in which digits they have, train for {options.rounds} rounds."
    )
    calm = curves(trainings(SCRATCH, people, digits, ()), options.rounds)
    say(
        f"{len(ATTACKERS)} more members of the roster attack together, with good signatures; "
        "a stranger signs in the name of ada."
    )
    attacked = trainings(SCRATCH, people, digits, ATTACKERS)
    stormy = curves(attacked, options.rounds)
    panels = {
        f"{len(HONEST)} honest contributors": calm,
        f"{len(HONEST)} honest contributors and {len(ATTACKERS)} attackers": stormy,
    }
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    options.picture.write_text(picture(panels), encoding="utf-8")
    print(f"\nThe picture is {options.picture}.")
    return 0 if cheat(attacked[2], options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
