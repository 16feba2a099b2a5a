"""Acquisition facts of a series and its verdict (docs/acquisition.md)."""

from dataclasses import dataclass
from enum import StrEnum


class SeriesVerdict(StrEnum):
    """The verdict on a series."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Volumes or slices are missing."""
    REPEATED = "repeated"
    """Complete, but the protocol expects fewer series like this one."""
    NOT_EVALUABLE = "not evaluable"
    """A localizer, something that is not a measured image, or a series whose volumes cannot be counted."""


class Orientation(StrEnum):
    """The plane of the slices."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    OBLIQUE = "oblique"


class ImageKind(StrEnum):
    """What the pixels of a series contain, and whether it is derived or a localizer."""

    MAGNITUDE = "magnitude"
    PHASE = "phase"
    REAL = "real"
    IMAGINARY = "imaginary"
    DERIVED = "derived"
    LOCALIZER = "localizer"


@dataclass(frozen=True)
class Acquisition:
    """Facts of one series. None means unknown or not applicable; a fact that is None is not written to JSON."""

    started: str | None = None
    """ISO 8601; only the time of day if the date is unknown."""
    ended: str | None = None
    """In the same form."""
    duration_s: float | None = None
    planned_volumes: int | None = None
    acquired_volumes: int | None = None
    """Number of volumes with at least one slice."""
    complete_volumes: int | None = None
    """Number of volumes with all slices."""
    partial_slices: int | None = None
    """Slices present in the last volume if it is incomplete, or in each volume if all volumes lack slices; else None."""
    slices_per_volume: int | None = None
    """Slices of a complete volume, also if no volume is complete."""
    missing_slices: int | None = None
    """Slices that are missing in acquired volumes, and all slices of volumes that are missing before the last acquired one."""
    duplicate_slices: int | None = None
    """Frames that repeat another frame, or a slice that their volume already has."""
    tr_ms: float | None = None
    observed_tr_ms: float | None = None
    """Median interval of the same slice in consecutive volumes, by acquisition times, else by time offsets or trigger times."""
    te_ms: tuple[float, ...] | None = None
    ti_ms: float | None = None
    flip_angle_deg: float | None = None
    matrix: tuple[int, int, int] | None = None
    """Columns, rows, slices."""
    fov_mm: tuple[float, float, float] | None = None
    """Along columns, rows and slices."""
    voxel_mm: tuple[float, float, float] | None = None
    """Along columns, rows and slices. The third is the distance of slice centres; of a single slice for which none is known, it
    is SliceThickness."""
    slice_gap_mm: float | None = None
    """Distance of slice centres minus SliceThickness; negative if slices overlap."""
    orientation: Orientation | None = None
    phase_encoding_direction: str | None = None
    """Axis of the image, and polarity: `i`, `i-`, `j` ...; None if the polarity is not known."""
    phase_encoding_axis: str | None = None
    """`i`, `j` or `k`; None if phase_encoding_direction is known."""
    in_plane_acceleration: float | None = None
    multiband_factor: int | None = None
    partial_fourier: float | None = None
    """Fraction of k-space, above 0 and at most 1."""
    effective_echo_spacing_s: float | None = None
    total_readout_time_s: float | None = None
    pixel_bandwidth_hz: float | None = None
    b_values: tuple[tuple[float, int], ...] | None = None
    """Each b-value in s/mm2 with the number of its volumes."""
    directions: int | None = None
    """Number of different gradient directions."""
    kinds: tuple[ImageKind, ...] | None = None
    sequence_name: str | None = None
    field_strength_t: float | None = None
    coil: str | None = None
    software: str | None = None


FREE_TEXTS = ("sequence_name", "coil", "software")
"""Facts that are free text of headers: operators may write names into them."""
