"""The verbs are imported when they are first used."""

import subprocess
import sys

import pytest

import provenance

_COUNT = """
import gc
started = []
gc.callbacks.append(lambda phase, info: started.append(phase))
gc.set_threshold(1)
import provenance
gc.collect()
{before}
started.clear()
found = vars(provenance)["__getattr__"]("load")
assert callable(found), found
print(len(started) < 50, gc.isenabled())
"""


@pytest.mark.parametrize(("before", "enabled"), [("", "True"), ("gc.disable()", "False")])
def test_an_import_collects_no_garbage_and_leaves_the_collector_as_it_was(before: str, enabled: str) -> None:
    script = _COUNT.format(before=before)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", enabled]


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        _ = provenance.lode


def test_every_public_name_is_there() -> None:
    assert all(getattr(provenance, name) is not None for name in provenance.__all__)
