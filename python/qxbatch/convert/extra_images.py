"""Images that dcm2niix writes besides those of a series: copies and overlays, which are not counted as slices, and maps."""

import re

_COPY = re.compile(r"_(?:Eq|Tilt|Crop|ROI)(?=[_\d]|$)")
"""Copies with equal spacing, without gantry tilt, cropped; overlays. Also after another suffix (`_e1_Eq_1`)."""
_MAP = "_ADC"


def is_copy(suffix: str) -> bool:
    """Return whether a suffix names a copy that dcm2niix made of another image, or an overlay.

    >>> is_copy("_e1_Eq_1"), is_copy("_ROI1"), is_copy("_e1"), is_copy("_Equator")
    (True, True, False, False)
    """
    return _COPY.search(suffix) is not None


def is_map(suffix: str) -> bool:
    """Return whether a suffix names an image with map volumes (ADC); dcm2niix also writes the series without them."""
    return suffix.endswith(_MAP)
