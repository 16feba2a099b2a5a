"""Rebuilds missing pictures of a session's images for its page."""

import gzip
import os
import shutil
import tempfile
import zlib
from pathlib import Path

from qxbatch.core import Statistics
from qxbatch.page.picture import write_picture
from qxbatch.page.thumbnail import write_thumbnail
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import ImageSummary


def add_pictures(paths: SessionPaths, summary: Summary) -> None:
    """Write the pictures of each image that lacks one of them, and the thumbnail of the session if it is missing.

    A picture of temporal SNR is written if the summary has tSNR, as in the import.
    """
    for image in summary.images:
        pictures = [paths.picture(image.number)]
        if image.statistics is not None and image.statistics.tsnr is not None:
            pictures.append(paths.tsnr_picture(image.number))
        packed = paths.image(image.number)
        if packed.is_file() and not all(map(os.path.lexists, pictures)):
            paths.pictures.mkdir(exist_ok=True)
            _write_pictures(packed, paths, image)
    if paths.pictures.is_dir() and not os.path.lexists(paths.thumbnail):
        write_thumbnail(paths, summary)


def _write_pictures(packed: Path, paths: SessionPaths, image: ImageSummary) -> None:
    """Write the pictures of a compressed image, unless it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="qxbatch-") as folder:
        nifti = Path(folder) / "image.nii"
        try:
            with gzip.open(packed, "rb") as file, nifti.open("wb") as plain:
                shutil.copyfileobj(file, plain, 1 << 20)
            statistics = Statistics.read(str(nifti)) if image.statistics is not None else None
        except (OSError, EOFError, zlib.error):
            return
        write_picture(nifti, paths.picture(image.number), statistics, paths.tsnr_picture(image.number))
