"""Delays signals that end a run while they would leave an inconsistent state.

A signal raises KeyboardInterrupt in the main thread between any two instructions, also while a pool starts a thread: the pool
would not register that thread, and not wait for it.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def delayed_signals() -> Iterator[None]:
    """Delay signals during the `with` block; raise KeyboardInterrupt at its end if one arrived and the block raised no exception.

    Only the main thread receives signals: in another thread, this does nothing.
    """
    received: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        for number in ENDING_SIGNALS:
            if callable(signal.getsignal(number)):  # under nohup, SIGHUP is ignored and has no handler
                handlers[number] = signal.signal(number, lambda number, _frame: received.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if received:
        raise KeyboardInterrupt


def ignore_signals() -> None:
    """Ignore the signals that end a run: a second Ctrl-C must not interrupt the clean-up."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
