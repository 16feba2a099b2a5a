"""Signals that end a run, and the moments at which none may come in between.

They are raised as KeyboardInterrupt in the main thread (qxbatch.cli.main), between any two of its steps: also while a pool
starts a thread, which the pool would then not know, and not wait for.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def afterwards() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end where a signal came within."""
    came: list[int] = []
    old = {}
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            if callable(signal.getsignal(number)):  # nohup made it deaf to SIGHUP
                old[number] = signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def never_again() -> None:
    """Ignore them: a second Ctrl-C must not break the clean-up."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
