"""Encodes DICOM files from values. Most elements are equal in all files of a series, so pydicom encodes each of them once."""

from collections.abc import Mapping

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

_ELEMENTS: dict[tuple[str, str, str], bytes] = {}
"""Encoded elements by keyword, value and transfer syntax."""
_MOST_ELEMENTS = 50_000


def can_encode(changes: Mapping[str, object], syntax: UID) -> bool:
    """Return whether `encoded_file` writes a series with such changes as pydicom would: no element depends on another one."""
    return (
        syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
        and "SpecificCharacterSet" not in changes
        and ("PixelData" not in changes or syntax.is_little_endian)
        and all(_is_simple(keyword, value) for keyword, value in changes.items())
    )


def _is_simple(keyword: str, value: object) -> bool:
    if keyword == "PixelData":
        return isinstance(value, bytes)
    parts = value if isinstance(value, list) else [value]
    tag = tag_for_keyword(keyword)
    return (
        tag is not None
        and " or " not in dictionary_VR(tag)
        and all(part is None or type(part) in (str, int, float) for part in parts)
    )


def encoded_file(values: Mapping[str, object], syntax: UID, *, preamble: bool, meta: bool) -> bytes:
    """Return the bytes of a file with these values by keyword, without those that are None."""
    data_set = _encoded(values, syntax)
    if not meta:
        return data_set
    header = _encoded(
        {
            "FileMetaInformationVersion": b"\x00\x01",
            "MediaStorageSOPClassUID": values["SOPClassUID"] or "",
            "MediaStorageSOPInstanceUID": values["SOPInstanceUID"] or "",
            "TransferSyntaxUID": syntax,
            "ImplementationVersionName": "BUILDER",
        },
        ExplicitVRLittleEndian,
    )
    length = _encoded({"FileMetaInformationGroupLength": len(header)}, ExplicitVRLittleEndian)
    return b"".join((b"\x00" * 128 + b"DICM" if preamble else b"", length, header, data_set))


def _encoded(values: Mapping[str, object], syntax: UID) -> bytes:
    """Return the bytes of all elements in the order of their tags."""
    keywords = sorted(
        (keyword for keyword, value in values.items() if value is not None),
        key=lambda keyword: tag_for_keyword(keyword) or 0,
    )
    return b"".join(_element(keyword, values[keyword], syntax) for keyword in keywords)


def _element(keyword: str, value: object, syntax: UID) -> bytes:
    key = (keyword, repr(value), syntax)
    element = _ELEMENTS.get(key)
    if element is None:
        dataset, buffer = Dataset(), DicomBytesIO()
        setattr(dataset, keyword, value)
        if keyword == "PixelData":
            dataset["PixelData"].VR = "OW"
        buffer.is_implicit_VR, buffer.is_little_endian = syntax.is_implicit_VR, syntax.is_little_endian
        write_dataset(buffer, dataset)
        element = buffer.getvalue()
        if keyword != "PixelData" and len(_ELEMENTS) < _MOST_ELEMENTS:
            _ELEMENTS[key] = element
    return element
