"""`qxbatch.scan`: the series in folders, files and archives."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qxbatch.commands.option_values import need_existing, threads_of
from qxbatch.commands.reading_limits import reading_limits
from qxbatch.commands.scan import scan_path
from qxbatch.core import Monitor
from qxbatch.model import Value
from qxbatch.report.series_table import FIELDS, AnySeries, in_order, series_kind
from qxbatch.settings.passwords import read_passwords


@dataclass(frozen=True)
class ScannedSeries:
    """A series of DICOM or PAR/REC files."""

    number: int | None
    """SeriesNumber; for a PAR, which has none, 100 x acquisition number + reconstruction number. None if missing or below 1."""
    description: str
    """SeriesDescription, else ProtocolName; empty if both are missing."""
    kind: str
    """`DICOM` or `PAR/REC`."""
    files: int
    """Number of its files."""
    size: int
    """Bytes of all its files."""
    started: str
    """Date and time, `YYYYMMDDHHMMSS.ffffff` as far as known; empty when unknown."""
    patient_id: str
    """PatientID; of a PAR, which has none, the patient's name. Empty if it is missing."""
    study_uid: str
    """Empty if it is missing, and for a PAR."""
    series_uid: str
    """Generated if it is missing; empty for a PAR."""
    header: Mapping[str, Value]
    """DICOM keyword to value: the fields that `qxbatch scan --json` shows, without empty ones.

    They are from the DICOM file with the lowest InstanceNumber, or from the PAR.
    """


@dataclass(frozen=True)
class ScannedPath:
    """The result of a scan for one path: the series in it, and what cannot be read."""

    path: Path
    kind: str
    """`folder`, `unreadable`, or what the file is: `zip`, `tar`, `dicom`, ..."""
    files: int
    """Number of files, or of members of an archive."""
    series: tuple[ScannedSeries, ...]
    """Sorted by patient, study, number and time."""
    problems: tuple[str, ...]
    """What cannot be read, and why; then advice about it."""


def scan(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    n_procs: int | None = None,
    password_file: str | os.PathLike[str] | None = None,
) -> list[ScannedPath]:
    """Return an entry for each path, in the order of the paths: the series in a folder, a file or an archive.

    Nothing is written but the members of archives, which are unpacked into a temporary folder. `n_procs` is the maximum number of
    threads; None: all CPUs that the process may use. `password_file` has passwords of encrypted archives, one in each line. Raises
    UsageError when a path does not exist or a parameter is wrong.
    """
    all_paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    threads = threads_of(None if n_procs is None else str(n_procs))
    passwords = None if password_file is None else read_passwords(os.fspath(password_file))
    for path in all_paths:
        need_existing(os.fspath(path), "Name folders, files or archives.")
    limits = reading_limits("scan", {"--password-file": None if password_file is None else os.fspath(password_file)})
    monitor = Monitor()
    results = ((Path(path), scan_path(os.fspath(path), threads, passwords, limits, monitor)) for path in all_paths)
    return [
        ScannedPath(path, result.kind, result.files, tuple(map(_series, in_order(result.series))), result.problems)
        for path, result in results
    ]


def _series(series: AnySeries) -> ScannedSeries:
    header = {field: value for field in FIELDS if (value := series.header.get(field)) is not None}
    description = header.get("SeriesDescription") or header.get("ProtocolName") or ""
    return ScannedSeries(
        number=series.number,
        description=str(description),
        kind=series_kind(series),
        files=series.files,
        size=series.size,
        started=series.start_time,
        patient_id=str(header.get("PatientID") or ""),
        study_uid=series.study_uid,
        series_uid=series.series_uid,
        header=header,
    )
