"""Work of the core in a thread, so that a signal stops it soon."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from qxbatch.core import Monitor
from qxbatch.pipeline.signals import delayed_signals

_TICK = 0.5
"""Seconds within which Ctrl-C is noticed."""

Result = TypeVar("Result")


def run_interruptible(work: Callable[[], Result], monitor: Monitor) -> Result:
    """Return what `work` returns. After Ctrl-C, cancel the monitor, and wait until the work has removed its temporary files."""
    with ThreadPoolExecutor(1) as pool:
        try:
            with delayed_signals():
                future = pool.submit(work)
            while not future.done():  # a signal just before a wait does not end the wait
                wait([future], timeout=_TICK)
            return future.result()
        except BaseException:
            monitor.cancel()
            raise
