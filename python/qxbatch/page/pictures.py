"""The pictures that a session has of its images."""

from collections.abc import Iterable
from typing import NamedTuple

from qxbatch.session.layout import picture_file, tsnr_picture_file
from qxbatch.session.paths import SessionPaths


class Pictures(NamedTuple):
    """Paths of an image's pictures, relative to the page; empty where there is none."""

    slices: str = ""
    """The middle slices: of the mean of a time series, else of the first volume."""
    tsnr: str = ""
    """The same slices of the map of temporal SNR."""


def pictures_beside(paths: SessionPaths, numbers: Iterable[int]) -> dict[int, Pictures]:
    """Return the pictures that exist of images, by number."""
    found = {
        number: Pictures(
            picture_file(number) if paths.picture(number).exists() else "",
            tsnr_picture_file(number) if paths.tsnr_picture(number).exists() else "",
        )
        for number in numbers
    }
    return {number: pictures for number, pictures in found.items() if any(pictures)}
