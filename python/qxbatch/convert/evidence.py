"""What the headers of a series say about its images, gathered once before conversion."""

from collections import Counter
from dataclasses import dataclass, field

from qxbatch.core import SeriesFrames

PLANE = " ".join(["{:.2f}"] * 6)
Place = tuple[str, float]
"""Orientation, and the position along its normal in mm (rounded to 0.01)."""


@dataclass
class Evidence:
    """Counts over all headers of one series; memory grows with its places, not with its pixels."""

    files: int = 0
    """Objects with pixel data."""
    slices: int = 0
    """Two-dimensional images; tiles of a mosaic count each."""
    voxels: int = 0
    sizes: set[tuple[int, int]] = field(default_factory=set)
    """Rows and columns of the slices."""
    countable: bool = True
    """False when a file does not tell its size or its number of tiles."""
    places: Counter[Place] = field(default_factory=Counter)
    """Frames at each place; none for mosaics."""
    series_number: int | None = None
    instances: Counter[int] = field(default_factory=Counter)
    volumes: int | None = None
    """Announced number of time points."""
    announced: int | None = None
    """Announced number of images."""
    classes: Counter[str] = field(default_factory=Counter)
    """Objects of each SOP class."""
    without_pixels: int = 0
    """Complete objects that have no pixel data."""
    mosaic: bool = False
    enhanced: bool = False
    description: str = ""
    """SeriesDescription or ProtocolName."""
    normalized: bool = False
    """The converter gets normalized copies, in which every frame has its place and order by its own header."""
    frames: SeriesFrames | None = None
    """The frames, to be compared with images; None for PAR/REC."""


def gather(frames: SeriesFrames, description: str = "") -> Evidence:
    """Return what the core read of the headers of one series."""
    places = Counter({(_plane(plane), along): count for plane, along, count in frames.places})
    return Evidence(
        files=frames.images,
        slices=frames.slices,
        voxels=frames.voxels,
        sizes=set(frames.sizes),
        countable=frames.countable,
        places=places,
        series_number=frames.series_number,
        instances=Counter(frames.instances),
        volumes=frames.volumes,
        announced=frames.announced,
        classes=Counter(frames.classes),
        without_pixels=frames.without_pixels,
        mosaic=frames.mosaic,
        enhanced=frames.enhanced,
        description=description,
        frames=frames,
    )


def _plane(hundredths: list[int]) -> str:
    return PLANE.format(*(number / 100 for number in hundredths)) if hundredths else ""
