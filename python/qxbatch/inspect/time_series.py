"""Decides whether an image is a time series of one contrast, for which temporal SNR is defined (docs/statistics.md)."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from qxbatch.acquisition import Acquisition, ImageKind
from qxbatch.model import HeaderLike

_VOLUME_AXIS = 3
"""Index of the axis of volumes in an image's shape."""
_OTHER_IMAGE_TYPES = frozenset(
    (
        "P",
        "PHASE",
        "PHASE_MAP",
        "R",
        "REAL",
        "I",
        "IMAGINARY",
        "DERIVED",
        "LOCALIZER",
        "ASL",
        "PERFUSION",
        "DIFFUSION",
        "ADC",
        "FA",
        "TRACEW",
        "B0_MAP",
        "FIELD_MAP",
        "SPECTROSCOPY",
        "VELOCITY_MAP",
        "T1_MAP",
        "T2_MAP",
    )
)
"""Values in ImageType of images that are not magnitude time series."""
_OTHER_SUFFIX = re.compile(r"_(?:ph|pha|phase|real|imaginary|ADC|fieldmaphz|ROI\d*)(?=[_\d]|$)")
"""Suffixes that converters add to the names of phase, real and imaginary images, maps and overlays."""
_LABELLING_FIELD = re.compile(r"^(?:ArterialSpinLabeling|PASL|Labeling|PostLabel|InitialPostLabel)")
"""Fields of the sidecar of an arterial spin labelling scan."""
_PROGRAMS = ("PulseSequenceDetails", "InternalPulseSequenceName")
"""Fields of the sidecar with the pulse program (Siemens, GE); if one is present, names of the series are ignored."""
_SEQUENCES = ("SequenceName", "PulseSequenceName")
"""Header fields with the name of the sequence."""
_NAMES = ("ProtocolName", "SeriesDescription")
"""Header fields with the names of the series."""
_ASL = re.compile(r"(?<![a-z])(?:\dd)?(?:p|c|pc|vepc)?asl", re.IGNORECASE)
"""Words for arterial spin labelling in the names of programs, sequences and series: `pcasl`, `3dasl`."""


class TimeSeriesFacts(NamedTuple):
    """The facts that decide whether an image is a time series."""

    shape: tuple[int, ...]
    header: HeaderLike
    """Header of its series."""
    acquisition: Acquisition | None
    sidecar: Mapping[str, Any]
    """JSON that the converter wrote; empty if there is none."""
    suffix: str
    """The suffix that the converter added to the image's number in its file name."""
    has_b_values: bool
    """Whether the converter wrote a table of b-values for it."""


def is_time_series(image: TimeSeriesFacts) -> bool:
    """Return whether the image is a magnitude time series such as BOLD: no diffusion, phase, spin labelling or map.

    Headers, sidecar and suffix decide. The name of a series is used only to detect spin labelling, if the sidecar does not
    name the pulse program.
    """
    return (
        _has_volumes(image)
        and image.header.get("Modality") in (None, "MR")
        and not (image.has_b_values or (image.acquisition and image.acquisition.b_values))
        and _is_magnitude(image)
        and not _is_spin_labelling(image)
    )


def _has_volumes(image: TimeSeriesFacts) -> bool:
    """Return whether the fourth axis contains several volumes that are not echoes.

    False also if a later axis is longer than 1, or if more than one of the first three axes has the length 1.
    """
    shape = image.shape
    if len(shape) <= _VOLUME_AXIS or shape[_VOLUME_AXIS] == 1 or max(shape[_VOLUME_AXIS + 1 :], default=1) > 1:
        return False
    if shape[:_VOLUME_AXIS].count(1) > 1:
        return False
    echoes = image.acquisition.te_ms if image.acquisition else None
    return shape[_VOLUME_AXIS] != len(echoes or ())


def _is_magnitude(image: TimeSeriesFacts) -> bool:
    kinds = set((image.acquisition and image.acquisition.kinds) or ())
    if {ImageKind.DERIVED, ImageKind.LOCALIZER} & kinds:
        return False
    if kinds and ImageKind.MAGNITUDE not in kinds:
        return False
    return not _OTHER_IMAGE_TYPES & set(_image_types(image)) and not _OTHER_SUFFIX.search(image.suffix)


def _image_types(image: TimeSeriesFacts) -> list[str]:
    """Return the values of ImageType: those of the image, else those of the first image of its series."""
    image_types = image.sidecar.get("ImageType")
    values = image_types if isinstance(image_types, list) else image.header.get("ImageType")
    values = values if isinstance(values, list) else str(values or "").split("\\")
    return [str(value).strip().upper().replace(" ", "_") for value in values]


def _is_spin_labelling(image: TimeSeriesFacts) -> bool:
    """Return whether the scan is arterial spin labelling."""
    if any(_LABELLING_FIELD.match(key) for key in image.sidecar):
        return True
    programs = [text for key in _PROGRAMS if (text := image.sidecar.get(key))]
    fields = _SEQUENCES if programs else (*_SEQUENCES, *_NAMES)
    return any(_ASL.search(str(text)) for text in (*programs, *map(image.header.get, fields)))
