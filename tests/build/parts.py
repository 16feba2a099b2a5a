"""Parts of scans as facts, for the rule that joins them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from qxbatch.ingest.scan_part import Instance, ScanPart
from qxbatch.ingest.starts import Start, Starts

FILE = Instance(
    kind=("T2*", "M"),
    measures=((3.0, 3.0), (30.0,)),
    frame_of_reference="1.9",
    orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    position=(-10.0, -10.0, 0.0),
    acquisition_number=1,
    temporal_position=None,
    thickness=4.0,
    repetition_time=(2000.0,),
)


def volume(acquisition_number: int | None = 1, places: Iterable[float] = (0, 4, 8), **facts: Any) -> list[Instance]:
    """Return the files of a part: one slice at each position."""
    changed = replace(FILE, acquisition_number=acquisition_number, **facts)
    return [replace(changed, position=(*changed.position[:2], place)) for place in places]


def part(
    files: list[Instance], number: int = 5, study: str = "1.1", patient: str = "p1", *, thousands: bool = True
) -> ScanPart:
    """Return a part of these files; `thousands`: whether its scanner numbers the parts of series n as n x 1000 + k."""
    return ScanPart(patient, number, study, files[0], lambda: files, thousands)


def parts(*files: list[Instance]) -> list[ScanPart]:
    """Return parts of one number and study."""
    return [part(each) for each in files]


def started(second: float, day: int | None = 1) -> Starts:
    """Return an acquisition time; the series and the content have none."""
    return (Start(day, second), None, None)


def run(*seconds: float, first: int = 1, day: int | None = 1, places: Iterable[float] = (0, 4, 8)) -> list[ScanPart]:
    """Return whole volumes that start at these seconds of a day, one part each, with the acquisition numbers from `first` on."""
    places = tuple(places)
    return parts(*(volume(k, places, starts=started(second, day)) for k, second in enumerate(seconds, start=first)))
