"""Imports of packages in threads, one thread at a time.

The modules of nibabel and pydicom import each other in a circle. If two threads import them, Python avoids a deadlock by
passing a partially initialized module to one of the threads.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Let one thread at a time import nibabel or pydicom."""
    with _LOCK:
        yield
