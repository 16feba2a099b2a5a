"""Finds the required fields that a sidecar does not have after the export completed it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from qxbatch.bids.schema.names import Schema, load_schema
from qxbatch.bids.schema.required import required_fields

_SELECTOR_FIELDS = (
    *("ArterialSpinLabelingType", "BolusCutOffFlag", "LookLocker", "M0Type"),
    *("MRAcquisitionType", "RepetitionTime", "VolumeTiming"),
)
"""Fields whose presence or value decides, by the rules of the schema, whether other fields are required."""
_READOUT = ("TotalReadoutTime", "EffectiveEchoSpacing")
"""A PEPOLAR field map requires one of them; the schema says so only in prose."""


class AbsentFieldFinder:
    """Finds absent required fields.

    Images with the same data type, suffix and values of _SELECTOR_FIELDS have the same required fields.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._required: dict[object, tuple[str, ...]] = {}

    def absent_fields(self, datatype: str, suffix: str, sidecar: Mapping[str, Any]) -> list[str]:
        """Return the required fields that a sidecar does not have."""
        selecting_fields = {name: sidecar[name] for name in _SELECTOR_FIELDS if name in sidecar}
        key = (datatype, suffix, *(f"{name}={value}" for name, value in selecting_fields.items()))
        if key not in self._required:
            required = required_fields(self._schema, datatype, suffix, selecting_fields)
            self._required[key] = tuple(dict.fromkeys(required))
        absent = [name for name in self._required[key] if name not in sidecar]
        if (datatype, suffix) == ("fmap", "epi") and not any(name in sidecar for name in _READOUT):
            absent.append(_READOUT[0])
        return absent


@lru_cache
def absent_field_finder() -> AbsentFieldFinder:
    """Return the finder for the installed schema."""
    return AbsentFieldFinder(load_schema())
