import os
import sys
import threading

import pytest

from provenance.loading import buffers
from provenance.loading.buffers import allocate, preparer


@pytest.mark.parametrize("size", [0, 1, 4095, 4 * 1024 * 1024, 9 * 1024 * 1024 + 5])
def test_memory_is_writable_zeroed_and_of_the_size(size: int) -> None:
    view = memoryview(allocate(size))
    assert (len(view), view.readonly) == (size, False)
    assert not any(view[:: max(size // 100, 1)])


def test_memory_is_private_to_this_process() -> None:
    buffer = allocate(8 * 1024 * 1024)
    child = os.fork()
    if not child:
        buffer[0] = 7
        os._exit(0)
    os.waitpid(child, 0)
    assert buffer[0] == 0


@pytest.mark.parametrize("start", [0, 1, 4096, 5000])
@pytest.mark.parametrize("length", [0, 1, 4096, 100_000, 5_000_000])
def test_making_memory_ready_changes_no_byte_of_it(start: int, length: int) -> None:
    buffer = allocate(10 * 1024 * 1024)
    pattern = os.urandom(1000)
    view = memoryview(buffer)
    view[: len(pattern)] = pattern
    view[-len(pattern) :] = pattern
    preparer(view)(view[start : start + length])
    assert bytes(view[: len(pattern)]) == bytes(view[-len(pattern) :]) == pattern


def test_threads_share_one_preparer() -> None:
    view = memoryview(allocate(64 * 1024 * 1024))
    prepare = preparer(view)
    quarter = len(view) // 4
    threads = [
        threading.Thread(target=prepare, args=(view[each * quarter : (each + 1) * quarter],))
        for each in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(view[::4096])


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="the kernel's own account of memory is Linux's"
)
def test_prepared_memory_is_there_before_it_is_written() -> None:
    def resident() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    view = memoryview(allocate(64 * 1024 * 1024))
    before = resident()
    preparer(view)(view)
    assert resident() - before > 60 * 1024 * 1024


_MIB = 1024 * 1024
_HUGE, _SMALL = 14, 15  # Linux's advice


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel takes this advice")
@pytest.mark.parametrize(
    ("cheap", "changes"),
    [(True, {0: _HUGE}), (False, {0: _SMALL, 32: _HUGE, 33: _SMALL, 161: _HUGE, 162: _SMALL})],
)
def test_huge_pages_are_left_where_they_are_dear_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, cheap: bool, changes: dict[int, int]
) -> None:
    view = memoryview(allocate(8 * _MIB))
    said: dict[int, int] = {}
    piece = 0

    def advise(_: int, length: int, advice: int) -> int:
        if advice in (_HUGE, _SMALL):
            assert length == len(view), "advice for less than the whole makes the threads wait for each other"
            said[piece] = advice
        return 0

    monkeypatch.setattr(buffers, "_madvise", lambda: advise)
    monkeypatch.setattr(buffers, "_CHEAP_SECONDS", 60.0 if cheap else -1.0)
    prepare = preparer(view)
    for piece in range(200):
        prepare(view[: 4 * _MIB])
    assert said == changes


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel takes this advice")
def test_a_rest_that_is_smaller_than_a_huge_page_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[int] = []
    monkeypatch.setattr(
        buffers, "_madvise", lambda: lambda _address, _length, advice: said.append(advice) or 0
    )
    monkeypatch.setattr(buffers, "_CHEAP_SECONDS", -1.0)
    view = memoryview(allocate(8 * _MIB))
    prepare = preparer(view)
    prepare(view[:100])
    prepare(view[:_MIB])
    assert _SMALL not in said
