"""The DICOM series of one session: which groups of the core are one series."""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from qxbatch.core import Group, Header, Reading
from qxbatch.ingest.join import Instance, Part, Vector, scans_to_join
from qxbatch.ingest.numbers import Claim
from qxbatch.model import SeriesPart, Value

EQUAL = (
    "SOPClassUID",
    "Manufacturer",
    "PatientName",
    "StudyDate",
    "SeriesDescription",
    "ProtocolName",
    "ImageType",
    "ComplexImageComponent",
    "EchoNumbers",
    "Rows",
    "Columns",
    "SiemensNumberOfImagesInMosaic",
)
"""Header fields that are equal in all files of one scan."""
CLOSE = ("PixelSpacing", "EchoTime", "FlipAngle", "SliceThickness")
"""Header fields whose numbers agree in all files of one scan."""
MOSAICS = ("MOSAIC", "VFRAME")
"""Values of ImageType that mark a whole volume in one classic image: Siemens, United Imaging."""


@dataclass(frozen=True)
class DicomSeries:
    """Groups that are one series: they share study, SeriesInstanceUID and number, or are parts of one scan."""

    groups: tuple[int, ...]
    members: tuple[Group, ...]
    claim: Claim
    parts: tuple[SeriesPart, ...] = ()
    """Of a joined series, the first part first."""


def series_of(groups: Sequence[Group], mine: Sequence[int]) -> list[DicomSeries]:
    """Return the series of some groups: those of several patients that share UIDs and number are one series."""
    keyed: dict[tuple[str, str, int | None], list[int]] = {}
    for i in mine:
        keyed.setdefault((groups[i].study, groups[i].series_uid, groups[i].number), []).append(i)
    series = []
    for (study, uid, number), indexes in sorted(keyed.items(), key=lambda item: str(item[0])):
        members = tuple(groups[i] for i in indexes)
        started = min((group.started for group in members if group.started), default="")
        series.append(DicomSeries(tuple(indexes), members, Claim(number, (started, uid, study))))
    return series


def joined(reading: Reading, series: Sequence[DicomSeries]) -> list[DicomSeries]:
    """Return the series, the parts of one scan joined. Only files of series whose first headers agree are examined."""
    scans = scans_to_join([_part(reading, each) for each in series])
    within = {index for scan in scans for index in scan}
    apart = [each for index, each in enumerate(series) if index not in within]
    return apart + [_join([series[index] for index in scan]) for scan in scans]


def _join(parts: Sequence[DicomSeries]) -> DicomSeries:
    """Return the parts as one series, which claims the number of the first part."""
    ordered = sorted(parts, key=_rank)
    return DicomSeries(
        tuple(group for part in ordered for group in part.groups),
        tuple(member for part in ordered for member in part.members),
        ordered[0].claim,
        tuple(
            SeriesPart(part.members[0].study, part.members[0].series_uid, part.members[0].number, part.groups)
            for part in ordered
        ),
    )


def _rank(part: DicomSeries) -> tuple[bool, str, int, tuple[str, ...]]:
    """Return the sort key of a part: start (unknown last), SeriesNumber, UIDs."""
    start, *uids = part.claim.order
    return (start == "", start, part.claim.number or 0, tuple(uids))


def _part(reading: Reading, series: DicomSeries) -> Part | None:
    """Return what decides about joining a series; None when nothing can be joined with it."""
    group, number = series.members[0], series.claim.number
    if len(series.groups) > 1 or number is None:
        return None
    first = instance_of(group.header)
    if first is None:
        return None

    def instances() -> Iterator[Instance | None]:
        for row in reading.group_rows(series.groups[0]):
            header = reading.header(row)
            yield None if header is None else instance_of(header)

    return Part(group.patient, number, group.study, first, instances)


def instance_of(header: Header) -> Instance | None:
    """Return the facts of a file; None when it has several frames or no place."""
    orientation, position = _numbers(header, "ImageOrientationPatient"), _numbers(header, "ImagePositionPatient")
    frames = header.get("NumberOfFrames")
    if len(orientation) != 6 or len(position) != 3 or frames not in (None, 1):  # noqa: PLR2004 - as DICOM defines them
        return None
    if not all(map(math.isfinite, (*orientation, *position))):
        return None
    thickness = _numbers(header, "SliceThickness")
    return Instance(
        kind=tuple(_hashable(header.get(field)) for field in EQUAL),
        measures=tuple(_numbers(header, field) for field in CLOSE),
        frame=str(header.get("FrameOfReferenceUID") or ""),
        orientation=orientation,
        position=position,
        acquisition=_whole(header, "AcquisitionNumber"),
        temporal=_whole(header, "TemporalPositionIdentifier"),
        volume=_is_mosaic(header),
        thickness=thickness[0] if thickness else 0.0,
    )


def _is_mosaic(header: Header) -> bool:
    types = header.get("ImageType")
    slices = _whole(header, "SiemensNumberOfImagesInMosaic") or 0
    return slices > 1 or (isinstance(types, list) and any(word.upper() in MOSAICS for word in map(str, types)))


def _hashable(value: Value) -> Hashable:
    return tuple(value) if isinstance(value, list) else value


def _numbers(header: Header, field: str) -> Vector:
    value = header.get(field)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(float(each) for each in values)


def _whole(header: Header, field: str) -> int | None:
    value = header.get(field)
    return value if isinstance(value, int) else None
