"""The budgets of CPUs and memory: which threads enter and which wait."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest

from qxbatch.convert.available import AvailableConverters
from qxbatch.events import Observers
from qxbatch.pipeline.context import Context
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Tool
from qxbatch.settings.parse import parse
from qxbatch.slots import Memory, Slots

LIMIT = 60
"""Seconds after which a thread counts as stuck. A test that passes does not wait for them."""
WAITS = "waits"


class Threads:
    """Threads that hold part of a budget until the test lets them leave."""

    def __init__(self, events: Queue[str]) -> None:
        self.events = events
        self.threads: dict[str, threading.Thread] = {}
        self.leave_events: dict[str, threading.Event] = {}

    def start(self, name: str, slot: AbstractContextManager[object]) -> str:
        """Start a thread that enters a slot; return its name when it enters, or WAITS if it has to wait."""
        leave = self.leave_events[name] = threading.Event()

        def hold() -> None:
            with slot:
                self.events.put(name)
                leave.wait(LIMIT)

        thread = self.threads[name] = threading.Thread(target=hold, name=name, daemon=True)
        thread.start()
        return self.events.get(timeout=LIMIT)

    def leave(self, name: str) -> None:
        """Let a thread release its slot, and wait until it has ended."""
        self.leave_events[name].set()
        self.threads[name].join(LIMIT)
        assert not self.threads[name].is_alive()

    def next(self) -> str:
        """Return the name of the next thread that enters."""
        while (name := self.events.get(timeout=LIMIT)) == WAITS:
            pass
        return name

    def end(self) -> None:
        """Let all threads leave."""
        for leave in self.leave_events.values():
            leave.set()
        for thread in self.threads.values():
            thread.join(LIMIT)
            assert not thread.is_alive(), f"{thread.name} is stuck"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Threads]:
    """Return threads for a budget created in the test, whose condition reports each wait."""
    events: Queue[str] = Queue()

    class Observed(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            events.put(WAITS)
            return super().wait(timeout)

    monkeypatch.setattr("qxbatch.slots.threading", SimpleNamespace(Condition=Observed))
    threads = Threads(events)
    yield threads
    threads.end()


def test_at_most_the_total_number_of_threads_enter(threads: Threads) -> None:
    slots = Slots(3)
    assert [threads.start(name, slots.acquire()) for name in "abc"] == ["a", "b", "c"]
    assert threads.start("d", slots.acquire()) == WAITS
    threads.leave("b")
    assert threads.next() == "d"


def test_the_total_number_of_threads_always_runs() -> None:
    slots, together = Slots(3), threading.Barrier(3)
    running, most, guard = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with slots.acquire():
            with guard:
                running += 1
                most = max(most, running)
            together.wait(LIMIT)
            with guard:
                running -= 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(60)))
    assert most == 3


def test_several_takes_all_free_slots_and_releases_them() -> None:
    slots = Slots(4)
    with slots.acquire(), slots.acquire_several() as count:
        assert count == 3
    with slots.acquire_several() as count:
        assert count == 4


def test_several_waits_for_the_first_free_slot(threads: Threads) -> None:
    slots = Slots(1)
    assert threads.start("one", slots.acquire()) == "one"
    assert threads.start("several", slots.acquire_several()) == WAITS
    threads.leave("one")
    assert threads.next() == "several"


def test_a_spare_slot_is_reserved_for_single_requests(threads: Threads) -> None:
    slots = Slots(2, spare=1)
    with slots.acquire_several() as count, slots.acquire():
        assert count == 2
    assert [threads.start(name, slots.acquire()) for name in "abc"] == ["a", "b", "c"]
    assert threads.start("d", slots.acquire()) == WAITS
    threads.leave("a")
    assert threads.next() == "d"


@pytest.mark.parametrize(("requested", "granted", "at_once"), [(4, 4, 5), (4, 8, 4), (4, 2, 5), (1, 1, 1)])
def test_a_run_has_a_slot_for_each_requested_cpu_and_a_spare_one_if_no_more_are_granted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: Threads, requested: int, granted: int, at_once: int
) -> None:
    (tmp_path / "inbox/MR").mkdir(parents=True)
    monkeypatch.setattr("qxbatch.pipeline.context.granted_cpus", lambda: granted)
    workspace = Workspace(tmp_path)
    context = Context(
        parse({"sessionsfolder": str(tmp_path), "n_procs": str(requested)}).settings,
        workspace,
        Locks(workspace.locks_folder),
        AvailableConverters(Tool.AUTO, {}),
        Observers(),
    )
    names = [f"{k}" for k in range(at_once)]
    assert [threads.start(name, context.slots.acquire()) for name in names] == names
    assert threads.start("more", context.slots.acquire()) == WAITS
    threads.leave("0")
    assert threads.next() == "more"
    context.close()


def test_converters_stay_within_the_memory_limit(threads: Threads) -> None:
    memory = Memory(100)
    assert [threads.start(name, memory.reserve(40)) for name in "ab"] == ["a", "b"]
    assert threads.start("c", memory.reserve(40)) == WAITS
    threads.leave("a")
    assert threads.next() == "c"


def test_a_request_above_the_memory_limit_runs_alone(threads: Threads) -> None:
    memory = Memory(100)
    assert threads.start("large", memory.reserve(150)) == "large"
    assert threads.start("small", memory.reserve(10)) == WAITS
    threads.leave("large")
    assert threads.next() == "small"
    assert threads.start("larger", memory.reserve(150)) == WAITS
    threads.leave("small")
    assert threads.next() == "larger"


def test_all_run_without_a_memory_limit(threads: Threads) -> None:
    memory = Memory(None)
    assert [threads.start(name, memory.reserve(50)) for name in "abcd"] == ["a", "b", "c", "d"]


def test_a_request_does_not_wait_while_a_slot_is_free(threads: Threads) -> None:
    slots = Slots(2)
    with slots.acquire_several():
        assert threads.start("packing", slots.acquire()) == WAITS
        assert threads.start("converter", slots.acquire(urgent=True)) == WAITS
    assert {threads.next(), threads.next()} == {"packing", "converter"}


def test_an_urgent_request_has_priority(threads: Threads) -> None:
    slots = Slots(1)
    assert threads.start("first", slots.acquire()) == "first"
    for name, urgent in (("packing 1", False), ("packing 2", False), ("converter", True)):
        assert threads.start(name, slots.acquire(urgent=urgent)) == WAITS
    threads.leave("first")
    assert threads.next() == "converter"
    threads.leave("converter")
    packing = threads.next()
    threads.leave(packing)
    assert {packing, threads.next()} == {"packing 1", "packing 2"}
