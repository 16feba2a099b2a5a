"""What all units of a run share."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qxbatch.convert.available import Available
from qxbatch.core import Monitor
from qxbatch.events import Observer
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.cpus import granted
from qxbatch.settings.model import Settings
from qxbatch.slots import Memory, Slots

OWN_MEMORY = 300 << 20
"""Bytes that the program itself may use; the rest of --mem is for converters."""

SYNCING = 4
"""So many files are synced at once: a file system's journal takes them together."""
UNSYNCED = 64
"""So many may wait for that, each with a descriptor; then the work waits for a slow disk."""


class Context:
    """The settings, the folders, the observer, and the budget of one run. Nothing in it is about one unit."""

    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        locks: Locks,
        tools: Available,
        observer: Observer,
        monitor: Monitor | None = None,
        numbers: Mapping[Path, int] | None = None,
    ) -> None:
        self.settings = settings
        self.workspace = workspace
        self.locks = locks
        self.tools = tools
        self.observer = observer
        self.monitor = Monitor() if monitor is None else monitor
        self.numbers = {} if numbers is None else numbers
        """Folder mode: the numbers of archives that share their name with others (qxbatch.archive.numbers)."""
        self.stop = threading.Event()
        workers = max(1, settings.n_procs)
        # While one waits for its turn in the interpreter, another works; where the kernel sees to it that it stays within.
        spare = 1 if workers > 1 and workers >= granted() else 0
        self.slots = Slots(workers, spare)
        self.memory = Memory(None if settings.mem is None else max(0, settings.mem - OWN_MEMORY))
        self.converting = ThreadPoolExecutor(max(1, min(settings.parelements, workers)))
        """One thread per converter process that may run."""
        self.working = ThreadPoolExecutor(workers)
        """Threads that pack, compress and verify."""
        self.syncing = ThreadPoolExecutor(SYNCING)
        """Threads that wait for the disk and need no CPU."""
        self.unsynced = threading.Semaphore(UNSYNCED)
        """Files that are held open for them."""

    def interrupt(self) -> None:
        """Make all work stop soon: the core's, and the converters'."""
        self.monitor.cancel()
        self.stop.set()
        self.locks.interrupt()

    def close(self) -> None:
        """End the threads."""
        self.converting.shutdown(cancel_futures=True)
        self.working.shutdown(cancel_futures=True)
        self.syncing.shutdown(cancel_futures=True)
        self.locks.close()
