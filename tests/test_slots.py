"""The budget of CPUs."""

import threading
from concurrent.futures import ThreadPoolExecutor

from qxbatch.slots import Slots


def test_no_more_than_the_total_run_at_once() -> None:
    slots = Slots(3)
    running, most, guard = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with slots.one():
            with guard:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.002)
            with guard:
                running -= 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(60)))
    assert most == 3


def test_several_takes_what_is_free_and_gives_it_back() -> None:
    slots = Slots(4)
    with slots.one(), slots.several() as count:
        assert count == 3
    with slots.several() as count:
        assert count == 4
