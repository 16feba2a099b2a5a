"""Makes one session's folder in staging, complete except for its publication: convert, store, record, draw."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from qxbatch.events import Stage, StageStarted
from qxbatch.ingest.assemble import SortedSession
from qxbatch.page.session import write_page
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.pictures import place_pictures
from qxbatch.pipeline.series import convert_and_store_series
from qxbatch.record.images import SessionImages
from qxbatch.record.job import ImportFolders, Job
from qxbatch.record.session import record_session
from qxbatch.record.session_problems import SessionProblems
from qxbatch.session.layout import SESSION_FOLDERS
from qxbatch.session.paths import SessionPaths
from qxbatch.session.sorted_sums import write_sums


class Product(NamedTuple):
    """A session that is ready to be verified and published."""

    sorted_session: SortedSession
    build: Path
    """Its folder in staging, which becomes the session folder."""
    session_images: SessionImages
    all_problems: SessionProblems
    """All problems of the session, including those of conversions and images, and the members that were left out."""
    syncs: Sequence[Future[None]] = ()
    """The syncs of its files, some of which may still run."""

    @property
    def image_count(self) -> int:
        """Return how many images the session has."""
        return len(self.session_images.images)


def produce(context: Context, job: Job, sorted_session: SortedSession, root: Path) -> Product:
    """Convert, store and record a session whose files are below `root`, into the unit's build folder.

    Raises OSError when the disk is full or cannot be written, UsageError as `record_session`, and CancelledError.
    """
    began = time.monotonic()
    session_folder = context.workspace.sessionsfolder / sorted_session.session.id
    inbox = SessionPaths(session_folder).inbox if job.unit.folder_mode else None
    folders = ImportFolders(
        root, context.workspace.build_folder(job.unit.name, sorted_session.session.id), session_folder, inbox
    )
    for name in SESSION_FOLDERS:
        (folders.build / name).mkdir(parents=True)
    context.observer.notify(StageStarted(job.unit.name, Stage.CONVERTING))
    converted_session, syncs = convert_and_store_series(context, job, sorted_session, folders)
    context.observer.notify(StageStarted(job.unit.name, Stage.RECORDING))
    protocol = context.settings.protocol
    if protocol is not None:
        from qxbatch.record.protocol import with_protocol_check

        sorted_session, converted_session = with_protocol_check(
            protocol, sorted_session, converted_session, context.workspace.sessionsfolder
        )
    versions = context.converters.versions({series.kind for series in sorted_session.series})
    recorded = record_session(
        job, sorted_session, converted_session, folders, context.settings, converters=versions, began=began
    )
    build_paths = SessionPaths(folders.build)
    place_pictures(recorded.session_images, build_paths, recorded.summary)
    write_page(build_paths, recorded.summary)
    if recorded.summary.is_only_sorted:
        write_sums(build_paths)
    return Product(sorted_session, folders.build, recorded.session_images, recorded.all_problems, syncs)
