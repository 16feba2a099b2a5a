"""Writes DICOM-Report.txt and session.txt into the build of a session, its folder before it is published."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from qxbatch.core import VERSION
from qxbatch.ingest.assemble import SortedSession
from qxbatch.model import Conversion
from qxbatch.record.dicom_report import dicom_report
from qxbatch.record.images import SessionImages
from qxbatch.record.job import ImportFolders
from qxbatch.record.session_txt import session_txt_text
from qxbatch.textfile import create_text


def write_dicom_report(
    sorted_session: SortedSession, patient: str, conversions: Sequence[Conversion], folders: ImportFolders
) -> None:
    """Write DICOM-Report.txt; if `patient`, the patient's id, is empty, it shows the session id."""
    with create_text(folders.build_paths.dicom_report) as file:
        file.write(dicom_report(sorted_session.session.id, patient or sorted_session.session.id, conversions))


def write_session_txt(
    sorted_session: SortedSession,
    session_images: SessionImages,
    folders: ImportFolders,
    path_map: Sequence[tuple[Path, Path]],
) -> None:
    """Write session.txt, which marks a fully written session. `path_map` has pairs (folder here, folder outside) for its paths.

    Raises OSError, and UsageError as `session_txt_text`.
    """
    with create_text(folders.build_paths.session_txt) as file:
        file.write(
            session_txt_text(
                sorted_session.session,
                folders.final,
                session_images.images,
                sorted_session.series,
                version=VERSION,
                created_at=datetime.now(),
                path_map=path_map,
            )
        )
