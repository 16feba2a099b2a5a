"""What all units of a run share."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from qxbatch.conceal import Hide
from qxbatch.convert.available import Available
from qxbatch.core import Monitor
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.report.progress import Progress
from qxbatch.settings.cpus import granted
from qxbatch.settings.model import Settings
from qxbatch.slots import Memory, Slots

OWN_MEMORY = 300 << 20
"""Bytes that the program itself may use; the rest of --mem is for converters."""

SYNCING = 4
"""So many files are brought to disk at once: a file system's journal takes them together."""
UNSYNCED = 64
"""So many may wait for that, each with a descriptor; then the work waits for a slow disk."""


@dataclass(frozen=True)
class Context:
    """The settings, the folders, and the budget of one run."""

    settings: Settings
    workspace: Workspace
    locks: Locks
    tools: Available
    progress: Progress
    monitor: Monitor = field(default_factory=Monitor)
    stop: threading.Event = field(default_factory=threading.Event)
    numbers: Mapping[Path, int] = field(default_factory=dict)
    """Folder mode: the numbers that archives get whose names are not theirs alone."""
    hidden: dict[str, Hide] = field(default_factory=dict)
    """By unit: what takes identities out of what is said about it."""

    def __post_init__(self) -> None:
        workers = max(1, self.settings.n_procs)
        # While one waits for its turn in the interpreter, another works; where the kernel sees to it that it stays within.
        spare = 1 if workers > 1 and workers >= granted() else 0
        object.__setattr__(self, "slots", Slots(workers, spare))
        mem = self.settings.mem
        object.__setattr__(self, "memory", Memory(None if mem is None else max(0, mem - OWN_MEMORY)))
        object.__setattr__(self, "converting", ThreadPoolExecutor(max(1, min(self.settings.parelements, workers))))
        object.__setattr__(self, "working", ThreadPoolExecutor(workers))
        object.__setattr__(self, "syncing", ThreadPoolExecutor(SYNCING))
        object.__setattr__(self, "unsynced", threading.Semaphore(UNSYNCED))

    slots: Slots = field(init=False)
    memory: Memory = field(init=False)
    converting: ThreadPoolExecutor = field(init=False)
    """One thread per converter process that may run."""
    working: ThreadPoolExecutor = field(init=False)
    """Threads that pack, compress and verify."""
    syncing: ThreadPoolExecutor = field(init=False)
    """Threads that wait for the disk and need no CPU."""
    unsynced: threading.Semaphore = field(init=False)
    """Files that are held open for them."""

    def interrupt(self) -> None:
        """Make all work stop soon: the core's, and the converters'."""
        self.monitor.cancel()
        self.stop.set()

    def close(self) -> None:
        """End the threads."""
        self.converting.shutdown(cancel_futures=True)
        self.working.shutdown(cancel_futures=True)
        self.syncing.shutdown(cancel_futures=True)
        self.locks.close()
