"""Moves pictures of images from the converter's folder to their folder in the build."""

from pathlib import Path

from qxbatch.pack.series import move
from qxbatch.page.thumbnail import thumbnail
from qxbatch.record.images import SessionImages
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary


def picture_path(nifti: Path) -> Path:
    """Return the path of the picture of a converted image, beside the image; `place_pictures` moves the picture."""
    return nifti.with_name(f"{nifti.name}.png")


def tsnr_picture_path(nifti: Path) -> Path:
    """Return the path of the picture of an image's temporal SNR, beside the image; `place_pictures` moves the picture."""
    return nifti.with_name(f"{nifti.name}.tsnr.png")


def place_pictures(session_images: SessionImages, paths: SessionPaths, summary: Summary) -> None:
    """Move the pictures of images to their folder in a session, and draw the session's thumbnail. Raises OSError."""
    for item in session_images.numbered_images:
        number, nifti = item.image.number, item.output.nifti
        pairs = ((picture_path(nifti), paths.picture(number)), (tsnr_picture_path(nifti), paths.tsnr_picture(number)))
        for picture, target in pairs:
            if picture.exists():
                paths.pictures.mkdir(exist_ok=True)
                move(picture, target)
    content = thumbnail(paths, summary)
    if content is not None:
        paths.thumbnail.write_bytes(content)
