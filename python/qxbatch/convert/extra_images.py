"""Suffixes of the images that dcm2niix writes in addition to the images of a series.

The voxels of copies and overlays are not counted when the number of slices is checked. An image with a map (`_ADC`) is normally
the complete series with the map; then dcm2niix also writes the series without the map.
"""

import re

_COPY = re.compile(r"_(?:Eq|Tilt|Crop|ROI)(?=[_\d]|$)")
"""Copies with equal spacing, without gantry tilt, cropped; overlays. Also after another suffix (`_e1_Eq_1`)."""
_MAP = "_ADC"


def is_copy_or_overlay(suffix: str) -> bool:
    """Return whether a suffix names a copy that dcm2niix made of another image, or an overlay.

    >>> is_copy_or_overlay("_e1_Eq_1"), is_copy_or_overlay("_ROI1"), is_copy_or_overlay("_e1"), is_copy_or_overlay("_Equator")
    (True, True, False, False)
    """
    return _COPY.search(suffix) is not None


def has_map(suffix: str) -> bool:
    """Return whether a suffix names an image with a map (ADC).

    Normally the image is the complete series with the map, and dcm2niix also writes the series without the map.
    """
    return suffix.endswith(_MAP)
