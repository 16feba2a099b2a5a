"""Acquisition facts that the Rust core reads from the headers of a series: classes of `qxbatch._core`."""

from typing import final

@final
class Acquired:
    """What was scanned of a series."""

    stacks: list[Stack]
    """The stack with the most frames first."""
    span: tuple[float, float] | None
    """First and last acquisition time: seconds since 1 March of the year 0, or since midnight if no date is known."""
    echo_times: list[float]
    """Echo times of all frames in ms, ascending."""
    skipped: int
    """Missing mosaics, by the InstanceNumbers before and after them."""
    numbers: dict[str, list[float]]
    """Values of the first image's header: main data set, functional groups, vendor's elements, `Protocol.` of Siemens.

    A name is a DICOM keyword, or vendor and private name.
    """
    texts: dict[str, str]

@final
class Stack:
    """The frames of one contrast (echo, component, derived or not, size) in parallel planes."""

    echo_time: float | None
    component: str
    """`M`, `P`, `R`, `I`, or empty where the header has none."""
    derived: bool
    """Whether ImageType says that the frames are derived."""
    size: tuple[int, int]
    """Rows and columns."""
    orientation: list[float] | None
    """Direction cosines of a row and of a column."""
    spacing: list[float] | None
    """Distances between rows and between columns, mm."""
    frames: int
    """Number of frames without duplicates."""
    duplicates: int
    """Frames that repeat another one."""
    places: list[float]
    """Positions of the slices along the normal in mm, ascending; empty if no header has them."""
    slices: int
    """Slices of a complete volume, among those that exist."""
    begun: int
    """Volumes that were begun: they have at least one slice."""
    complete: int
    """Volumes with all slices."""
    partial: int
    """Slices of the last volume if it is incomplete, else 0."""
    holes: int
    """Slices missing from volumes before the last one."""
    skipped: int
    """Volumes without any slice between the first and the last volume."""
    intervals: tuple[float | None, float | None, float | None]
    """Median interval of one slice over consecutive volumes in ms: from acquisition times, dynamics and triggers."""
    b_values: list[tuple[float, int]]
    """b-values with the number of their volumes, ascending; empty if the series is not diffusion weighted."""
    directions: int
    """Number of different gradient directions."""
