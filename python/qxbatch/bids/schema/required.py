"""Sidecar fields that BIDS requires for an image, by those rules of the schema whose selectors this module can evaluate."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from qxbatch.bids.schema.names import Schema

_GROUPS = ("mri", "anat", "func", "dwi", "fmap", "asl", "qmri")
"""Groups of sidecar rules in the schema that concern MR images."""
ADDED_FIELDS = (
    *("TaskName", "Units", "IntendedFor", "M0Type", "TotalAcquiredPairs", "MTState"),
    *("EchoTime1", "EchoTime2", "VolumeTiming"),
)
"""Fields that BIDS can require and that the export can add."""
REPETITION: Mapping[str, tuple[str, ...]] = {
    "RepetitionTimeExcitation": ("VFA", "MTS", "MPM"),
    "RepetitionTimePreparation": ("MP2RAGE", "TB1SRGE", "asl", "m0scan"),
}
"""BIDS fields for the time between excitations or between preparations, and the suffixes for which RepetitionTime is that time."""
# The forms of selectors that this module evaluates.
_IS = re.compile(r'(datatype|suffix|modality) == "(\w+)"')
_ONE_OF = re.compile(r"intersects\(\[(suffix|sidecar\.\w+)\], \[([^\]]*)\]\)")
_FIELD = re.compile(r'sidecar\.(\w+) == (true|false|"[^"]*")')
_ABSENT = re.compile(r'!\("(\w+)" in sidecar\)')
_IMAGE = re.compile(r"match\(extension, .*nii.*\)")


def missing_fields(schema: Schema, datatype: str, suffix: str, sidecar: Mapping[str, Any]) -> list[str]:
    """Return the required fields that the sidecar lacks and the export cannot add."""
    required = dict.fromkeys(required_fields(schema, datatype, suffix, sidecar))
    return [name for name in required if name not in sidecar and not _is_added(name, suffix, sidecar)]


def _is_added(name: str, suffix: str, sidecar: Mapping[str, Any]) -> bool:
    return name in ADDED_FIELDS or name in repetition_fields(suffix, sidecar)


def repetition_fields(suffix: str, sidecar: Mapping[str, Any]) -> dict[str, Any]:
    """Return the BIDS fields that have the value of RepetitionTime in images of a suffix, with that value.

    Empty without RepetitionTime.
    """
    time = sidecar.get("RepetitionTime")
    return {} if time is None else {name: time for name, suffixes in REPETITION.items() if suffix in suffixes}


def required_fields(schema: Schema, datatype: str, suffix: str, sidecar: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that BIDS requires of an image with this sidecar; a field can be yielded several times."""
    image = {"datatype": datatype, "suffix": suffix, "modality": "mri"}
    for group in _GROUPS:
        for rule in schema.content["rules"]["sidecars"].get(group, {}).values():
            if all(_applies(selector, image, sidecar) for selector in rule["selectors"]):
                levels = (
                    (name, level if isinstance(level, str) else level["level"])
                    for name, level in rule["fields"].items()
                )
                yield from (_name(schema, name) for name, level in levels if level == "required")


def _name(schema: Schema, key: str) -> str:
    """Return the name of a field; the schema has keys such as `EchoTime__fmap`."""
    return str(schema.content["objects"]["metadata"][key]["name"])


def _applies(selector: str, image: Mapping[str, str], sidecar: Mapping[str, Any]) -> bool:
    """Return whether a selector is met. One of a form that this module does not evaluate counts as not met."""
    tests: Mapping[re.Pattern[str], Callable[[re.Match[str]], bool]] = {
        _IS: lambda match: image[match[1]] == match[2],
        _ONE_OF: lambda match: _value(match[1], image, sidecar) in re.findall(r'"([^"]*)"', match[2]),
        _FIELD: lambda match: match[1] in sidecar and _text(sidecar[match[1]]) == match[2].strip('"'),
        _ABSENT: lambda match: match[1] not in sidecar,
        _IMAGE: lambda _match: True,
    }
    return any(test(match) for pattern, test in tests.items() if (match := pattern.fullmatch(selector)))


def _value(name: str, image: Mapping[str, str], sidecar: Mapping[str, Any]) -> object:
    return image["suffix"] if name == "suffix" else sidecar.get(name.removeprefix("sidecar."))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
