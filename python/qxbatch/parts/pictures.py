"""Pictures of a session's images for its page, made again where they are missing."""

import gzip
import shutil
import tempfile
import zlib
from pathlib import Path

from qxbatch.page.picture import write_picture
from qxbatch.page.thumbnail import write_thumbnail
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary


def add_pictures(paths: SessionPaths, summary: Summary) -> None:
    """Make the pictures of images that are missing, and the thumbnail of the session."""
    numbers = [image.number for image in summary.images]
    for number in numbers:
        picture, image = paths.picture(number), paths.image(number)
        if not picture.exists() and image.exists():
            picture.parent.mkdir(exist_ok=True)
            _write_picture(image, picture)
    pictures = {number: path for number in numbers if (path := paths.picture(number)).exists()}
    if pictures and not paths.thumbnail.exists():
        write_thumbnail(summary, pictures, paths.thumbnail)


def _write_picture(image: Path, picture: Path) -> None:
    """Make the picture of a compressed image; one that cannot be read has none."""
    with tempfile.TemporaryDirectory(prefix="qxbatch-") as folder:
        nifti = Path(folder) / "image.nii"
        try:
            with gzip.open(image, "rb") as packed, nifti.open("wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
        except (OSError, EOFError, zlib.error):
            return
        write_picture(nifti, picture)
