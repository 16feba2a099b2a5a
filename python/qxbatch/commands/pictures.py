"""Rebuilds missing pictures of a session's images for its page."""

import contextlib
import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from qxbatch.commands.opened_session import OpenedSession
from qxbatch.core import Statistics
from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.page.picture import write_picture
from qxbatch.page.thumbnail import thumbnail
from qxbatch.publish.durable import NO_RUN, rename_noreplace
from qxbatch.session.layout import PICTURES, QXBATCH_FOLDER
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import ImageSummary


def add_pictures(paths: SessionPaths, summary: Summary, opened: OpenedSession) -> None:
    """Write the missing pictures of each image, and the thumbnail of the session if it is missing.

    A picture of temporal SNR is written if the summary has tSNR, as in the import.

    Raises OSError as `OpenedSession.opened_for_writing` does.
    """
    for image in summary.images:
        pictures = [paths.picture(image.number)]
        if image.statistics is not None and image.statistics.tsnr is not None:
            pictures.append(paths.tsnr_picture(image.number))
        packed = paths.image(image.number)
        missing = [path for path in pictures if not os.path.lexists(path)]
        if missing and packed.is_file():
            _write_pictures(packed, paths, image, missing, opened)
    if paths.pictures.is_dir() and not os.path.lexists(paths.thumbnail):
        content = thumbnail(paths, summary)
        if content is not None:
            _write_new(opened, paths.thumbnail.name, content)


def _write_pictures(
    packed: Path, paths: SessionPaths, image: ImageSummary, missing: Iterable[Path], opened: OpenedSession
) -> None:
    """Write the missing pictures of a compressed image, unless it cannot be read or unpacked into the temporary folder."""
    with tempfile.TemporaryDirectory(prefix="qxbatch-") as name:
        folder = Path(name)
        nifti = folder / "image.nii"
        try:
            with gzip.open(packed, "rb") as file, nifti.open("wb") as plain:
                shutil.copyfileobj(file, plain, 1 << 20)
            statistics = Statistics.read(str(nifti)) if image.statistics is not None else None
        except (OSError, EOFError, zlib.error):
            return
        write_picture(
            nifti,
            folder / paths.picture(image.number).name,
            statistics,
            folder / paths.tsnr_picture(image.number).name,
        )
        for path in missing:
            if (folder / path.name).exists():
                _write_new(opened, path.name, (folder / path.name).read_bytes())


def _write_new(opened: OpenedSession, name: str, content: bytes) -> None:
    """Write a picture that does not exist. Nothing is written to a file or link that appears at its path.

    Raises OSError as `OpenedSession.opened_for_writing` does.
    """
    with opened.opened_for_writing(QXBATCH_FOLDER, PICTURES) as pictures:
        path = pictures.descriptor_path / name
        temporary = path.with_name(hidden_name(HiddenKind.COPY, NO_RUN, name))  # no import uses the tag NO_RUN
        temporary.unlink(missing_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
            with contextlib.suppress(FileExistsError):
                rename_noreplace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
