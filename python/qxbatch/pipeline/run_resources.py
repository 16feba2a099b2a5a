"""Opens and closes the resources that the units of a run share: converters, threads, archive numbers, locks."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qxbatch.archive.numbers import Numbers
from qxbatch.archive.stored_numbers import forget_numbers
from qxbatch.convert.available import AvailableConverters, find_converters
from qxbatch.core import Monitor
from qxbatch.discover.units import Unit
from qxbatch.events import MembersRead, Observer
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.pipeline.archive_numbers import store_archive_numbers
from qxbatch.pipeline.context import Context
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings

REFRESH_SECONDS = 0.2
"""Seconds between two events about how much the core has read."""


@contextmanager
def opened_context(
    settings: Settings,
    units: Sequence[Unit],
    observer: Observer,
    workspace: Workspace | None = None,
    locks: Locks | None = None,
) -> Iterator[Context]:
    """Yield the context in which these units can be imported (qxbatch.pipeline.unit.import_unit).

    Raises UsageError when a converter is missing or the numbers of archives cannot be read or stored, and KeyboardInterrupt when
    the run is stopped while they are chosen.
    """
    workspace = workspace or Workspace(settings.sessionsfolder, settings.work_dir, settings.masterinbox)
    locks = locks or Locks(workspace.locks_folder)
    converters = need_converters(settings)
    monitor = Monitor()
    numbers = _numbers(settings, workspace, locks, units, monitor)
    context = Context(settings, workspace, locks, converters, observer, monitor, numbers)
    finished_units: Sequence[Unit] = ()
    try:
        with _notifying_of_reads(monitor, observer):
            yield context
        finished_units = units
    finally:
        locks.sweep()
        context.close()
        tidy(workspace, locks, finished_units)


def need_converters(settings: Settings) -> AvailableConverters:
    """Return the converters that a run may use; print which of them replace a missing one. Raises UsageError (exit status 69)."""
    converters = find_converters(settings)
    for note in converters.notes:
        print(note, file=sys.stderr)
    return converters


def tidy(workspace: Workspace, locks: Locks, finished_units: Sequence[Unit] = ()) -> None:
    """Remove what is no longer needed in the folder `.qxbatch`, such as the numbers of the archives of `finished_units`.

    These are the units that this run has imported, or tried to import.
    """
    if os.path.lexists(workspace.top):
        forget_numbers(workspace, locks, _inboxes(finished_units))
        workspace.tidy()


def _numbers(
    settings: Settings, workspace: Workspace, locks: Locks, units: Sequence[Unit], monitor: Monitor
) -> Numbers:
    """Choose the numbers of archives with the same name. Raises UsageError (exit status 73) if they cannot be read or stored."""
    try:
        return store_archive_numbers(_inboxes(units), settings, workspace, locks, monitor)
    except (OSError, KeyboardInterrupt) as error:
        tidy(workspace, locks)
        if isinstance(error, KeyboardInterrupt):
            raise
        hint = "Correct this and run again."
        raise UsageError(
            f"Cannot read or write {error_text(error, workspace.numbers_path)}.", hint, ExitStatus.CANNOT_WRITE
        ) from error


def _inboxes(units: Sequence[Unit]) -> list[Path]:
    return [unit.session_inbox for unit in units if unit.session_inbox is not None]


@contextmanager
def _notifying_of_reads(monitor: Monitor, observer: Observer) -> Iterator[None]:
    """Notify the observer of the members and bytes read so far, at intervals and at the end."""
    stop = threading.Event()

    def notify_reads() -> None:
        last_count = 0
        while not stop.wait(REFRESH_SECONDS):
            if monitor.files != last_count:
                last_count = monitor.files
                observer.notify(MembersRead(monitor.files, monitor.bytes))

    thread = threading.Thread(target=notify_reads, name="counting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        observer.notify(MembersRead(monitor.files, monitor.bytes))
