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
from qxbatch.events import ConversionProgress, ConverterEnded, SeriesFinished
from qxbatch.ingest.assemble import SortedSession
from qxbatch.model import Conversion, Output, Series, State
from qxbatch.pack.series import StorageForm, current_gzip, move, storage_form, store_series
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.image import finish_image
from qxbatch.publish.durable import sync_and_close
from qxbatch.record.converted import ConvertedSession
from qxbatch.record.job import ImportFolders, Job
from qxbatch.session.summary_parts import ImageStatistics, SizeAndHash
from qxbatch.settings.paths import outside_path

FULL_DISK_BYTES = 4 << 20
"""If the disk has fewer free bytes, it counts as full, and as the cause of a failed conversion."""


def convert_and_store_series(
    context: Context, job: Job, sorted_session: SortedSession, folders: ImportFolders
) -> tuple[ConvertedSession, Sequence[Future[None]]]:
    """Convert and store the series of a session in parallel, the largest first; also return the running syncs.

    The sorted files leave their folders: those of a series that is stored as it is (`StorageForm.PLAIN`) are moved into the build,
    any others are removed once the series is converted and stored.

    In inbox mode, with `--gzip-level=0`, deflated members of a zip packet can be copied into a tar.gz without recompression (see
    `core.pack_folder`). In folder mode (`--masterinbox=none`) this is not done: a session that is rebuilt from its own series must
    store the same bytes as its first import.

    Raises OSError when the disk is full or cannot be written, and CancelledError; by then all work except syncs has ended.
    """
    work = _SeriesWork(context, job, sorted_session, folders)
    work.notify_converted(0)
    settings = context.settings
    gzip = current_gzip(folders.final_paths.dicom) if settings.gzip_as_found else settings.gzip
    forms = {series.n: storage_form(series.folder, gzip) for series in sorted_session.series}
    converting: dict[int, Future[Conversion]] = {}
    storing: list[Future[None]] = []
    for series in sorted(sorted_session.series, key=lambda s: -s.size):
        converting[series.n] = context.convert_pool.submit(work.convert, series, forms[series.n])
        if forms[series.n] is not StorageForm.PLAIN:
            storing.append(context.executor.submit(work.store, series, forms[series.n]))
    try:
        _wait_for_all([*converting.values(), *storing])
    except BaseException:
        _cancel_all(work.finishing)
        raise
    _wait_for_all(work.finishing)
    for series in sorted_session.series:
        if forms[series.n] is StorageForm.PLAIN:
            move(series.folder, folders.build_paths.series(series.n))
    conversions = tuple(converting[series.n].result() for series in sorted_session.series)
    return ConvertedSession(conversions, forms, work.headers, work.sums, work.statistics), work.syncs


class _SeriesWork:
    """The work on each series of a session, which runs in threads, and its results."""

    def __init__(self, context: Context, job: Job, sorted_session: SortedSession, folders: ImportFolders) -> None:
        self.context = context
        self.job = job
        self.sorted_session = sorted_session
        self.folders = folders
        self.headers: dict[Path, Nifti] = {}
        """By the path of the uncompressed image, as are `sums` and `statistics`."""
        self.sums: dict[Path, SizeAndHash] = {}
        self.statistics: dict[Path, ImageStatistics] = {}
        self.finishing: list[Future[None]] = []
        """The work after conversion: each compresses an image, or removes the files of a finished series."""
        self.syncs: list[Future[None]] = []
        self._half_done: set[int] = set()
        """The numbers n of the series that are converted or stored. The step that is done last, of these two, removes the files."""
        self._converted_count = 0
        self._lock = threading.Lock()

    def notify_converted(self, more: int) -> None:
        """Add `more` to the number of converted series, and notify observers of it."""
        with self._lock:
            self._converted_count += more
            count, total = self._converted_count, len(self.sorted_session.series)
            self.context.observer.notify(
                ConversionProgress(self.job.unit.name, self.sorted_session.session.id, count, total)
            )

    def convert(self, series: Series, form: StorageForm) -> Conversion:
        """Convert a series, and submit `finish_image` for each of its images. Raises OSError, CancelledError."""
        context = self.context
        with context.memory.reserve(converter_memory(series)), context.slots.acquire(urgent=True):
            conversion = self._convert(series)
        _refuse_full_disk(conversion, self.folders.build)
        for output in conversion.outputs:
            self.headers[output.nifti] = read_nifti(output.nifti)
            self.finishing.append(context.executor.submit(self.finish_image, conversion, output))
        self.notify_converted(1)
        self._notify_commands(conversion)
        if form is StorageForm.PLAIN:
            self._notify_finished(series)
        else:
            self._clear_if_done(series)
        return conversion

    def _notify_commands(self, conversion: Conversion) -> None:
        commands = tuple(self.job.redact(line) for line in conversion.commands)
        unit, n = self.job.unit.name, conversion.series.n
        self.context.observer.notify(ConverterEnded(unit, n, conversion.state.value, commands))

    def _notify_finished(self, series: Series) -> None:
        self.context.observer.notify(SeriesFinished(self.job.unit.name, series.size))

    def _convert(self, series: Series) -> Conversion:
        return convert_series(
            series,
            self.context.settings,
            self.folders.work,
            self.context.converters,
            self.context.stop_event,
            staging=session_root(series),
            final=outside_path(self.folders.final, self.context.settings.path_map),
        )

    def store(self, series: Series, form: StorageForm) -> None:
        """Store the DICOM of a series in the build. Raises OSError, CancelledError."""
        context = self.context
        with context.slots.acquire():
            store_series(
                series.folder,
                self.folders.build_paths.dicom,
                form,
                context.settings.gzip_level,
                context.monitor,
                None if self.job.unit.folder_mode else self.job.reading.deflate_streams(list(series.groups)),
            )
        if form is StorageForm.PACKED:
            self._sync(self.folders.build_paths.packed_series(series.n))
        self._clear_if_done(series)

    def finish_image(self, conversion: Conversion, output: Output) -> None:
        """Compress an image, and collect its checksum and statistics. Raises OSError, CancelledError."""
        redact = self.sorted_session.redact
        finished_image = finish_image(self.context, conversion, output, self.headers[output.nifti], redact)
        self.sums[output.nifti] = finished_image.checksum
        if finished_image.statistics is not None:
            self.statistics[output.nifti] = finished_image.statistics
        self._sync(finished_image.path)

    def _sync(self, path: Path) -> None:
        """Start syncing a file, which may be renamed meanwhile. Files outside of the build, in --work-dir, are not synced."""
        if self.context.settings.work_dir is None or path.is_relative_to(self.folders.build):
            descriptor = os.open(path, os.O_RDONLY)
            self.context.unsynced_limit.acquire()
            self.syncs.append(self.context.sync_pool.submit(self._sync_and_close, descriptor))

    def _sync_and_close(self, descriptor: int) -> None:
        try:
            sync_and_close(descriptor)
        finally:
            self.context.unsynced_limit.release()

    def _clear_if_done(self, series: Series) -> None:
        """Remove the files of a series at the second call for it: it is then both converted and stored."""
        with self._lock:
            is_first_half = series.n not in self._half_done
            self._half_done.add(series.n)
        if not is_first_half:
            self._notify_finished(series)
            self.finishing.append(self.context.executor.submit(shutil.rmtree, series.folder))


def converter_memory(series: Series) -> int:
    """Return the bytes of memory to reserve for the conversion of a series: 64 MiB, and three times the size of the series.

    The input and output of the converter are in memory, unpacked if needed.
    """
    return (64 << 20) + 3 * series.size


def session_root(series: Series) -> Path:
    """Return the folder of the session in staging: the series is in `<root>/dicom/<n>`."""
    return series.folder.parent.parent


def _wait_for_all(futures: Sequence[Future[Any]]) -> None:
    """Wait for all futures; if one fails, cancel those that have not started, and raise the first failure in their order."""
    pending = set(futures)
    while pending:
        finished, pending = wait(pending, return_when="FIRST_EXCEPTION")
        if any(not future.cancelled() and future.exception() for future in finished):
            for future in pending:
                future.cancel()
    for future in futures:
        if not future.cancelled():
            future.result()


def _cancel_all(futures: Sequence[Future[Any]]) -> None:
    """Cancel the futures that have not started, and wait for the others."""
    for future in futures:
        future.cancel()
    wait(futures)


def _refuse_full_disk(conversion: Conversion, folder: Path) -> None:
    """Raise OSError if a conversion failed because the disk is full: the packet can be imported again later."""
    if conversion.state not in (State.FAILED, State.PARTIAL):
        return
    status = os.statvfs(folder)
    if status.f_bavail * status.f_frsize < FULL_DISK_BYTES or "no space left on device" in conversion.log.lower():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
