import threading
import time
from collections.abc import Callable

import pytest

from provenance.artifacts import cores


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "worker_count", lambda: 4)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_every_item_is_done_once_and_answered_in_order(count: int) -> None:
    done: list[int] = []

    def one(item: int) -> int:
        done.append(item)
        if item % 7 == 0:
            time.sleep(0.001)
        return item * 2

    assert cores.on_all_cores(one, range(count)) == [2 * each for each in range(count)]
    assert sorted(done) == list(range(count))


def test_the_work_is_shared() -> None:
    met = threading.Barrier(4, timeout=30)
    assert len(cores.on_all_cores(lambda _: met.wait(), range(4))) == 4


def test_it_is_done_in_this_thread_where_no_other_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert cores.on_all_cores(lambda item: item, range(100)) == list(range(100))


def _here() -> bool:
    return threading.current_thread() is threading.main_thread()


def _elsewhere() -> bool:
    return not _here()


@pytest.mark.parametrize("fails", [_here, _elsewhere])
def test_a_failure_of_any_thread_is_raised(fails: Callable[[], bool]) -> None:
    both = threading.Barrier(2, timeout=30)

    def one(item: int) -> int:
        if item < 2:
            both.wait()
        if fails():
            raise OSError("gone")
        return item

    with pytest.raises(OSError, match="gone"):
        cores.on_all_cores(one, range(2))


def test_after_an_interrupt_nothing_more_is_begun() -> None:
    both = threading.Barrier(2, timeout=30)
    stopped = threading.Event()
    done: list[int] = []

    def one(item: int) -> None:
        if item < 2:
            both.wait()
        if _here():
            stopped.set()
            raise KeyboardInterrupt
        assert stopped.wait(30)
        done.append(item)

    with pytest.raises(KeyboardInterrupt):
        cores.on_all_cores(one, range(100_000))
    assert len(done) < 50_000
