"""Sidecar fields that identify a person or an examination. dcm2niix with `-ba y` omits them; other converters can write them."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_NAMES = (
    "AccessionNumber",
    "AdmissionID",
    "IssuerOfPatientID",
    "OperatorsName",
    "PhysiciansOfRecord",
    "RequestingPhysician",
    "StudyID",
)
_PATTERN = re.compile(
    r"(?:Other)?Patient(?!Position$).*|.*Physician(?:s?)Name|.*Date(?:Time)?|.*(?<!Class)(?<!TransferSyntax)UID"
)
"""A UID, other than one that DICOM defines, names an examination, and most scanners write the time into it."""


@lru_cache(1 << 12)
def is_identifying(field: str) -> bool:
    """Return whether a field identifies a person or an examination.

    >>> [name for name in ("PatientName", "PatientPosition", "AcquisitionDateTime", "EchoTime") if is_identifying(name)]
    ['PatientName', 'AcquisitionDateTime']
    """
    return field in _NAMES or _PATTERN.fullmatch(field) is not None


def without_identifying_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without those that are identifying, also in nested tables and lists, which some converters write."""
    return {name: _without_identifying_fields(value) for name, value in fields.items() if not is_identifying(name)}


def _without_identifying_fields(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_identifying_fields(item) for item in value]
    return without_identifying_fields(value) if isinstance(value, dict) else value
