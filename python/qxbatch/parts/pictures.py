"""Pictures of a session's images for its page, made again where they are missing."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from qxbatch.page.picture import write_picture
from qxbatch.session.paths import SessionPaths


def add_pictures(paths: SessionPaths, numbers: Sequence[int]) -> None:
    """Make the pictures of images that are missing."""
    for number in numbers:
        picture, image = paths.picture(number), paths.image(number)
        if not picture.exists() and image.exists():
            picture.parent.mkdir(exist_ok=True)
            _write_picture(image, picture)


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
