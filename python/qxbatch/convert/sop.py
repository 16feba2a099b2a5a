"""SOP classes by content (PS3.4 B.5): images, and kinds of objects without an image.

The functions take the SOP class UIDs of a series with the number of objects of each class.
"""

from collections import Counter
from collections.abc import Mapping

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NO_IMAGE = {
    "1.2.840.10008.1.3.10": "a media directory",
    "4.2": "MR spectroscopy",
    "11": "a presentation state",
    "66": "raw data",
    "66.1": "a spatial registration",
    "66.2": "spatial fiducials",
    "66.3": "a deformable registration",
    "66.5": "a surface segmentation",
    "66.6": "tractography",
    "67": "a real world value map",
    "88": "a report",
    "104": "an encapsulated document",
    "9": "a waveform",
    "481.3": "a structure set",
    "481.4": "a treatment record",
    "481.5": "a treatment plan",
    "481.8": "a treatment plan",
}
"""Descriptions of SOP classes without an image, by UID; storage classes by the UID without the prefix _STORAGE."""
_WITH_SUBCLASSES = {"9", "11", "88", "104"}
"""Classes in _NO_IMAGE whose description also fits all classes below them, such as 11.1."""
_SIEMENS_CSA = "1.3.12.2.1107.5.9.1"
_PHILIPS_PRIVATE = "1.3.46.670589."
_CROSS_SECTIONAL = {_STORAGE + end for end in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "128.1", "130")}
"""CT, MR and PET images, without MR spectroscopy (4.2)."""
_SECONDARY_CAPTURE = _STORAGE + "7"


def non_image_kind(classes: Counter[str]) -> str:
    """Return the kinds of a series' objects, such as `a report`, if none of them is an image; else, or without objects, empty."""
    kinds = {_kind(uid) for uid in classes if classes[uid]}
    return "" if not kinds or "" in kinds else ", ".join(sorted(kinds))


def is_secondary_capture(classes: Counter[str]) -> bool:
    """Return whether all objects are secondary captures (screen saves)."""
    return bool(classes) and all(
        uid == _SECONDARY_CAPTURE or uid.startswith(_SECONDARY_CAPTURE + ".") for uid in classes
    )


def has_slices_of_body(classes: Mapping[str, int]) -> bool:
    """Return whether at least one object is an MR, CT or PET image, which has a position in the patient."""
    return any(uid in _CROSS_SECTIONAL for uid in classes)


def _kind(uid: str) -> str:
    """Return the kind of an object that is not an image; empty for an image and for an unknown class."""
    if uid == _SIEMENS_CSA:
        return "Siemens CSA data"
    if uid.startswith(_PHILIPS_PRIVATE):
        return "Philips private data"
    if uid in _NO_IMAGE:
        return _NO_IMAGE[uid]
    if not uid.startswith(_STORAGE):
        return ""
    ending = uid.removeprefix(_STORAGE)
    parent_class = ending.split(".")[0]
    return _NO_IMAGE.get(ending) or (_NO_IMAGE.get(parent_class, "") if parent_class in _WITH_SUBCLASSES else "")
