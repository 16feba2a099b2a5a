"""Sidecar fields that identify a person. Sidecars of qxbatch's converters have none; those of other programs can."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_NAMES = (
    *(
        "AccessionNumber",
        "AdmissionID",
        "FrameOfReferenceUID",
        "IssuerOfPatientID",
        "OperatorsName",
        "PhysiciansOfRecord",
    ),
    *("RequestingPhysician", "StudyID"),
)
_PATTERN = re.compile(r"(?:Other)?Patient(?!Position$).*|.*Physician(?:s?)Name|.*Date(?:Time)?|.*InstanceUID")


@lru_cache(1 << 12)
def is_identifying(field: str) -> bool:
    """Return whether a field is omitted from a data set.

    >>> [name for name in ("PatientName", "PatientPosition", "AcquisitionDateTime", "EchoTime") if is_identifying(name)]
    ['PatientName', 'AcquisitionDateTime']
    """
    return field in _NAMES or _PATTERN.fullmatch(field) is not None


def without_identifying(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that do not identify a person; other converters also write nested tables of header fields."""
    return {name: _value(value) for name, value in fields.items() if not is_identifying(name)}


def _value(value: Any) -> Any:
    return without_identifying(value) if isinstance(value, dict) else value
