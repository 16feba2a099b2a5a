"""Fields of sidecars that name or describe a person, or lead to one. Those that qxbatch's converters write have none."""

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
    """Return whether a field is left out of a data set.

    >>> [name for name in ("PatientName", "PatientPosition", "AcquisitionDateTime", "EchoTime") if is_identifying(name)]
    ['PatientName', 'AcquisitionDateTime']
    """
    return field in _NAMES or _PATTERN.fullmatch(field) is not None


def without_identifying(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields without identifying ones; converters of others put tables of header fields into sidecars, too."""
    return {name: _value(value) for name, value in fields.items() if not is_identifying(name)}


def _value(value: Any) -> Any:
    return without_identifying(value) if isinstance(value, dict) else value
