"""What the headers of a series say about its images, gathered once before conversion."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from qxbatch.convert.values import HeaderLike, number, numbers, text, texts, whole

_B_VALUES = ("DiffusionBValue", "SiemensBValue", "PhilipsDiffusionBFactor")

PLANE = " ".join(["{:.2f}"] * 6)
Place = tuple[str, float]
"""Orientation, and the position along its normal in mm (rounded to 0.01)."""


@dataclass
class Evidence:
    """Counts over all headers of one series; memory grows with its places, not with its pixels."""

    files: int = 0
    slices: int = 0
    """Two-dimensional images; tiles of a mosaic count each."""
    voxels: int = 0
    sizes: set[tuple[int, int]] = field(default_factory=set)
    """Rows and columns of the slices."""
    countable: bool = True
    """False when a file does not tell its size or its number of tiles."""
    places: Counter[Place] = field(default_factory=Counter)
    corners: dict[Place, tuple[float, ...]] = field(default_factory=dict)
    """Position of the first pixel (DICOM's patient axes, mm) of one image at each place."""
    series_number: int | None = None
    diffusion: bool = False
    """A b-value above zero was seen."""
    instances: Counter[int] = field(default_factory=Counter)
    volumes: int | None = None
    """Announced number of time points."""
    announced: int | None = None
    """Announced number of images."""
    classes: Counter[str] = field(default_factory=Counter)
    mosaic: bool = False
    enhanced: bool = False


def gather(headers: Iterable[HeaderLike]) -> Evidence:
    """Read the headers of one series once."""
    evidence = Evidence()
    for header in headers:
        _add(evidence, header)
    return evidence


def _add(evidence: Evidence, header: HeaderLike) -> None:
    evidence.files += 1
    evidence.classes[text(header, "SOPClassUID") or text(header, "MediaStorageSOPClassUID")] += 1
    tiled = _tiled(header)
    evidence.mosaic |= tiled
    _count(evidence, header, tiled=tiled)
    instance = whole(header, "InstanceNumber")
    if instance is not None:
        evidence.instances[instance] += 1
    position = numbers(header, "ImagePositionPatient")
    place = _place(header, position)
    if place is not None:
        evidence.places[place] += 1
        if position:
            evidence.corners.setdefault(place, tuple(position))
    evidence.series_number = evidence.series_number or whole(header, "SeriesNumber")
    evidence.diffusion |= any((number(header, field) or 0) > 0 for field in _B_VALUES)
    evidence.volumes = evidence.volumes or _volumes(header)
    evidence.announced = evidence.announced or whole(header, "GEImagesInSeries")


def _tiled(header: HeaderLike) -> bool:
    """Siemens writes MOSAIC into ImageType, United Imaging VFRAME."""
    return bool({"MOSAIC", "VFRAME"} & {label.upper() for label in texts(header, "ImageType")})


def _count(evidence: Evidence, header: HeaderLike, *, tiled: bool) -> None:
    """Count slices and voxels of one file."""
    rows, columns = whole(header, "Rows"), whole(header, "Columns")
    frames = whole(header, "NumberOfFrames") or 1
    evidence.enhanced |= frames > 1
    if not rows or not columns or rows < 0 or columns < 0 or frames < 1:
        evidence.countable = False
        return
    tiles = 1
    if tiled:
        tiles = whole(header, "SiemensNumberOfImagesInMosaic") or 0
        if tiles < 1:
            evidence.countable = False
            return
        side = math.isqrt(tiles - 1) + 1
        rows, columns = rows // side, columns // side
    evidence.sizes.add((rows, columns))
    evidence.slices += frames * tiles
    evidence.voxels += frames * tiles * rows * columns


def _volumes(header: HeaderLike) -> int | None:
    return whole(header, "NumberOfTemporalPositions") or whole(header, "PhilipsNumberOfDynamicScans")


def _place(header: HeaderLike, position: Sequence[float]) -> Place | None:
    """Return where a single-frame image lies along the normal of its plane (PS3.3 C.7.6.2.1.1)."""
    plane = numbers(header, "ImageOrientationPatient")
    if len(position) == 3 and len(plane) == 6:  # noqa: PLR2004 (a point; two direction cosines)
        (a, b, c), (d, e, f) = plane[:3], plane[3:]
        normal = (b * f - c * e, c * d - a * f, a * e - b * d)
        along = sum(one * other for one, other in zip(position, normal, strict=True))
        return PLANE.format(*plane), round(along, 2)
    location = number(header, "SliceLocation")
    return None if location is None else ("", round(location, 2))
