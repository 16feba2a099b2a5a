"""Compares echo time, flip angle and inversion time in an image's JSON with the headers of all its frames.

If the frames have several inversion or repetition times, which the JSON cannot have, a note says so.
"""

from typing import NamedTuple

from qxbatch.core import ImageCheck
from qxbatch.inspect.observed import read_sidecar
from qxbatch.inspect.plausible import is_plausible
from qxbatch.model import Output
from qxbatch.session.json_fields import is_finite

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
_REPETITION_TIME = _Field("RepetitionTime", "s", 1e-3, 1e-3)


def contrast_findings(output: Output, check: ImageCheck) -> list[str]:
    """Return where echo time or flip angle in the JSON differs from that of a frame. An image should have one value of each."""
    return _findings(output, [(_ECHO_TIME, check.echo_times), (_FLIP_ANGLE, check.flip_angles)])


def inversion_findings(output: Output, check: ImageCheck) -> list[str]:
    """Return a finding if the inversion time in the JSON differs from that of the frames; none if the frames have several."""
    times = check.inversion_times
    return [] if _are_several(times, _INVERSION_TIME) else _findings(output, [(_INVERSION_TIME, times)])


def several_times_notes(check: ImageCheck) -> list[str]:
    """Return a note if the frames have several inversion times, and one if they have several repetition times.

    Converters store frames with several times in one image. The repetition time in the JSON is not compared: in some scans it is
    the time between excitations, in others the time between volumes.
    """
    compared = [
        ("inversion", check.inversion_times, _INVERSION_TIME),
        ("repetition", check.repetition_times, _REPETITION_TIME),
    ]
    notes = []
    for name, times, field in compared:
        if times is not None and _are_several(times, field):
            low, high = (time * field.scale for time in times)
            notes.append(
                f"its volumes have {name} times from {low:g} to {high:g} s; the JSON can have only one of them."
            )
    return notes


def _are_several(times: tuple[float, float] | None, field: _Field) -> bool:
    """Return whether the shortest and the longest time of the frames of an image differ."""
    if times is None:
        return False
    low, high = (time * field.scale for time in times)
    return not _agrees(low, high, field)


def _findings(output: Output, compared: list[tuple[_Field, tuple[float, float] | None]]) -> list[str]:
    """Return a finding for each field of the JSON that differs from the lowest or the highest value of the frames."""
    sidecar = read_sidecar(output.sidecars.get("json"))
    findings = []
    for field, values in compared:
        json_value = sidecar.get(field.name)
        if values is None or not isinstance(json_value, int | float) or isinstance(json_value, bool):
            continue
        number = (
            json_value if is_finite(json_value) else float(str(json_value))
        )  # a whole number can be too large for a float
        low, high = (value * field.scale for value in values)
        if not all(_agrees(number, value, field) for value in (low, high)):
            headers = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            findings.append(
                f"its JSON says {field.name} {number:g} {field.unit}, its headers say {headers} {field.unit}."
            )
    return findings


def _agrees(json_value: float, expected: float, field: _Field) -> bool:
    return is_plausible(json_value) and abs(json_value - expected) <= max(
        field.tolerance, _RELATIVE_TOLERANCE * expected
    )
