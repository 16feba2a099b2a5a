"""The budgets of CPUs and of memory: who enters, and who waits."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest

from qxbatch.convert.available import Available
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
    """Threads that hold a share of a budget until they are told to leave."""

    def __init__(self, events: Queue[str]) -> None:
        self.events = events
        self.threads: dict[str, threading.Thread] = {}
        self.signs: dict[str, threading.Event] = {}

    def start(self, name: str, share: AbstractContextManager[object]) -> str:
        """Start a thread that takes a share; return its name when it enters, or WAITS when it has to wait."""
        sign = self.signs[name] = threading.Event()

        def hold() -> None:
            with share:
                self.events.put(name)
                sign.wait(LIMIT)

        thread = self.threads[name] = threading.Thread(target=hold, name=name, daemon=True)
        thread.start()
        return self.events.get(timeout=LIMIT)

    def leave(self, name: str) -> None:
        """Let a thread give its share back, and wait until it did."""
        self.signs[name].set()
        self.threads[name].join(LIMIT)
        assert not self.threads[name].is_alive()

    def next(self) -> str:
        """Return the name of the next thread that enters."""
        while (name := self.events.get(timeout=LIMIT)) == WAITS:
            pass
        return name

    def end(self) -> None:
        """Let all threads leave."""
        for sign in self.signs.values():
            sign.set()
        for thread in self.threads.values():
            thread.join(LIMIT)
            assert not thread.is_alive(), f"{thread.name} is stuck"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Threads]:
    """Return threads for a budget that is made in the test: its condition reports each wait."""
    events: Queue[str] = Queue()

    class Observed(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            events.put(WAITS)
            return super().wait(timeout)

    monkeypatch.setattr("qxbatch.slots.threading", SimpleNamespace(Condition=Observed))
    threads = Threads(events)
    yield threads
    threads.end()


def test_no_more_than_the_total_run_at_once(threads: Threads) -> None:
    slots = Slots(3)
    assert [threads.start(name, slots.one()) for name in "abc"] == ["a", "b", "c"]
    assert threads.start("d", slots.one()) == WAITS
    threads.leave("b")
    assert threads.next() == "d"


def test_as_many_as_the_total_run_at_once_all_the_time() -> None:
    slots, together = Slots(3), threading.Barrier(3)
    running, most, guard = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with slots.one():
            with guard:
                running += 1
                most = max(most, running)
            together.wait(LIMIT)
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


def test_several_waits_for_the_first_one_that_is_free(threads: Threads) -> None:
    slots = Slots(1)
    assert threads.start("one", slots.one()) == "one"
    assert threads.start("several", slots.several()) == WAITS
    threads.leave("one")
    assert threads.next() == "several"


def test_one_to_spare_is_for_who_needs_one_alone(threads: Threads) -> None:
    slots = Slots(2, spare=1)
    with slots.several() as count, slots.one():
        assert count == 2
    assert [threads.start(name, slots.one()) for name in "abc"] == ["a", "b", "c"]
    assert threads.start("d", slots.one()) == WAITS
    threads.leave("a")
    assert threads.next() == "d"


@pytest.mark.parametrize(("asked", "granted", "at_once"), [(4, 4, 5), (4, 8, 4), (4, 2, 5), (1, 1, 1)])
def test_no_more_is_used_than_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: Threads, asked: int, granted: int, at_once: int
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
    names = [f"{k}" for k in range(at_once)]
    assert [threads.start(name, context.slots.one()) for name in names] == names
    assert threads.start("more", context.slots.one()) == WAITS
    threads.leave("0")
    assert threads.next() == "more"
    context.close()


def test_converters_stay_within_the_memory(threads: Threads) -> None:
    memory = Memory(100)
    assert [threads.start(name, memory.hold(40)) for name in "ab"] == ["a", "b"]
    assert threads.start("c", memory.hold(40)) == WAITS
    threads.leave("a")
    assert threads.next() == "c"


def test_what_alone_is_too_large_runs_alone(threads: Threads) -> None:
    memory = Memory(100)
    assert threads.start("large", memory.hold(150)) == "large"
    assert threads.start("small", memory.hold(10)) == WAITS
    threads.leave("large")
    assert threads.next() == "small"
    assert threads.start("larger", memory.hold(150)) == WAITS
    threads.leave("small")
    assert threads.next() == "larger"


def test_without_a_bound_all_run(threads: Threads) -> None:
    memory = Memory(None)
    assert [threads.start(name, memory.hold(50)) for name in "abcd"] == ["a", "b", "c", "d"]


def test_what_is_urgent_goes_first(threads: Threads) -> None:
    slots = Slots(1)
    assert threads.start("first", slots.one()) == "first"
    for name, urgent in (("packing 1", False), ("packing 2", False), ("converter", True)):
        assert threads.start(name, slots.one(urgent=urgent)) == WAITS
    threads.leave("first")
    assert threads.next() == "converter"
    threads.leave("converter")
    packing = threads.next()
    threads.leave(packing)
    assert {packing, threads.next()} == {"packing 1", "packing 2"}
