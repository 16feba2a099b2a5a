"""Images that repeat or resample others of their series: they are kept, but never counted as slices."""

import re

_COPY = re.compile(r"_(?:Eq|Tilt|Crop|ROI)(?=[_\d]|$)")
"""dcm2niix's own copies: equal spacing, gantry tilt, cropped, overlays; also after another suffix (`_e1_Eq_1`)."""
_MAP = "_ADC"


def is_copy(suffix: str) -> bool:
    """Return whether a suffix names a copy that dcm2niix made of another image.

    >>> is_copy("_e1_Eq_1"), is_copy("_ROI1"), is_copy("_e1"), is_copy("_Equator")
    (True, True, False, False)
    """
    return _COPY.search(suffix) is not None


def is_map(suffix: str) -> bool:
    """Return whether a suffix names an image that dcm2niix writes beside one without the map's volumes."""
    return suffix.endswith(_MAP)
