"""Facts about the acquisition that the Rust core reads from the headers of a series: classes of `qxbatch._core`."""

from typing import final

@final
class AcquiredStacks:
    """The stacks of a series: what was scanned."""

    stacks: list[Stack]
    """The stack with the most frames first."""
    first_and_last_time: tuple[float, float] | None
    """First and last acquisition time: seconds since 1 March of the year 0, or since midnight if no date is known."""
    echo_times: list[float]
    """Echo times of the stacks in ms, ascending and different."""
    missing_mosaics: int
    """Number of missing mosaics: gaps between the InstanceNumbers of the others."""
    header_numbers: dict[str, list[float]]
    """Numbers in the header of the first image, by name: DICOM keyword, or vendor and private name.

    They are from the main data set, the functional groups and private elements. Names in the protocol of Siemens begin with
    `Protocol.`.
    """
    header_texts: dict[str, str]
    """Texts in this header, by name. `Protocol.read` exists if the header contains the protocol of Siemens."""

@final
class Stack:
    """The frames of one contrast (echo time, component, derived or not) and size in parallel planes."""

    echo_time: float | None
    """Echo time, ms."""
    component: str
    """Component of complex images: `M`, `P`, `R`, `I`; empty if the header has none or a mixed one."""
    is_derived: bool
    """Whether ImageType or FrameType says that the frames are derived."""
    size: tuple[int, int]
    """Rows and columns."""
    orientation: list[float] | None
    """Direction cosines of a row and of a column."""
    spacing: list[float] | None
    """Distances between rows and between columns, mm."""
    frames: int
    """Number of frames, without those that repeat another frame."""
    duplicate_frames: int
    """Frames that repeat another frame in every distinguishing value, or a slice that their volume already has."""
    slice_positions: list[float]
    """Positions of the slices along the normal in mm, ascending; empty if the position of a frame is unknown.

    If volumes moved, these are the positions in the first volume.
    """
    slices: int
    """Number of slice positions that exist. A complete volume has a slice at each."""
    volumes: int
    """Number of volumes with at least one slice."""
    complete_volumes: int
    """Volumes with a slice at each position."""
    slices_in_partial_volume: int
    """Number of slices of the last volume if this volume is incomplete, else 0."""
    missing_slices_before_last: int
    """Number of slices that are missing in the volumes before the last volume."""
    missing_volumes: int
    """Number of volumes without any slice, between the first and the last volume."""
    intervals: tuple[float | None, float | None, float | None]
    """Median interval between consecutive volumes in ms by three sources: acquisition times, time offsets of the volumes
    (TemporalPositionTimeOffset, or the vendor's element), and trigger times. None for a source that a header lacks, without
    consecutive volumes, or if the median is not positive.
    """
    b_values: list[tuple[float, int]]
    """b-values with the number of their volumes, ascending; empty if the series is not diffusion weighted."""
    direction_count: int
    """Number of different gradient directions."""
