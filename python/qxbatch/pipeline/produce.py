"""Makes one session's folder in staging, complete but for its publication: convert, store, record, draw."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from qxbatch.events import Stage, StageStarted
from qxbatch.ingest.assemble import Part
from qxbatch.pack.series import bring
from qxbatch.page.pictures import Pictures, pictures_beside
from qxbatch.page.session import write_page
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.image import picture_of, tsnr_picture_of
from qxbatch.pipeline.series import make_series
from qxbatch.record.images import Placement
from qxbatch.record.job import Job, Places
from qxbatch.record.redacted import Remarks
from qxbatch.record.session import record_session
from qxbatch.session.layout import FOLDERS
from qxbatch.session.paths import SessionPaths


class Product(NamedTuple):
    """A session that is ready to be verified and published."""

    part: Part
    build: Path
    images: int
    remarks: Remarks
    syncing: Sequence[Future[None]] = ()
    """What is being brought to disk already."""


def produce(context: Context, job: Job, part: Part, root: Path) -> Product:
    """Convert, store and record a part whose files are below `root`, into the unit's build folder.

    Raises OSError when the disk is full or cannot be written, and CancelledError.
    """
    began = time.monotonic()
    final = context.workspace.sessionsfolder / part.session.id
    inbox = None if job.unit.inbox is None else SessionPaths(final).inbox
    places = Places(root, context.workspace.build(job.unit.name, part.session.id), final, inbox)
    for name in FOLDERS:
        (places.build / name).mkdir(parents=True)
    context.observer.notify(StageStarted(job.unit.name, Stage.CONVERTING))
    converted, syncing = make_series(context, job, part, places)
    context.observer.notify(StageStarted(job.unit.name, Stage.RECORDING))
    protocol = context.settings.protocol
    if protocol is not None:
        from qxbatch.record.protocol import against_protocol

        part, converted = against_protocol(protocol, part, converted)
    versions = context.tools.versions({series.kind for series in part.series})
    recorded = record_session(job, part, converted, places, context.settings, converters=versions, began=began)
    pictures = _place_pictures(recorded.placement, places.build)
    write_page(SessionPaths(places.build).page, recorded.summary, pictures)
    images = len(recorded.placement.images)
    return Product(part, places.build, images, recorded.remarks, syncing)


def _place_pictures(placement: Placement, build: Path) -> dict[int, Pictures]:
    """Move the pictures of images to their folder; return their paths for the page."""
    paths = SessionPaths(build)
    for placed in placement.placed:
        number, nifti = placed.image.number, placed.output.nifti
        pairs = ((picture_of(nifti), paths.picture(number)), (tsnr_picture_of(nifti), paths.tsnr_picture(number)))
        for drawn, place in pairs:
            if drawn.exists():
                paths.pictures.mkdir(exist_ok=True)
                bring(drawn, place)
    return pictures_beside(paths, [placed.image.number for placed in placement.placed])
