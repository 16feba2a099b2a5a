"""The facts of a file that decide whether its series and another one are parts of one scan (docs/numbers.md)."""

import math
import re
from collections.abc import Hashable
from datetime import datetime

from qxbatch.core import Header
from qxbatch.ingest.scan_part import Instance, Vector
from qxbatch.ingest.starts import Start, Starts
from qxbatch.model import Value

EQUAL_FIELDS = (
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
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "ReceiveCoilName",
    "InPlanePhaseEncodingDirection",
    "ContrastBolusAgent",
)
"""Header fields that are equal in all files of one scan."""
CLOSE_FIELDS = ("PixelSpacing", "EchoTime", "FlipAngle", "SliceThickness", "InversionTime", "PixelBandwidth")
"""Header fields whose numbers are equal within `scan_part.SAME_VALUE` in all files of one scan."""
SEQUENCE_NAME_FIELDS = ("SequenceName", "PulseSequenceName")
"""Header fields that are equal except for the b-value, which Siemens appends: `ep_b0`, `ep_b1000#3`."""
B_VALUE = re.compile(r"_b\d.*", re.DOTALL)
START_PREFIXES = ("Acquisition", "Series", "Content")
"""Prefixes of the header fields with dates and times of a start."""
TIME = re.compile(r"([01]\d|2[0-3])(?:([0-5]\d)((?:[0-5]\d|60)(?:\.\d*)?)?)?")
"""A TM value (PS3.5 6.2): HH, HHMM or HHMMSS.FFFFFF."""
MOSAICS = ("MOSAIC", "VFRAME")
"""Values of ImageType that mark a whole volume in one classic image: Siemens, United Imaging."""


def instance_of(header: Header) -> Instance | None:
    """Return the facts of a file; None if it has several frames, or no valid position or orientation."""
    orientation, position = _numbers(header, "ImageOrientationPatient"), _numbers(header, "ImagePositionPatient")
    frames = header.get("NumberOfFrames")
    if len(orientation) != 6 or len(position) != 3 or frames not in (None, 1):  # noqa: PLR2004 - as DICOM defines them
        return None
    if not all(map(math.isfinite, (*orientation, *position))):
        return None
    thickness = _numbers(header, "SliceThickness")
    return Instance(
        kind=(
            *(_hashable(header.get(field)) for field in EQUAL_FIELDS),
            *(_sequence_name(header, field) for field in SEQUENCE_NAME_FIELDS),
        ),
        measures=tuple(_numbers(header, field) for field in CLOSE_FIELDS),
        frame_of_reference=str(header.get("FrameOfReferenceUID") or ""),
        orientation=orientation,
        position=position,
        acquisition_number=_integer(header, "AcquisitionNumber"),
        temporal_position=_integer(header, "TemporalPositionIdentifier"),
        is_volume=_is_mosaic(header),
        thickness=thickness[0] if thickness else 0.0,
        repetition_time=_numbers(header, "RepetitionTime"),
        starts=_starts(header),
    )


def may_be_numbered_in_thousands(header: Header) -> bool:
    """Return whether the scanner may give the parts of series n the numbers n x 1000 + k: Siemens scanners with XA software do."""
    return "siemens" in str(header.get("Manufacturer") or "").lower()


def _sequence_name(header: Header, field: str) -> str:
    return B_VALUE.sub("", str(header.get(field) or ""))


def _starts(header: Header) -> Starts:
    """Return the start for each of START_PREFIXES, None without a time. The study's date replaces a missing date.

    Without a valid AcquisitionTime, AcquisitionDateTime is read.
    """
    starts = []
    for prefix in START_PREFIXES:
        day, second = _day(header, f"{prefix}Date"), _second(str(header.get(f"{prefix}Time") or ""))
        if second is None and prefix == "Acquisition":
            date_and_time = re.split("[+&-]", str(header.get("AcquisitionDateTime") or ""))[0]
            day, second = _ordinal(date_and_time[:8]), _second(date_and_time[8:])
        starts.append(None if second is None else Start(day or _day(header, "StudyDate"), second))
    return tuple(starts)


def _day(header: Header, field: str) -> int | None:
    return _ordinal(str(header.get(field) or "").replace(".", "").replace("-", ""))


def _ordinal(digits: str) -> int | None:
    try:
        return datetime.strptime(digits, "%Y%m%d").toordinal()
    except ValueError:
        return None


def _second(text: str) -> float | None:
    """Return the seconds since midnight of HHMMSS.FFFFFF, whose end may be missing, or of HH:MM:SS; None for other text."""
    match = TIME.fullmatch(text.replace(":", ""))
    if match is None:
        return None
    hours, minutes, seconds = (float(digits or 0) for digits in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _is_mosaic(header: Header) -> bool:
    value = header.get("ImageType")
    words = value if isinstance(value, list) else [value or ""]
    slices = _integer(header, "SiemensNumberOfImagesInMosaic") or 0
    return slices > 1 or any(word.upper() in MOSAICS for word in map(str, words))


def _hashable(value: Value) -> Hashable:
    return tuple(value) if isinstance(value, list) else value


def _numbers(header: Header, field: str) -> Vector:
    value = header.get(field)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(float(number) for number in values)


def _integer(header: Header, field: str) -> int | None:
    value = header.get(field)
    return value if isinstance(value, int) else None
