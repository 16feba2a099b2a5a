"""Writes the records of a session: images, logs, kept files, DICOM-Report.txt, ledger, summary and session.txt."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.ingest.assemble import SortedSession
from qxbatch.model import Conversion, SeriesKind
from qxbatch.record.converted import ConvertedSession
from qxbatch.record.files import redact_sidecars, write_images, write_logs
from qxbatch.record.images import SessionImages, number_images
from qxbatch.record.job import ImportFolders, Job
from qxbatch.record.kept_files import move_kept_files, redact_kept_names
from qxbatch.record.ledger_file import NewLocations, record_ledger
from qxbatch.record.redacted import redacted_conversion
from qxbatch.record.session_problems import SessionProblems, session_problems
from qxbatch.record.summary_file import record_summary
from qxbatch.record.texts import write_dicom_report, write_session_txt
from qxbatch.session.summary import Summary
from qxbatch.settings.model import Settings, Stages


class RecordedSession(NamedTuple):
    """A session whose files are written."""

    session_images: SessionImages
    summary: Summary
    all_problems: SessionProblems
    """All problems of the session, including those of conversions and images, and the members that were left out."""


def record_session(
    job: Job,
    sorted_session: SortedSession,
    converted: ConvertedSession,
    folders: ImportFolders,
    settings: Settings,
    *,
    converters: Mapping[str, str],
    began: float,
) -> RecordedSession:
    """Write the files of a session into its build, the session folder before it is published, which already contains the series.

    `converters` maps names to versions; `began` is the time (time.monotonic) at which the work on the session started.

    Raises OSError, CancelledError, and UsageError if the path of the session is invalid in session.txt.
    """
    conversions = [redacted_conversion(conversion, sorted_session.redact) for conversion in converted.conversions]
    session_images = _record_images(sorted_session, conversions, converted, folders, settings)
    rows = (job.reading.row(index) for index in sorted_session.rows)
    member_paths = {row.at: row.path for row in rows if row.fate == "kept"} if job.deidentified else {}
    redacted_locations = redact_kept_names(folders.scratch, sorted_session.redact, member_paths)
    new_prefixes = move_kept_files(folders.scratch, folders.build, folders.inbox)
    locations = NewLocations(converted.storage_forms, new_prefixes, redacted_locations)
    own_problems, left_out = session_problems(job, sorted_session, conversions)
    patient = "" if job.deidentified else _patient(sorted_session)
    write_dicom_report(sorted_session, patient, conversions, folders)
    summary = record_summary(
        job,
        sorted_session,
        conversions,
        session_images,
        folders,
        patient=patient,
        problems=own_problems,
        left_out_counts=left_out.counts(),
        fates=record_ledger(job, sorted_session, locations, folders),
        sums=converted.checksums,
        statistics=converted.statistics,
        converters=converters,
        seconds=time.monotonic() - began,
        settings=settings,
    )
    if settings.stages is not Stages.SORT:
        write_session_txt(sorted_session, session_images, folders, settings.path_map)
    problems = (
        *own_problems,
        *session_images.problems,
        *(problem for conversion in conversions for problem in conversion.problems),
    )
    return RecordedSession(session_images, summary, SessionProblems(tuple(dict.fromkeys(problems)), left_out))


def _record_images(
    sorted_session: SortedSession,
    conversions: Sequence[Conversion],
    converted: ConvertedSession,
    folders: ImportFolders,
    settings: Settings,
) -> SessionImages:
    """Number the images, and write them, their sidecars and the converters' logs."""
    session_images = number_images(
        conversions,
        [series.n for series in sorted_session.series],
        add_image_type=settings.add_image_type,
        add_json_info=settings.add_json_info,
        shape=lambda nifti: converted.nifti_headers[nifti].shape,
    )
    write_images(session_images, folders.build, _no_gzip)
    redact_sidecars(folders.build_paths.nii, sorted_session.redact)
    if settings.stages is not Stages.SORT:
        write_logs(conversions, session_images, folders.build)
    return session_images


def _patient(sorted_session: SortedSession) -> str:
    """Return the patient id of the first DICOM series with one."""
    ids = (
        str(series.header.get("PatientID") or "") for series in sorted_session.series if series.kind is SeriesKind.DICOM
    )
    return next((text for text in ids if text), "")


def _no_gzip(nifti: Path, out: Path) -> None:
    """Raise AssertionError: every image is compressed as soon as it is converted."""
    raise AssertionError(f"{nifti} was not compressed to {out}")
