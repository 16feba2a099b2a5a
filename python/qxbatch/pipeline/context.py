"""The resources that all units of a run share."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from qxbatch.convert.available import AvailableConverters
from qxbatch.core import Monitor
from qxbatch.events import Observer
from qxbatch.open_files import many_open_files
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.cpus import granted_cpus
from qxbatch.settings.model import Settings
from qxbatch.slots import Memory, Slots

OWN_MEMORY = 300 << 20
"""Bytes of memory that the program itself may use; the remaining part of --mem is for converters."""

SYNC_THREADS = 4
"""Maximum number of files that are synced at once: a file system commits them in one transaction."""
MOST_UNSYNCED = 64
"""Maximum number of files that wait for a sync, each with an open descriptor. If more are written, the work waits for the disk."""


class Context:
    """The settings, folders, locks and threads of one run, and its limits of CPUs, memory and open files."""

    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        locks: Locks,
        converters: AvailableConverters,
        observer: Observer,
        monitor: Monitor | None = None,
        archive_numbers: Mapping[Path, int] | None = None,
    ) -> None:
        self._open_files = ExitStack()
        self._open_files.enter_context(many_open_files())
        self.settings = settings
        self.workspace = workspace
        self.locks = locks
        self.converters = converters
        """The converters that the run may use."""
        self.observer = observer
        self.monitor = Monitor() if monitor is None else monitor
        """Counts the files and bytes that the core reads, and can cancel the core's work."""
        self.archive_numbers = {} if archive_numbers is None else archive_numbers
        """Folder mode (`--masterinbox=none`): the numbers of archives with the same name (qxbatch.archive.numbers)."""
        self.published_sessions: set[str] = set()
        """Ids of the sessions that this run published: no other packet of the run may replace them.

        In folder mode, only the sessions that an inbox was split into.
        """
        self.stop_event = threading.Event()
        """Set when the converters have to stop."""
        workers = max(1, settings.n_procs)
        # if there are as many workers as CPUs, one more worker runs while others wait for the interpreter lock
        spare = 1 if workers > 1 and workers >= granted_cpus() else 0
        self.slots = Slots(workers, spare)
        """Limits the work on the CPU in all threads, and the converters."""
        self.memory = Memory(None if settings.mem is None else max(0, settings.mem - OWN_MEMORY))
        """Limits the memory of the converters that run at once."""
        self.convert_pool = ThreadPoolExecutor(max(1, min(settings.parelements, workers)))
        """One thread for each converter process that may run at once."""
        self.executor = ThreadPoolExecutor(workers)
        """Threads for the work on the CPU besides converters."""
        self.sync_pool = ThreadPoolExecutor(SYNC_THREADS)
        """Threads that wait for the disk and need no CPU."""
        self.unsynced_limit = threading.Semaphore(MOST_UNSYNCED)
        """Limits the files that are open for syncing."""

    def interrupt(self) -> None:
        """Make all work stop soon: the core's, the converters', and the waits for locks."""
        self.monitor.cancel()
        self.stop_event.set()
        self.locks.interrupt()

    def close(self) -> None:
        """Cancel waiting work, end the threads, stop renewing locks, and restore the limit of open files."""
        self.convert_pool.shutdown(cancel_futures=True)
        self.executor.shutdown(cancel_futures=True)
        self.sync_pool.shutdown(cancel_futures=True)
        self.locks.close()
        self._open_files.close()
