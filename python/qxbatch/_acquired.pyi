"""What the Rust core read of the acquisition of a series: classes of `qxbatch._core`."""

from typing import final

@final
class Acquired:
    """What was scanned of a series."""

    stacks: list[Stack]
    """The one with most frames first."""
    span: tuple[float, float] | None
    """First and last time of acquisition: seconds since 1 March of the year 0, or since midnight where no date is known."""
    echo_times: list[float]
    """Of all frames, in ms, rising."""
    skipped: int
    """Mosaics of which nothing exists, by the InstanceNumbers of those before and behind them."""
    numbers: dict[str, list[float]]
    """Values of the first image's header: main data set, functional groups, vendor's elements, `Protocol.` of Siemens.

    A name is the DICOM keyword, or the vendor's name behind the vendor.
    """
    texts: dict[str, str]

@final
class Stack:
    """The frames of one contrast (echo, component, derived or not, size) in parallel planes."""

    echo_time: float | None
    component: str
    """`M`, `P`, `R`, `I`, or nothing where the header does not say."""
    derived: bool
    """ImageType says so."""
    size: tuple[int, int]
    """Rows and columns."""
    orientation: list[float] | None
    """Direction cosines of a row and of a column."""
    spacing: list[float] | None
    """Distance of rows and of columns, mm."""
    frames: int
    """Without the duplicates."""
    duplicates: int
    """Frames that repeat another one."""
    places: list[float]
    """Positions of the slices along the normal in mm, rising; empty where no header tells them."""
    slices: int
    """Slices of a complete volume, among those that exist."""
    begun: int
    """Volumes with a slice at least."""
    complete: int
    """Volumes with all slices."""
    partial: int
    """Slices of the last volume, where it is not complete; else 0."""
    holes: int
    """Slices that volumes before the last one lack."""
    skipped: int
    """Volumes of which nothing exists, between the first and the last one."""
    intervals: tuple[float | None, float | None, float | None]
    """Median interval of one slice over consecutive volumes in ms: by times of acquisition, of dynamics, of triggers."""
    b_values: list[tuple[float, int]]
    """b-values with the number of their volumes, rising; empty where the series is not diffusion weighted."""
    directions: int
    """Different directions of gradients."""
