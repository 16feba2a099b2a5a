"""A PAR header as DICOM keywords."""

import re

from qxbatch.model import Value
from qxbatch.parrec.table import ParContent

_DATE_TIME = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})(?:\s*/\s*(\d{2}):(\d{2}):(\d{2}(?:\.\d{1,6})?))?")
_WIP = re.compile(r"(?<!\w)WIP ")
_US_LIMIT = 1 << 16
"""Rows and columns of DICOM (US) are below this."""
_TEXTS = {
    "PatientName": ("patient name",),
    "StudyDescription": ("examination name",),
    "PatientPosition": ("patient position",),
    "ScanningSequence": ("technique",),
    "InstitutionName": ("institution name", "institution", "hospital name"),
    "Manufacturer": ("manufacturer",),
    "StationName": ("station name",),
}
"""Maps each DICOM keyword to keys of a PAR; the first key with a value is used."""


def fields(header: ParContent) -> dict[str, Value]:
    """Return the values of a PAR by DICOM keyword; those that it does not contain are omitted.

    RepetitionTime and EchoTime are in ms. RepetitionTime is a list if the PAR has several; EchoTime is that of the first image.
    """
    values: dict[str, Value] = {
        "Modality": "MR",
        "SeriesNumber": header.series_number,
        "SeriesDescription": _protocol_name(header),
        "ProtocolName": _protocol_name(header),
        "AcquisitionNumber": header.integer("acquisition nr"),
        "RepetitionTime": _one_or_more(header.floats("repetition time")),
        "EchoTime": _first(header, "echo_time"),
        "NumberOfTemporalPositions": header.integer("max. number of dynamics"),
        "NumberOfFrames": len(header.lines) or None,
    }
    for keyword, keys in _TEXTS.items():
        values[keyword] = next((header.text(key) for key in keys if header.text(key)), None)
    sides = header.floats("recon resolution") or list(_first_tuple(header, "recon resolution"))
    if len(sides) == 2 and all(0 < side < _US_LIMIT for side in sides):  # noqa: PLR2004 (x, y)
        values["Columns"], values["Rows"] = int(sides[0]), int(sides[1])
    moment = _DATE_TIME.search(header.text("examination date/time"))
    if moment:
        date = moment[1] + moment[2] + moment[3]
        time = moment[4] + moment[5] + moment[6] if moment[4] else None
        values |= {"StudyDate": date, "SeriesDate": date, "StudyTime": time, "SeriesTime": time}
    return {keyword: value for keyword, value in values.items() if value not in (None, "", [])}


def _protocol_name(header: ParContent) -> str:
    """Return the protocol's name without the `WIP ` that the scanner adds and that does not describe the image."""
    return _WIP.sub("", header.text("protocol name")).strip()


def _one_or_more(values: list[float]) -> Value:
    return values[0] if len(values) == 1 else values


def _first_tuple(header: ParContent, column: str) -> tuple[float, ...]:
    try:
        return next(iter(header.column(column)), ())
    except ValueError:
        return ()


def _first(header: ParContent, column: str) -> float | None:
    return next(iter(_first_tuple(header, column)), None)
