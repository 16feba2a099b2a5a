"""Facts from the headers of a series about its images, collected once before conversion."""

from collections import Counter
from dataclasses import dataclass, field

from qxbatch.core import SeriesFrames


@dataclass
class Evidence:
    """Facts from all headers of one series, or from its PAR."""

    objects_with_pixels: int = 0
    """Number of DICOM objects with pixel data; 0 for PAR/REC."""
    slices: int = 0
    """Number of two-dimensional images; each tile of a mosaic counts."""
    voxels: int = 0
    """Number of pixels of all slices."""
    sizes: set[tuple[int, int]] = field(default_factory=set)
    """The different sizes of the slices: rows, columns."""
    is_countable: bool = True
    """Whether `slices` and `voxels` count all images: each has Rows, Columns and the number of its frames (in a mosaic, of its
    tiles), and each object without pixel data is complete. Of a PAR: whether its table can be read.
    """
    series_number: int | None = None
    """SeriesNumber; None if the headers have none, and for a PAR."""
    classes: Counter[str] = field(default_factory=Counter)
    """Number of objects of each SOP class."""
    objects_without_pixels: int = 0
    """Number of complete objects without pixel data."""
    truncated_files: tuple[str, ...] = ()
    """Names of files that are cut short or have a damaged header (`SeriesFrames.truncated_files`)."""
    description: str = ""
    """SeriesDescription, else ProtocolName."""
    is_normalized: bool = False
    """Whether the converter gets rewritten copies (qxbatch.convert.normalize) with position and order of every frame."""
    frames: SeriesFrames | None = None
    """The frames for comparison with images; None if images are not compared with frames, as for PAR/REC."""


def header_evidence(frames: SeriesFrames, description: str = "") -> Evidence:
    """Return the facts of one series from its headers, as the Rust core read them."""
    return Evidence(
        objects_with_pixels=frames.objects_with_pixels,
        slices=frames.slices,
        voxels=frames.voxels,
        sizes=set(frames.frame_sizes),
        is_countable=frames.is_countable,
        series_number=frames.series_number,
        classes=Counter(frames.classes),
        objects_without_pixels=frames.objects_without_pixels,
        truncated_files=tuple(path.name for path in frames.truncated_files),
        description=description,
        frames=frames,
    )
