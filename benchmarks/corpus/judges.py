"""``python judges.py TOOL`` judges files by one scanner and prints a line of JSON for each; runs in its environment.

Paths come in by standard input, a line each. ``refused`` says that the scanner would not let the file pass,
``failed`` that it gave up on it. Needs nothing but the scanner and the standard library.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

SECONDS = 20  # a file, then it counts as failed

Judge = Callable[[str], tuple[bool, bool]]


def provenance(policy: str = "harmless") -> Judge:
    """Ours: exit status 1 refuses, 3 could not decide."""
    from provenance.scanning.verb import scan

    def judge(path: str) -> tuple[bool, bool]:
        status = scan(path, policy=policy).exit_status
        return status == 1, status == 3

    return judge


def picklescan(*, strict: bool = False) -> Judge:
    from picklescan.scanner import scan_file_path

    def judge(path: str) -> tuple[bool, bool]:
        result = scan_file_path(path, strict=strict)
        return bool(result.issues_count), bool(result.scan_err)

    return judge


def modelscan() -> Judge:
    from modelscan.modelscan import ModelScan

    def judge(path: str) -> tuple[bool, bool]:
        scanner = ModelScan()
        result = scanner.scan(path)
        return bool(result["issues"]), bool(result["errors"])

    return judge


def fickling() -> Judge:
    """By the functions of its command, which also opens archives."""
    import fickling as module

    def judge(path: str) -> tuple[bool, bool]:
        found = module.scan_zip_archive(path).values() if _is_zip(path) else [module.scan_file(path)]
        return any(not one.is_safe for one in found), any(one.errors for one in found)

    return judge


def _is_zip(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def modelaudit() -> Judge:
    os.environ["PROMPTFOO_DISABLE_TELEMETRY"] = "1"
    from modelaudit.core import determine_exit_code, scan_model_directory_or_file

    def judge(path: str) -> tuple[bool, bool]:
        status = determine_exit_code(scan_model_directory_or_file(path))
        return status == 1, status == 2

    return judge


JUDGES: Mapping[str, Callable[[], Judge]] = {
    "provenance": provenance,
    "picklescan": picklescan,
    "picklescan --strict": lambda: picklescan(strict=True),
    "modelscan": modelscan,
    "fickling": fickling,
    "modelaudit": modelaudit,
}


def _stop(_signal: int, _frame: Any) -> None:
    raise TimeoutError


def main() -> None:
    """Judge each file with a bound on its time; what a scanner prints is thrown away."""
    tool, *arguments = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    judge = provenance(*arguments) if tool == "provenance" else JUDGES[tool]()
    signal.signal(signal.SIGALRM, _stop)
    for line in sys.stdin:
        path = line.rstrip("\n")
        started = time.process_time()
        refused, failed = False, False
        signal.alarm(SECONDS)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                refused, failed = judge(path)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            failed = True
        finally:
            signal.alarm(0)
        spent = time.process_time() - started
        answers.write(
            json.dumps({"path": path, "refused": refused, "failed": failed, "seconds": spent}) + "\n"
        )
    answers.flush()


if __name__ == "__main__":
    main()
