"""Warnings and notes about what was read and sorted."""

from collections import Counter
from collections.abc import Sequence

from qxbatch.core import Group, Reading
from qxbatch.ingest.assemble import SortedSession
from qxbatch.model import Series
from qxbatch.problems import Code, Problem, Severity
from qxbatch.session.layout import FROM_SESSION_PREFIX


def several_studies_warnings(groups: Sequence[Group], sorted_session: SortedSession) -> list[Problem]:
    """Return a warning if a session has several studies."""
    studies = {groups[i].study_uid for series in sorted_session.series for i in series.groups}
    if len(studies) <= 1:
        return []
    message = f"{len(studies)} studies became one session."
    numbers = Counter(series.header.get("SeriesNumber") for series in sorted_session.series if series.groups)
    if any(count > 1 for number, count in numbers.items() if number is not None):
        message = f"{message[:-1]}; series with the same SeriesNumber got different numbers."
    hint = "Check that they belong together."
    return [Problem(Code.SEVERAL_STUDIES, sorted_session.session.id, message, hint, Severity.WARNING)]


def extra_bytes_notes(reading: Reading, label: str) -> list[Problem]:
    """Return a note if archives have bytes that are in no member; `label` names the packets.

    It is a warning if some of these bytes begin like an archive, a compressed file or a DICOM file: images may be in them.
    """
    notes = reading.skipped_bytes_notes()
    if not notes:
        return []
    message = f"bytes that belong to no listed member were skipped: {'; '.join(notes)}."
    if not reading.skipped_bytes_may_contain_images():
        return [Problem(Code.SURROUNDED, label, message, severity=Severity.INFO)]
    message = f"{message} Some of them begin like another archive or a DICOM file, from which nothing was imported."
    hint = "Check that the session has all its images. If not, extract these bytes, and import them with the packet."
    return [Problem(Code.SURROUNDED, label, message, hint, Severity.WARNING)]


def joined_series_notes(sorted_session: SortedSession) -> list[Problem]:
    """Return a note for each series that was joined from several parts of one scan."""
    return [_joined_series_note(series) for series in sorted_session.series if series.parts]


def _joined_series_note(series: Series) -> Problem:
    kinds: dict[str, set[str | int | None]] = {
        "StudyInstanceUIDs": {part.study_uid for part in series.parts},
        "SeriesInstanceUIDs": {part.series_uid for part in series.parts},
        "SeriesNumbers": {part.number for part in series.parts},
    }
    differing = " and ".join(name for name, values in kinds.items() if len(values) > 1)
    message = f"{len(series.parts)} parts of one scan with different {differing} were joined into one series."
    hint = "Use --join-series=never to keep the parts apart."
    return Problem(Code.JOINED_SERIES, f"series {series.n}", message, hint, Severity.INFO)


def duplicates_warnings(reading: Reading, sorted_session: SortedSession) -> list[Problem]:
    """Return a warning for each series with repeated files; new copies of files that the session already had do not count."""
    own_files = {
        row.at for row in map(reading.row, sorted_session.rows) if row.path.startswith(FROM_SESSION_PREFIX) and row.at
    }
    dicom_copies = (row for row in map(reading.row, sorted_session.rows) if row.fate == "duplicate")
    counts = Counter(row.series for row in dicom_copies if row.at not in own_files)
    # a repeated PAR or REC has no series: its first copy is counted in its place
    par_rec_first_copies = map(reading.row, sorted_session.par_rec_copies.values())
    counts.update(row.series for row in par_rec_first_copies if row.at not in own_files)
    return [_duplicates_warning(n, count) for n, count in sorted(counts.items())]


def _duplicates_warning(n: int, count: int) -> Problem:
    files, were = ("1 file has", "was") if count == 1 else (f"{count} files have", "were")
    message = f"{files} the same bytes as another file of the series and {were} not stored again."
    return Problem(Code.DUPLICATES, f"series {n}", message, severity=Severity.WARNING)
