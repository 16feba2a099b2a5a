"""Converts and stores the series of one session, in parallel."""

import errno
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qxbatch.convert.series import convert_series
from qxbatch.core import Reading, gzip_file
from qxbatch.ingest.assemble import Part
from qxbatch.model import Conversion, Series, State
from qxbatch.pack.series import Stored, bring, found_gzip, store_series, stored_as
from qxbatch.page.picture import write_picture
from qxbatch.pipeline.context import Context
from qxbatch.record.compress import compressed
from qxbatch.record.images import shape_of
from qxbatch.record.session_txt import mapped
from qxbatch.settings.model import Stages

FULL = 4 << 20
"""With less than so many free bytes, a failed conversion is put down to the disk."""


@dataclass(frozen=True)
class Made:
    """One series, converted and stored."""

    conversion: Conversion
    stored: Stored
    shapes: Mapping[Path, tuple[int, ...]]
    """Of each image, by its path as the converter left it."""


def make_series(context: Context, part: Part, reading: Reading, build: Path, work: Path, final: Path) -> list[Made]:
    """Convert and store the series of a part in parallel, the largest first; returned in the order of the part.

    Raises OSError when the disk is full or cannot be written, and CancelledError; all work has ended then.
    """
    context.progress.series(len(part.series))
    wanted = found_gzip(final / "dicom") if context.settings.gzip_as_found else context.settings.gzip
    stored = {series.n: stored_as(series.folder, wanted) for series in part.series}
    shapes: dict[Path, tuple[int, ...]] = {}
    converting: dict[int, Future[Conversion]] = {}
    finishing: list[Future[None]] = []
    storing: list[Future[None]] = []

    def convert(series: Series) -> Conversion:
        headers = (reading.header(row) for group in series.groups for row in reading.group_rows(group))
        with context.memory.hold(converter_memory(series)), context.slots.one():
            conversion = convert_series(
                series,
                context.settings,
                work,
                context.tools,
                context.stop,
                headers=[header for header in headers if header is not None] or None,
                staging=part_root(series),
                final=mapped(final, context.settings.path_map),
            )
        _refuse_full_disk(conversion, build)
        for output in conversion.outputs:
            shapes[output.nifti] = shape_of(output.nifti)
            finishing.append(context.working.submit(_finish_image, context, output.nifti))
        context.progress.series_done()
        return conversion

    def store(series: Series) -> None:
        with context.slots.one():
            store_series(
                series.folder,
                build / "dicom",
                stored[series.n],
                context.settings.gzip_level,
                context.monitor,
                reading.streams(list(series.groups)),
            )

    step = not_asked if context.settings.stages is Stages.SORT else convert
    for series in sorted(part.series, key=lambda s: -s.size):
        converting[series.n] = context.converting.submit(step, series)
        if stored[series.n] is not Stored.PLAIN:
            storing.append(context.working.submit(store, series))
    _settle([*converting.values(), *storing])
    _settle(finishing)
    for series in part.series:
        if stored[series.n] is Stored.PLAIN:
            bring(series.folder, build / "dicom" / str(series.n))
    return [Made(converting[series.n].result(), stored[series.n], shapes) for series in part.series]


def not_asked(series: Series) -> Conversion:
    """Return what is told of a series that was to be sorted only."""
    return Conversion(series, State.NOT_ASKED, "")


def converter_memory(series: Series) -> int:
    """Return the bytes that converting a series may take: it is held as read and as written, unpacked where needed."""
    return (64 << 20) + 3 * series.size


def part_root(series: Series) -> Path:
    """Return the folder that stands for the session while it is made: `<root>/dicom/<n>` is the series'."""
    return series.folder.parent.parent


def picture_of(nifti: Path) -> Path:
    """Return where the picture of a converter's image lies until it is placed."""
    return nifti.with_name(f"{nifti.name}.png")


def _finish_image(context: Context, nifti: Path) -> None:
    with context.slots.one():
        write_picture(nifti, picture_of(nifti))
        gzip_file(str(nifti), str(compressed(nifti)), level=context.settings.gzip_level, monitor=context.monitor)
        nifti.unlink()


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
