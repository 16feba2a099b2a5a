"""PAR/REC series for `qxbatch scan`, with the same fields as DICOM series."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qxbatch.core import Reading, ScannedFiles, sniff
from qxbatch.ingest.pairs import find_pairs
from qxbatch.model import Value
from qxbatch.parrec.header import ParHeader, read_par
from qxbatch.parrec.pairing import Member, pair_rows

_ENDINGS = (".par", ".rec")


@dataclass(frozen=True)
class ParSeries:
    """A PAR and its REC, if there is one. The fields, except `kind`, are those of `core.Group`, which describes a DICOM series."""

    number: int | None
    files: int
    size: int
    header: Mapping[str, Value]
    folded_patient_id: str
    start_time: str
    study_uid: str = ""
    series_uid: str = ""
    kind: str = "PAR/REC"


def par_series_of_reading(reading: Reading) -> list[ParSeries]:
    """Return the PAR/REC series of an archive that was read."""
    pairs, _ = find_pairs(reading, range(len(reading)))
    sizes = ([reading.row(row).size for row, _ in par_rec.files] for par_rec in pairs)
    return [_series(par_rec.number, par_rec.header, size) for par_rec, size in zip(pairs, sizes, strict=True)]


def par_series_of_files(files: ScannedFiles) -> list[ParSeries]:
    """Return the PAR/REC series among scanned files; unreadable ones are left out."""
    series = []
    for par, rec, header in par_files(files):
        try:
            sizes = [path.stat().st_size for path in (par, rec) if path is not None]
        except OSError:
            continue
        series.append(_series(header.series_number, header.dicom(), sizes))
    return series


def par_files(files: ScannedFiles) -> Iterator[tuple[Path, Path | None, ParHeader]]:
    """Yield each PAR among the files, with its REC (None if there is none) and its header; unreadable PARs are left out."""
    members = list(_members(files))
    paths = {member.row: Path(member.path) for member in members}
    pairs, _problems = pair_rows(members)
    for par, rec in pairs:
        try:
            header = read_par(paths[par])
        except OSError:
            continue
        yield paths[par], None if rec is None else paths[rec], header


def _members(files: ScannedFiles) -> Iterable[Member]:
    for index in range(len(files)):
        path = files.path(index)
        if files.header(index) is not None or not path.casefold().endswith(_ENDINGS):
            continue
        try:
            kind = sniff(path)
        except OSError:
            continue
        if kind in ("par", "rec"):
            yield Member(index, path, Path(path).name, kind)


def _series(number: int | None, header: Mapping[str, Value], sizes: list[int]) -> ParSeries:
    patient = str(header.get("PatientName") or "")
    start_time = f"{header.get('StudyDate') or ''}{header.get('StudyTime') or ''}"
    fields = {**header, "PatientID": patient or None}  # a PAR has only a name
    return ParSeries(
        number if (number or 0) > 0 else None, len(sizes), sum(sizes), fields, patient.casefold(), start_time
    )
