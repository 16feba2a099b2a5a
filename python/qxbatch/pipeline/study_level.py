"""The study level: report.html, study.tsv and study.json in the sessions folder."""

import os
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from qxbatch.model import Report
from qxbatch.page.study import study_page
from qxbatch.pipeline.not_imported import items_not_imported
from qxbatch.publish.durable import NO_RUN
from qxbatch.publish.folder_lock import FolderLock, locked_folder
from qxbatch.publish.foreign import NewText, write_texts
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import PAGE, STUDY_SIDECAR, STUDY_TABLE
from qxbatch.session.page_checksum import is_unchanged_page
from qxbatch.study.document import as_json, as_tsv, previous_table, read_previous
from qxbatch.study.exports import existing_data_sets
from qxbatch.study.study import Study, study_of
from qxbatch.study.written_table import is_written_table

_SIDECAR_HEAD = re.compile(rb'\{\n "schema": \d+,\n "columns": ')
"""Matches the beginning of a study.json that qxbatch wrote."""


def write_study(
    folder: Path, sessions: Iterable[Path], report: Report | None = None, *, deidentified: bool = False
) -> Study:
    """Write the three files from the summaries of these sessions; return the study. Raises OSError.

    Sessions that did not change since the last study.json are not read again. `report`: of the import that ends now; without it,
    packets that previous runs did not import stay listed unless they have left the inbox. `deidentified`: packets
    without a session are counted and not named, since no session id can replace names of patients.
    """
    with locked_folder(folder) as lock:
        previous_study = read_previous(folder / STUDY_SIDECAR)
        not_imported = items_not_imported(report, previous_study.not_imported, deidentified=deidentified)
        study = study_of(
            map(SessionFolder, sessions), previous_study.sessions, not_imported, existing_data_sets(folder)
        )
        # without a lock, another run can write the same files at the same time: each run needs different hidden names
        tag = NO_RUN if lock is FolderLock.ACQUIRED else os.urandom(8).hex()
        table = as_tsv(study.rows)
        # called with the content of the table on disk
        is_own_table = partial(_is_own_table, table, folder / STUDY_SIDECAR, lock)
        texts = [
            NewText(folder / STUDY_TABLE, table, is_own_table),
            NewText(folder / PAGE, study_page(folder, study), is_unchanged_page),
            # Written last: is_outdated takes its time as that of the study level. Not exchanged, so that a killed run leaves no
            # replaced study.json under a hidden name
            NewText(folder / STUDY_SIDECAR, as_json(study), _is_own_sidecar, can_exchange=False),
        ]
        write_texts(texts, tag)
        return study


def _is_own_sidecar(content: bytes) -> bool:
    return _SIDECAR_HEAD.match(content) is not None


def _is_own_table(new_table: str, sidecar: Path, lock: FolderLock, content: bytes) -> bool:
    """Return whether qxbatch wrote the table with this content, and nobody changed it since.

    Without locks on the file system only the beginning is compared: the table of another run may be newer than its study.json.
    """
    if not content.startswith(b"session_id\t") or lock is FolderLock.UNSUPPORTED:
        return content.startswith(b"session_id\t")
    return is_written_table(content.decode("utf-8", "surrogateescape"), new_table, previous_table(sidecar))
