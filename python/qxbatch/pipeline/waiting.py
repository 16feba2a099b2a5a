"""Waits for threads so that signals are handled: Python does not handle them while the main thread is in the core."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from qxbatch.pipeline.signals import delayed_signals, ignore_signals

Result = TypeVar("Result")
STEP_SECONDS = 0.25
"""The longest time for which a signal waits."""


def wait_for(futures: Sequence[Future[Result]]) -> None:
    """Wait in short steps, after which signals are handled. Raises the first exception at once, and KeyboardInterrupt on a signal.

    Signals are delayed during a step, in which this thread takes locks that it shares with the threads of the futures: a
    KeyboardInterrupt there could release the lock of a thread that is about to store its result.
    """
    pending = set(futures)
    while pending:
        with delayed_signals():
            finished, pending = wait(pending, timeout=STEP_SECONDS, return_when=FIRST_COMPLETED)
        for future in finished:
            future.result()


def in_thread(work: Callable[[], Result], stop: Callable[[], None]) -> Result:
    """Run `work` in another thread and return its result; a signal stops it.

    Raises KeyboardInterrupt on a signal, and what `work` raises.
    """
    pool = ThreadPoolExecutor(1)
    try:
        with delayed_signals():
            future = pool.submit(work)
        wait_for([future])
        return future.result()
    except KeyboardInterrupt:
        stop_work(stop)
        raise
    finally:
        pool.shutdown(wait=True)


def stop_work(stop: Callable[[], None]) -> None:
    """Print a message and stop the work. From then on, signals that end a run are ignored."""
    ignore_signals()
    print("qxbatch: stopping ...", file=sys.stderr)
    stop()
