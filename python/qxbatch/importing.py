"""Imports in threads, one at a time.

Packages whose modules import each other in a circle (nibabel, pydicom) may be seen half-made by a second thread: Python
breaks the deadlock of two such imports that way.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Hold the only import of such packages."""
    with _LOCK:
        yield
