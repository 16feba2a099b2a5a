"""Waiting for threads so that a signal is seen: while the main thread sits in the core, Python does not get to it."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from qxbatch.pipeline.signals import afterwards, never_again

Result = TypeVar("Result")


def wait_for(futures: Sequence[Future[Result]]) -> None:
    """Wait in short steps, so that a signal is seen; the first bug ends the waiting."""
    left = set(futures)
    while left:
        done, left = wait(left, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()


def in_thread(work: Callable[[], Result], stop: Callable[[], None]) -> Result:
    """Do something beside the main thread; a signal that comes meanwhile stops it.

    Raises KeyboardInterrupt then, and what the work raises.
    """
    pool = ThreadPoolExecutor(1)
    try:
        with afterwards():
            future = pool.submit(work)
        wait_for([future])
        return future.result()
    except KeyboardInterrupt:
        stopping(stop)
        raise
    finally:
        pool.shutdown(wait=True)


def stopping(stop: Callable[[], None]) -> None:
    """Say so and stop the work. A second Ctrl-C must not break the clean-up."""
    never_again()
    print("qxbatch: stopping ...", file=sys.stderr)
    stop()
