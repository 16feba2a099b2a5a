"""Read the core's header fields with pydicom: the reference of the differential test."""

import gzip
import io
from pathlib import Path

import pydicom
from pydicom import config
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

FUNCTIONAL = {
    "RepetitionTime": (0x00189112, 0x00180080),
    "FlipAngle": (0x00189112, 0x00181314),
    "EchoTime": (0x00189114, 0x00189082),
    "InversionTime": (0x00189115, 0x00189079),
    "PixelBandwidth": (0x00189006, 0x00180095),
    "ReceiveCoilName": (0x00189042, 0x00181250),
    "InPlanePhaseEncodingDirection": (0x00189125, 0x00181312),
    "SliceThickness": (0x00289110, 0x00180050),
    "SpacingBetweenSlices": (0x00289110, 0x00180088),
    "PixelSpacing": (0x00289110, 0x00280030),
    "DiffusionBValue": (0x00189117, 0x00189087),
    "ComplexImageComponent": (0x00189226, 0x00089208),
    "ImagePositionPatient": (0x00209113, 0x00200032),
    "ImageOrientationPatient": (0x00209116, 0x00200037),
}
"""Field -> functional group macro and element (PS3.3 C.7.6.16), if the main data set has no value."""

SEQUENCES = {"OtherPatientIDsSequence": (0x00101002, 0x00100020)}
"""Field -> sequence and the element of its items, whose texts are the values of the field."""

PRIVATE = {
    "SiemensNumberOfImagesInMosaic": (0x0019, "SIEMENS MR HEADER", 0x0A),
    "SiemensBValue": (0x0019, "SIEMENS MR HEADER", 0x0C),
    "GELocationsInAcquisition": (0x0021, "GEMS_RELA_01", 0x4F),
    "GEImagesInSeries": (0x0025, "GEMS_SERS_01", 0x07),
    "PhilipsDiffusionBFactor": (0x2001, "Philips Imaging DD 001", 0x03),
    "PhilipsNumberOfEchoes": (0x2001, "Philips Imaging DD 001", 0x14),
    "PhilipsNumberOfSlices": (0x2001, "Philips Imaging DD 001", 0x18),
    "PhilipsNumberOfDynamicScans": (0x2001, "Philips Imaging DD 001", 0x81),
}
META = ("MediaStorageSOPClassUID", "TransferSyntaxUID")
IDENTIFIERS = ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID")


def dataset(path: Path) -> Dataset | None:
    """Read a file, gzipped or not, as leniently as pydicom can; return None if it is not DICOM.

    A file without the DICM prefix is DICOM if it has one of the identifiers.
    """
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError):
            return None
    config.settings.reading_validation_mode = config.IGNORE
    has_prefix = data[128:132] == b"DICM"
    try:
        read = pydicom.dcmread(io.BytesIO(data), force=True, stop_before_pixels=True)
        known = any(keyword in read for keyword in IDENTIFIERS)
    except Exception:  # noqa: BLE001  # with force=True, pydicom raises any exception
        return None
    return read if has_prefix or known else None


def value(read: Dataset, field: str) -> object:
    """Return a field's value in the core's types; None if it is missing or empty."""
    if field in META:
        return plain(read.file_meta, tag_for_keyword(field))
    if field in PRIVATE:
        group, private_creator, element = PRIVATE[field]
        try:
            block = read.private_block(group, private_creator)
        except KeyError:
            return None
        return plain(read, block.get_tag(element)) if element in block else None
    if field in SEQUENCES:
        return of_items(read, *SEQUENCES[field])
    result = plain(read, tag_for_keyword(field))
    if result is None and field in FUNCTIONAL:
        return functional(read, *FUNCTIONAL[field])
    return result


def of_items(read: Dataset, sequence: int, tag: int) -> object:
    """Return the texts of an element of all items."""
    if sequence not in read or read[sequence].VR != "SQ":
        return None
    texts = [single_value(item[tag].value) for item in read[sequence].value if tag in item]
    return (texts[0] if len(texts) == 1 else texts) if any(texts) else None


def functional(read: Dataset, macro: int, tag: int) -> object:
    """Return a value of the shared functional groups, or else of the first frame's groups."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        item = first_item(read, tag_for_keyword(groups))
        inner = first_item(item, macro) if item is not None else None
        result = plain(inner, tag) if inner is not None else None
        if result is not None:
            return result
    return None


def first_item(read: Dataset, tag: int | None) -> Dataset | None:
    """Return the first item of a sequence."""
    if tag is None or tag not in read or read[tag].VR != "SQ" or not read[tag].value:
        return None
    item: Dataset = read[tag].value[0]
    return item


def plain(read: Dataset, tag: int | None) -> object:
    """Return an element's value as built-in Python types."""
    if tag is None or tag not in read:
        return None
    raw = read[tag].value
    if isinstance(raw, list | MultiValue):
        values = [single_value(item) for item in raw]
        if len(values) == 1:
            return values[0]
        return values if any(item not in ("", None) for item in values) else None
    result = single_value(raw)
    return None if result == "" else result


def single_value(item: object) -> object:
    """Return one value: numbers as int or float, everything else as trimmed text."""
    if isinstance(item, int) or item is None:
        return None if item is None else int(item)
    if isinstance(item, float):
        return float(item)
    return str(item).strip(" \0\t\r\n")
