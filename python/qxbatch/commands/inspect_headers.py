"""Headers of a folder or an archive, as `qxbatch inspect` reads them: without pixels."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qxbatch.commands.reading_limits import ReadingLimits, unopened_archives
from qxbatch.commands.scan_faults import faults
from qxbatch.commands.scan_par import par_files
from qxbatch.core import Group, Header, Monitor, Reading, ScannedFiles, ingest, is_archive, scan_files, sniff
from qxbatch.discover.unsupported_archives import UNOPENED
from qxbatch.ingest import encrypted
from qxbatch.ingest.dicom_series import Headers
from qxbatch.ingest.fallback import read_unparsed_dicom
from qxbatch.ingest.pairs import find_pairs, path_sort_key, without_copies
from qxbatch.model import Value
from qxbatch.settings.model import Passwords
from qxbatch.settings.passwords import passwords_for_core

_PACKED_KINDS = ("zip", "7z", "tar", "bzip2", "xz", "lzma", "lzip", "zstd", "lz4", "compress")
"""What `sniff` returns for archives and compressed files. Gzip is missing, since `scan_files` reads gzipped DICOM."""
_MAX_PROBLEMS = 20
"""Problems listed for one source; more are only counted."""
_PHILIPS_PREFIXES = ("XX_0", "PS_0")
"""Beginnings of the names of files that Philips writes beside the images; an import does not sort those without an image."""


@dataclass(frozen=True)
class ParFiles:
    """A PAR, with its REC or without."""

    path_sort_key: str
    """Sort key of PARs with the same series number."""
    series_number: int | None
    header: Mapping[str, Value]
    """DICOM keyword to value."""
    path: Path
    """Where the PAR can be read."""
    files: int
    """Number of files: 1 without a REC, else 2."""
    size: int
    """Bytes."""


class PacketHeaders(Headers, Protocol):
    """The headers of a packet, and what could not be read. A row is the index of a file or of a member of an archive."""

    @property
    def problems(self) -> Sequence[str]:
        """Return paths and why they could not be read, followed by what to do."""

    def groups(self) -> Sequence[Group]:
        """Return the groups of DICOM files."""

    def path(self, row: int, /) -> str:
        """Return where the header of a file can be read."""

    def pars(self) -> Sequence[ParFiles]:
        """Return the PAR files, each with its REC if there is one."""


class HeadersOfFiles:
    """The headers of files that are read in place."""

    def __init__(self, files: ScannedFiles) -> None:
        self._files = files
        self.problems = _first_problems(faults(files))

    def groups(self) -> Sequence[Group]:
        return self._files.groups()

    def group_rows(self, group: int, /) -> Sequence[int]:
        return self._files.group_files(group)

    def header(self, row: int, /) -> Header | None:
        return self._files.header(row)

    def path(self, row: int, /) -> str:
        return self._files.path(row)

    def pars(self) -> Sequence[ParFiles]:
        return [
            ParFiles(
                str(par),
                header.series_number,
                header.dicom(),
                par,
                len(pair),
                sum(path.stat().st_size for path in pair),
            )
            for par, rec, header in par_files(self._files)
            for pair in [[path for path in (par, rec) if path is not None]]
        ]


class HeadersOfReading:
    """The headers of a packet that was read as in an import: the staging folder contains them."""

    def __init__(self, reading: Reading, source: Path, passwords: Passwords | None, limits: ReadingLimits) -> None:
        self._reading = reading
        reasons = [*reading.damage(), *unopened_archives(reading)]
        advice = (encrypted.hint(encrypted.encryption_reasons(reading), passwords), limits.hint(str(source), reasons))
        # neither the core nor pydicom could read the headers of these files
        broken = (reading.row(row) for row in reading.unparsed_dicom())
        damage = [*reasons, *(f"{row.path}: {row.reason}" for row in broken)]
        self.problems = [*_first_problems(damage), *filter(None, advice)]

    def groups(self) -> Sequence[Group]:
        return self._reading.groups()

    def group_rows(self, group: int, /) -> Sequence[int]:
        return self._reading.group_rows(group)

    def header(self, row: int, /) -> Header | None:
        return self._reading.header(row)

    def path(self, row: int, /) -> str:
        return self._reading.staged_path(row)

    def pars(self) -> Sequence[ParFiles]:
        all_pairs, _ = find_pairs(self._reading, range(len(self._reading)))
        pairs, _ = without_copies(self._reading, all_pairs)
        return [
            ParFiles(
                path_sort_key(pair.path),
                pair.number,
                pair.header,
                Path(self._reading.staged_path(pair.files[0][0])),  # the row of the PAR
                len(pair.files),
                sum(self._reading.row(row).size for row, _ in pair.files),
            )
            for pair in pairs
        ]


def read_headers(
    path: Path,
    staging: Path,
    *,
    source: Path,
    threads: int,
    passwords: Passwords | None,
    limits: ReadingLimits,
    monitor: Monitor,
) -> PacketHeaders:
    """Return the headers of a folder, file or archive.

    They are read in place if an import treats none of the files specially, and none is a copy (`_is_plain`). Otherwise the packet
    is read as in an import, and its headers are written to `staging`, a folder that does not exist yet. `source` is the path that
    the user named, a packet or a session.

    Raises OSError, and CancelledError when the monitor is cancelled.
    """
    if path.is_dir() or not _is_packed(str(path)):
        files = scan_files([str(path)], threads=threads, monitor=monitor)
        if _is_plain(files):
            return HeadersOfFiles(files)
        del files
    reading = ingest(
        [(str(path), "")],
        str(staging),
        threads=threads,
        headers_only=True,
        passwords=passwords_for_core(passwords),
        monitor=monitor,
        **limits.for_core(),
    )
    # pydicom may read headers that the core cannot parse
    read_unparsed_dicom(reading, str(path), lambda: monitor.cancelled)
    return HeadersOfReading(reading, source, passwords, limits)


def _first_problems(problems: Sequence[str]) -> list[str]:
    """Return the first problems, and how many more there are."""
    more = [f"and {len(problems) - _MAX_PROBLEMS} more such files"] if len(problems) > _MAX_PROBLEMS else []
    return [*problems[:_MAX_PROBLEMS], *more]


def why_unopened(path: Path) -> str:
    """Return why a file is not opened: an archive of a kind that qxbatch does not open. Empty for other files. Raises OSError."""
    if path.is_dir():
        return ""
    kind = sniff(str(path))
    return f"{path}: {UNOPENED[kind].title}, which qxbatch does not open" if kind in UNOPENED else ""


def _is_plain(files: ScannedFiles) -> bool:
    """Return whether the headers read in place are enough: no file is special for an import, and none is a copy."""
    rows = range(len(files))
    return not any(_is_special(files, row) for row in rows) and not _has_copies(files, rows)


def _is_special(files: ScannedFiles, row: int) -> bool:
    """Return whether an import treats a file specially: packed, a link, damaged, without a UID, or other data of Philips."""
    path, header = files.path(row), files.header(row)
    name = path.rpartition("/")[2]
    if header is not None:
        lacks_uid = not (header.get("SeriesInstanceUID") and header.get("SOPInstanceUID"))
        return lacks_uid or name.startswith(_PHILIPS_PREFIXES) or os.path.islink(path)  # noqa: PTH114 - of many files
    match files.outcome(row):
        case "damaged":
            return True
        case "unreadable":
            return False
    compressed = name.casefold().endswith((".par.gz", ".rec.gz"))
    return compressed or os.path.islink(path) or _is_packed(path)  # noqa: PTH114


def _is_packed(path: str) -> bool:
    try:
        kind = sniff(path)
        return kind in _PACKED_KINDS or (kind == "gzip" and is_archive(path))
    except OSError:
        return False


def _has_copies(files: ScannedFiles, rows: Sequence[int]) -> bool:
    """Return whether two files have the same SOPInstanceUID, or two PARs the same size: an import compares their bytes."""
    uids = Counter(_uid_hashes(files, rows))
    sizes = Counter(par.stat().st_size for par, _, _ in par_files(files))
    return any(count > 1 for count in (*uids.values(), *sizes.values()))


def _uid_hashes(files: ScannedFiles, rows: Sequence[int]) -> Iterator[int]:
    """Yield a hash of each SOPInstanceUID. Hashes take less memory: a packet may have a hundred thousand files."""
    for row in rows:
        header = files.header(row)
        if header is not None:
            yield hash(header.get("SOPInstanceUID"))
