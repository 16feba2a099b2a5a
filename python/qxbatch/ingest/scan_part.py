"""The facts about a series that may be one of several parts of a scan (docs/numbers.md)."""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from qxbatch.ingest.starts import NO_STARTS, Starts

Vector = tuple[float, ...]
"""The numbers of one header field; empty when absent."""

SAME_VALUE = 1e-3
"""Direction cosines, and values in mm, ms, degrees or Hz, that differ by less than this are equal."""
SAME_REPETITION = 0.01
"""Largest relative difference of RepetitionTime."""


@dataclass(frozen=True, slots=True)
class Instance:
    """The facts of one file."""

    kind: tuple[Hashable, ...]
    """Values that must be equal in all files: description, image type, matrix and so on."""
    measures: tuple[Vector, ...]
    """Values that must agree within SAME_VALUE: pixel spacing, echo time and so on."""
    frame_of_reference: str
    """FrameOfReferenceUID; empty when absent."""
    orientation: Vector
    """ImageOrientationPatient: six direction cosines."""
    position: Vector
    """ImagePositionPatient, in mm."""
    acquisition_number: int | None
    temporal_position: int | None
    """TemporalPositionIdentifier."""
    is_volume: bool = False
    """Whether the file is a whole volume (a mosaic). Equal for files with equal `kind`, which has the fields that decide it."""
    thickness: float = 0.0
    """SliceThickness in mm; 0 when absent."""
    repetition_time: Vector = ()
    """RepetitionTime in ms; empty when absent."""
    starts: Starts = NO_STARTS
    """When its acquisition, its series and its content started."""


@dataclass(frozen=True)
class ScanPart:
    """A series as the exporter wrote it: the files of one patient with the same UIDs and SeriesNumber."""

    patient: str
    """PatientID in lower case; empty when absent."""
    number: int
    """SeriesNumber."""
    study: str
    """StudyInstanceUID."""
    first: Instance
    """The facts of its first file."""
    instances: Callable[[], Iterable[Instance | None]]
    """Returns the facts of all its files; None for a file that cannot be joined."""
    may_be_numbered_in_thousands: bool = False
    """Whether the scanner may give the parts of series n the numbers n x 1000 + k (Siemens)."""


def agree(instance: Instance, other: Instance) -> bool:
    """Return whether two files can belong to one scan."""
    return (
        instance.kind == other.kind
        and len(instance.repetition_time) == len(other.repetition_time)
        and all(
            math.isclose(a, b, rel_tol=SAME_REPETITION)
            for a, b in zip(instance.repetition_time, other.repetition_time, strict=True)
        )
        and all(
            len(values) == len(other_values)
            and all(abs(a - b) < SAME_VALUE for a, b in zip(values, other_values, strict=True))
            for values, other_values in zip(
                (instance.orientation, *instance.measures), (other.orientation, *other.measures), strict=True
            )
        )
    )
