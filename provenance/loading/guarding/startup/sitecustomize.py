"""Arms the guard when an interpreter starts, before any code of the program; then the program's own customisation.

This directory stands first on PYTHONPATH in every process that a guarded one starts.
"""

import os
import sys


def _arm() -> None:
    try:
        from provenance.loading.guarding.children import arm_from_environment

        arm_from_environment()
    except BaseException as error:  # noqa: BLE001 - a process that cannot be guarded must not run
        sys.stderr.write(f"provenance: this process is not started, for it cannot be guarded: {error}\n")
        os._exit(3)


def _go_on() -> None:
    """Run the sitecustomize that would have been found without this one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        if mine is not None:
            sys.modules.setdefault("sitecustomize", mine)


_arm()
_go_on()
