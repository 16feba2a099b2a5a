"""The time between volumes, if it differs between image and sidecar.

BIDS refuses such an image. The times of the frames show which of the two is correct. The image is not changed.
"""

import gzip
import struct
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.model import ExportImage
from qxbatch.session.layout import image_file

_TIME_AXES = 4
"""Axes of the image of a time series."""
_SAME = 0.0005
"""Times that differ by less are equal, in seconds."""
_HEADER_LENGTH = 348
_FIRST_BYTES = {"<": b"\x5c\x01\x00\x00", ">": b"\x00\x00\x01\x5c"}
_TIME_STEP_OFFSET, _UNITS_OFFSET = 76 + 4 * 4, 123
"""Offsets of pixdim[4] and xyzt_units."""
_SECONDS_PER_UNIT = {8: 1.0, 16: 1e-3, 24: 1e-6}


class Timing(NamedTuple):
    """Fields that replace RepetitionTime, and the reason."""

    fields: dict[str, Any]
    warning: str = ""


def timing_of(image: ExportImage) -> Timing | None:
    """Return the fields to write if the time between volumes differs between image and sidecar.

    If the frames do not show which time is correct, RepetitionTime stays as it is.
    Return None if the times agree, or if one of them is not known.
    """
    repetition_time, facts, shape = image.sidecar.get("RepetitionTime"), image.series.acquisition, image.summary.shape
    if not isinstance(repetition_time, int | float) or facts is None or facts.tr_ms is None or len(shape) < _TIME_AXES:
        return None
    if abs(repetition_time - facts.tr_ms / 1000) < _SAME:
        return None  # converters write this value into the image
    step = time_step(image.session.path / image_file(image.number))
    if step is None or abs(step - repetition_time) < _SAME:
        return None
    observed = None if facts.observed_tr_ms is None else facts.observed_tr_ms / 1000
    texts = f"RepetitionTime is {repetition_time:g} s in the sidecar and {step:g} s in the image"
    if observed is not None and abs(observed - step) < _SAME:
        return Timing({"RepetitionTime": step}, f"{texts}; the frames say {step:g} s, which is written.")
    if observed is None or abs(observed - repetition_time) >= _SAME:
        return Timing(
            {"RepetitionTime": repetition_time}, f"{texts}, and the frames do not say which is right. Convert it again."
        )
    fields: dict[str, Any] = {"VolumeTiming": [round(k * repetition_time, 6) for k in range(shape[_TIME_AXES - 1])]}
    if "SliceTiming" not in image.sidecar:
        fields["FrameAcquisitionDuration"] = step
    return Timing(
        fields, f"{texts}; the frames say {repetition_time:g} s. BIDS accepts it with VolumeTiming, which is written."
    )


def time_step(path: Path) -> float | None:
    """Return the time between volumes that a NIfTI-1 header has, in seconds; None where it cannot be read."""
    try:
        with gzip.open(path) as file:
            head = file.read(_HEADER_LENGTH)
    except (OSError, EOFError):
        return None
    byte_order = next((byte_order for byte_order, size in _FIRST_BYTES.items() if head[:4] == size), None)
    if byte_order is None or len(head) < _HEADER_LENGTH:
        return None
    step: float = struct.unpack_from(f"{byte_order}f", head, _TIME_STEP_OFFSET)[0]
    return round(step * _SECONDS_PER_UNIT.get(head[_UNITS_OFFSET] & 0x38, 1.0), 6)
