"""Converts and stores the series of one session, in parallel."""

import errno
import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.series import convert_series
from qxbatch.events import ConverterEnded, SeriesConverted, SeriesFinished
from qxbatch.ingest.assemble import SortedSession
from qxbatch.model import Conversion, Output, Series, State
from qxbatch.pack.series import Stored, current_gzip, move, store_series, stored_as
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.image import finish_image
from qxbatch.publish.durable import sync_open
from qxbatch.record.converted import ConvertedSeries
from qxbatch.record.job import Job, Places
from qxbatch.session.summary_parts import ImageStatistics, Sum
from qxbatch.settings.paths import mapped

FULL = 4 << 20
"""With less than so many free bytes, a failed conversion is put down to the disk."""


def make_series(
    context: Context, job: Job, part: SortedSession, places: Places
) -> tuple[ConvertedSeries, Sequence[Future[None]]]:
    """Convert and store the series of a part in parallel, the largest first; also return what is on its way to disk.

    The files of a series are removed as soon as it is both. In inbox mode, what a zip packet contains deflated is copied so.
    (In folder mode a session may be rebuilt from its own series, and must come out the same.)

    Raises OSError when the disk is full or cannot be written, and CancelledError; all work has ended then.
    """
    making = _Making(context, job, part, places)
    making.tell(0)
    settings = context.settings
    wanted = current_gzip(places.published.dicom) if settings.gzip_as_found else settings.gzip
    stored = {series.n: stored_as(series.folder, wanted) for series in part.series}
    converting: dict[int, Future[Conversion]] = {}
    storing: list[Future[None]] = []
    for series in sorted(part.series, key=lambda s: -s.size):
        converting[series.n] = context.converting.submit(making.convert, series, stored[series.n])
        if stored[series.n] is not Stored.PLAIN:
            storing.append(context.working.submit(making.store, series, stored[series.n]))
    _settle([*converting.values(), *storing])
    _settle(making.finishing)
    for series in part.series:
        if stored[series.n] is Stored.PLAIN:
            move(series.folder, places.built.series(series.n))
    conversions = tuple(converting[series.n].result() for series in part.series)
    return ConvertedSeries(conversions, stored, making.headers, making.sums, making.statistics), making.syncing


class _Making:
    """What is done with each series, in threads."""

    def __init__(self, context: Context, job: Job, part: SortedSession, places: Places) -> None:
        self.context = context
        self.job = job
        self.part = part
        self.places = places
        self.headers: dict[Path, Nifti] = {}
        self.sums: dict[Path, Sum] = {}
        self.statistics: dict[Path, ImageStatistics] = {}
        self.finishing: list[Future[None]] = []
        self.syncing: list[Future[None]] = []
        self._half_done: set[int] = set()
        self._converted_series = 0
        self._lock = threading.Lock()

    def tell(self, more: int) -> None:
        """Tell how many series are converted."""
        with self._lock:
            self._converted_series += more
            done, found = self._converted_series, len(self.part.series)
            self.context.observer.notify(SeriesConverted(self.job.unit.name, self.part.session.id, done, found))

    def convert(self, series: Series, stored: Stored) -> Conversion:
        context = self.context
        with context.memory.hold(converter_memory(series)), context.slots.acquire(urgent=True):
            conversion = self._converted(series)
        _refuse_full_disk(conversion, self.places.build)
        for output in conversion.outputs:
            self.headers[output.nifti] = read_nifti(output.nifti)
            self.finishing.append(context.working.submit(self.finish_image, conversion, output))
        self.tell(1)
        self._tell_commands(conversion)
        if stored is Stored.PLAIN:
            self._tell_finished(series)
        else:
            self._clear_once_done(series)
        return conversion

    def _tell_commands(self, conversion: Conversion) -> None:
        commands = tuple(self.job.redact(line) for line in conversion.commands)
        unit, n = self.job.unit.name, conversion.series.n
        self.context.observer.notify(ConverterEnded(unit, n, conversion.state.value, commands))

    def _tell_finished(self, series: Series) -> None:
        self.context.observer.notify(SeriesFinished(self.job.unit.name, series.size))

    def _converted(self, series: Series) -> Conversion:
        return convert_series(
            series,
            self.context.settings,
            self.places.work,
            self.context.tools,
            self.context.stop,
            staging=part_root(series),
            final=mapped(self.places.final, self.context.settings.path_map),
        )

    def store(self, series: Series, stored: Stored) -> None:
        context = self.context
        with context.slots.acquire():
            store_series(
                series.folder,
                self.places.built.dicom,
                stored,
                context.settings.gzip_level,
                context.monitor,
                self.job.reading.streams(list(series.groups)) if self.job.unit.inbox is None else None,
            )
        if stored is Stored.PACKED:
            self._sync(self.places.built.packed(series.n))
        self._clear_once_done(series)

    def finish_image(self, conversion: Conversion, output: Output) -> None:
        finished = finish_image(self.context, conversion, output, self.headers[output.nifti])
        self.sums[output.nifti] = finished.sum
        if finished.statistics is not None:
            self.statistics[output.nifti] = finished.statistics
        self._sync(finished.path)

    def _sync(self, path: Path) -> None:
        """Begin to move a file to disk; it may be renamed meanwhile. In a work folder elsewhere it is not worth it."""
        if self.context.settings.work_dir is None or path.is_relative_to(self.places.build):
            descriptor = os.open(path, os.O_RDONLY)
            self.context.unsynced.acquire()
            self.syncing.append(self.context.syncing.submit(self._synced, descriptor))

    def _synced(self, descriptor: int) -> None:
        try:
            sync_open(descriptor)
        finally:
            self.context.unsynced.release()

    def _clear_once_done(self, series: Series) -> None:
        with self._lock:
            first = series.n not in self._half_done
            self._half_done.add(series.n)
        if not first:
            self._tell_finished(series)
            self.finishing.append(self.context.working.submit(shutil.rmtree, series.folder))


def converter_memory(series: Series) -> int:
    """Return the bytes that converting a series may take: it is held as read and as written, unpacked where needed."""
    return (64 << 20) + 3 * series.size


def part_root(series: Series) -> Path:
    """Return the folder that stands for the session while it is made: `<root>/dicom/<n>` is the series'."""
    return series.folder.parent.parent


def _settle(futures: Sequence[Future[Any]]) -> None:
    """Wait for all; when one failed, drop those that have not begun, and raise the first failure."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, return_when="FIRST_EXCEPTION")
        if any(not future.cancelled() and future.exception() for future in done):
            for future in pending:
                future.cancel()
    for future in futures:
        if not future.cancelled():
            future.result()


def _refuse_full_disk(conversion: Conversion, folder: Path) -> None:
    """A full disk is no fault of the series: the packet is to be imported again when there is room."""
    if conversion.state not in (State.FAILED, State.PARTIAL):
        return
    status = os.statvfs(folder)
    if status.f_bavail * status.f_frsize < FULL or "no space left on device" in conversion.log.lower():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
