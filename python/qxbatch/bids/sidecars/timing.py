"""The time between volumes, if it differs between image and sidecar.

The BIDS validator refuses such an image. The times of the frames can show which of the two is correct. The image is not changed.
"""

from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.images.numbers import is_plausible_number
from qxbatch.bids.model import ExportImage
from qxbatch.convert.nifti import read_nifti
from qxbatch.model import SeriesKind
from qxbatch.session.layout import image_file

_TIME_AXES = 4
"""Number of axes of the image of a time series; the last one counts the volumes."""
EXCLUDED_BY_VOLUME_TIMING = ("RepetitionTime", "DelayTime")
"""Fields that BIDS does not allow beside VolumeTiming."""
_TOLERANCE = 0.0005
"""Times that differ by less than this, in seconds, are equal."""


class TimingCorrection(NamedTuple):
    """Sidecar fields that correct the time between volumes, and a warning with the reason."""

    fields: dict[str, Any]
    warning: str = ""


def timing_correction(image: ExportImage) -> TimingCorrection | None:
    """Return the fields that correct a sidecar whose time between volumes differs from that of the image; None if they agree.

    None also if the times cannot be compared: the sidecar or the headers have no repetition time, the image has no axis of volumes,
    or it cannot be read. If sidecar and headers have the same time, the image is not read, because it has this time too; the image
    of a PAR/REC is always read.

    If the frames have the time of the image, it replaces RepetitionTime. If they have RepetitionTime, VolumeTiming with this time
    is added. Otherwise RepetitionTime stays as it is. If the header of an image has no time between volumes, it counts as 0 s.
    """
    repetition_time, facts, shape = image.sidecar.get("RepetitionTime"), image.series.acquisition, image.summary.shape
    if not is_plausible_number(repetition_time) or facts is None or facts.tr_ms is None or len(shape) < _TIME_AXES:
        return None
    is_par = image.series.kind is SeriesKind.PARREC
    if abs(repetition_time - facts.tr_ms / 1000) < _TOLERANCE and not is_par:
        return None  # converters write this time into an image; into that of a PAR, the time between dynamic scans
    step = _time_step(image.session.path / image_file(image.number))
    if step is None or abs(step - repetition_time) < _TOLERANCE:
        return None
    observed = None if facts.observed_tr_ms is None else facts.observed_tr_ms / 1000
    texts = f"RepetitionTime is {repetition_time:g} s in the sidecar and {step:g} s in the image"
    if observed is not None and abs(observed - step) < _TOLERANCE:
        return TimingCorrection({"RepetitionTime": step}, f"{texts}; the frames say {step:g} s, which is written.")
    if observed is None or abs(observed - repetition_time) >= _TOLERANCE:
        return TimingCorrection(
            {"RepetitionTime": repetition_time}, f"{texts}, and the frames do not say which is right. Convert it again."
        )
    fields: dict[str, Any] = {"VolumeTiming": [round(k * repetition_time, 6) for k in range(shape[_TIME_AXES - 1])]}
    if "SliceTiming" not in image.sidecar:
        fields["FrameAcquisitionDuration"] = step
    return TimingCorrection(
        fields, f"{texts}; the frames say {repetition_time:g} s. BIDS accepts it with VolumeTiming, which is written."
    )


def _time_step(path: Path) -> float | None:
    """Return the time between volumes by an image's header, in seconds; 0 where it has none, None where it cannot be read."""
    try:
        return round(read_nifti(path).time_step, 6)
    except ValueError:
        return None
