"""Compares echo time, flip angle and inversion time in an image's JSON with the headers of all its frames."""

from typing import NamedTuple

from qxbatch.core import ImageCheck
from qxbatch.inspect.observed import read_sidecar
from qxbatch.model import Output

_RELATIVE_TOLERANCE = 0.01
"""Accepted relative difference of values."""


class _Field(NamedTuple):
    """A field of the JSON."""

    name: str
    unit: str
    scale: float
    """A value of a header times `scale` has the unit of the JSON."""
    tolerance: float
    """Accepted difference of small values, in the unit of the JSON."""


_ECHO_TIME = _Field("EchoTime", "s", 1e-3, 1e-4)
_FLIP_ANGLE = _Field("FlipAngle", "degrees", 1.0, 0.1)
_INVERSION_TIME = _Field("InversionTime", "s", 1e-3, 1e-3)


def contrast_findings(output: Output, check: ImageCheck) -> list[str]:
    """Return where echo time or flip angle in the JSON differs from that of a frame. All frames of an image should have one."""
    return _findings(output, [(_ECHO_TIME, check.echo_times), (_FLIP_ANGLE, check.flip_angles)])


def inversion_findings(output: Output, check: ImageCheck) -> list[str]:
    """Return whether the inversion time in the JSON differs from that of the frames, if all frames have the same one."""
    return [] if _has_several_inversion_times(check) else _findings(output, [(_INVERSION_TIME, check.inversion_times)])


def inversion_notes(check: ImageCheck) -> list[str]:
    """Return a note if the frames have several inversion times: converters store them in one image, and one time in its JSON."""
    if check.inversion_times is None or not _has_several_inversion_times(check):
        return []
    low, high = (time * _INVERSION_TIME.scale for time in check.inversion_times)
    return [f"its volumes have inversion times from {low:g} to {high:g} s; the JSON can have only one of them."]


def _has_several_inversion_times(check: ImageCheck) -> bool:
    """Return whether the frames of an image have several inversion times."""
    if check.inversion_times is None:
        return False
    low, high = (time * _INVERSION_TIME.scale for time in check.inversion_times)
    return not _agrees(low, high, _INVERSION_TIME)


def _findings(output: Output, compared: list[tuple[_Field, tuple[float, float] | None]]) -> list[str]:
    sidecar = read_sidecar(output.sidecars.get("json"))
    findings = []
    for field, values in compared:
        json_value = sidecar.get(field.name)
        if values is None or not isinstance(json_value, int | float) or isinstance(json_value, bool):
            continue
        low, high = (value * field.scale for value in values)
        if not all(_agrees(json_value, value, field) for value in (low, high)):
            headers = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            findings.append(
                f"its JSON says {field.name} {json_value:g} {field.unit}, its headers say {headers} {field.unit}."
            )
    return findings


def _agrees(json_value: float, expected: float, field: _Field) -> bool:
    return abs(json_value - expected) <= max(field.tolerance, _RELATIVE_TOLERANCE * expected)
