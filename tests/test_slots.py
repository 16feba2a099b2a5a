"""The budget of CPUs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from qxbatch.convert.available import Available
from qxbatch.events import Observers
from qxbatch.pipeline.context import Context
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Tool
from qxbatch.settings.parse import parse
from qxbatch.slots import Memory, Slots


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


def test_one_to_spare_is_for_who_needs_one_alone() -> None:
    slots = Slots(2, spare=1)
    with slots.several() as count, slots.one():
        assert count == 2
    with slots.one(), slots.one(), slots.one(), ThreadPoolExecutor(1) as pool:
        fourth = pool.submit(lambda: slots.one().__enter__())
        with pytest.raises(TimeoutError):
            fourth.result(timeout=0.05)
        slots._release(1)
        fourth.result(timeout=60)


@pytest.mark.parametrize(("asked", "granted", "at_once"), [(4, 4, 5), (4, 8, 4), (4, 2, 5), (1, 1, 1)])
def test_no_more_is_used_than_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: int, granted: int, at_once: int
) -> None:
    (tmp_path / "inbox/MR").mkdir(parents=True)
    monkeypatch.setattr("qxbatch.pipeline.context.granted", lambda: granted)
    workspace = Workspace(tmp_path)
    context = Context(
        parse({"sessionsfolder": str(tmp_path), "n_procs": str(asked)}).settings,
        workspace,
        Locks(workspace.locks),
        Available(Tool.AUTO, {}),
        Observers(),
    )
    held = ExitStack()
    for _ in range(at_once):
        held.enter_context(context.slots.one())
    with held, ThreadPoolExecutor(1) as pool:
        more = pool.submit(lambda: context.slots.one().__enter__())
        with pytest.raises(TimeoutError):
            more.result(timeout=0.05)
        context.slots._release(1)
        more.result(timeout=60)
    context.close()


def most_at_once(memory: Memory, amounts: list[int]) -> int:
    used, most, guard = 0, 0, threading.Lock()

    def work(amount: int) -> None:
        nonlocal used, most
        with memory.hold(amount):
            with guard:
                used += amount
                most = max(most, used)
            threading.Event().wait(0.002)
            with guard:
                used -= amount

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, amounts))
    return most


def test_converters_stay_within_the_memory() -> None:
    assert most_at_once(Memory(100), [40] * 30) == 80


def test_what_alone_is_too_large_runs_alone() -> None:
    assert most_at_once(Memory(100), [150, 10, 150, 10]) == 150


def test_without_a_bound_all_run() -> None:
    assert most_at_once(Memory(None), [50] * 20) > 100


def test_what_is_urgent_goes_first() -> None:
    slots, order = Slots(1), []

    def work(name: str, urgent: bool) -> None:
        with slots.one(urgent=urgent):
            order.append(name)

    with slots.one():
        threads = []
        for name, urgent in (("packing", False), ("packing", False), ("converter", True)):
            threads.append(threading.Thread(target=work, args=(name, urgent)))
            threads[-1].start()
            time.sleep(0.05)
    for thread in threads:
        thread.join(5)
    assert order == ["converter", "packing", "packing"]
