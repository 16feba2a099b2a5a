"""`qxbatch scan`: lists the series in folders, files and archives.

It writes nothing but the members of archives, which it unpacks into a temporary folder.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qxbatch.commands.interruption import run_interruptible
from qxbatch.commands.option_values import need_existing, passwords_of, threads_of
from qxbatch.commands.reading_limits import ReadingLimits, reading_limits, unopened_archives
from qxbatch.commands.scan_faults import faults
from qxbatch.commands.scan_par import ParSeries, par_series_of_files, par_series_of_reading
from qxbatch.core import Group, Monitor, Reading, ingest, is_archive, scan_files, sniff
from qxbatch.discover.unsupported_archives import UNOPENED
from qxbatch.exits import ExitStatus
from qxbatch.ingest import encrypted
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.report.series_table import as_json, as_table, as_tsv
from qxbatch.settings.model import Passwords
from qxbatch.settings.passwords import passwords_for_core

ONLY_INGESTED = ("bzip2", "xz", "lzma", "lzip", "zstd", "lz4", "compress")
"""Compressions that `ingest` of the core unpacks, and `scan_files` of the core does not. Both unpack gzip."""


@dataclass(frozen=True)
class ScanResult:
    """The result of the scan of one path; `qxbatch.scan` converts it into a `qxbatch.ScannedPath`."""

    path: str
    kind: str
    """`folder`, `unreadable`, or what the file is: `zip`, `tar`, `dicom`, ..."""
    files: int
    """Number of files, or of members of an archive."""
    series: tuple[Group | ParSeries, ...]
    problems: tuple[str, ...]
    """What cannot be read, and why; then advice about it."""


def run(options: Mapping[str, object]) -> int:
    """Print the series of the paths; return the exit status. Raises UsageError."""
    paths = options["<path>"]
    assert isinstance(paths, list)
    if options["--json"] and options["--tsv"]:
        raise UsageError("--json and --tsv are two forms of the same output.", "Give one of them.")
    threads = threads_of(options["--n-procs"])
    passwords, limits = passwords_of(options), reading_limits("scan", options)
    for path in paths:
        need_existing(path, "Name folders, files or archives.")
    monitor = Monitor()
    results = run_interruptible(
        lambda: [scan_path(str(path), threads, passwords, limits, monitor) for path in paths], monitor
    )
    print(_formatted(results, options), end="")
    return int(ExitStatus.FAILED if any(result.problems for result in results) else ExitStatus.OK)


def _formatted(results: Sequence[ScanResult], options: Mapping[str, object]) -> str:
    if options["--json"]:
        return as_json(results)
    return as_tsv(results) if options["--tsv"] else as_table(results)


def scan_path(
    path: str, threads: int, passwords: Passwords | None, limits: ReadingLimits, monitor: Monitor
) -> ScanResult:
    """Return the series below a folder, in a file, or in an archive. Raises CancelledError when the monitor is cancelled."""
    if os.path.isdir(path):  # noqa: PTH112 - False if it cannot be read
        return _scan_files(path, "folder", threads, monitor)
    try:
        kind = sniff(path)
    except OSError as error:
        return ScanResult(path, "unreadable", 1, (), (error_text(error, path),))
    if (Path(path).is_file() and is_archive(path)) or kind in ONLY_INGESTED:  # a FIFO would block
        return _scan_archive(path, kind, threads, passwords, limits, monitor)
    if kind in UNOPENED:
        return ScanResult(path, kind, 1, (), (f"{path}: {UNOPENED[kind].title}, which qxbatch does not open",))
    return _scan_files(path, kind, threads, monitor)


def _scan_files(path: str, kind: str, threads: int, monitor: Monitor) -> ScanResult:
    try:
        files = scan_files([path], threads=threads, monitor=monitor)
    except OSError as error:
        return ScanResult(path, kind, 0, (), (error_text(error, path),))
    return ScanResult(path, kind, len(files), (*files.groups(), *par_series_of_files(files)), tuple(faults(files)))


def _scan_archive(
    path: str, kind: str, threads: int, passwords: Passwords | None, limits: ReadingLimits, monitor: Monitor
) -> ScanResult:
    """Return the series of an archive, whose members are read into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="qxbatch-scan-") as folder:
        try:
            reading = ingest(
                [(path, "")],
                str(Path(folder) / "read"),
                threads=threads,
                passwords=passwords_for_core(passwords),
                monitor=monitor,
                **limits.for_core(),
            )
        except OSError as error:
            return ScanResult(path, kind, 0, (), (error_text(error, path),))
        reasons = (*reading.damage(), *unopened_archives(reading))
        advice = (encrypted.hint(encrypted.encryption_reasons(reading), passwords), limits.hint(path, reasons))
        problems = (*reasons, *(f"{path}: {text}" for text in advice if text))
        return ScanResult(
            path, kind, _count_members(reading), (*reading.groups(), *par_series_of_reading(reading)), problems
        )


def _count_members(reading: Reading) -> int:
    """Return the number of files in an archive. An opened archive in it does not count, but its members do."""
    rows = (reading.row(index) for index in range(len(reading)))
    return sum(row.fate not in ("nodata", "opened") for row in rows)  # nodata: folders, links, devices
