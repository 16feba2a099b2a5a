"""The header of one copy: a classic MR image with the position of its slice in the stack."""

import re
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, MRImageStorage
from pydicom.valuerep import format_number_as_ds

from qxbatch.convert.normalize.frames import echo_time, frame_type
from qxbatch.convert.normalize.functional_groups import frame_header, is_enhanced
from qxbatch.convert.normalize.grid import EVEN_TOLERANCE
from qxbatch.convert.normalize.model import PixelEncoding
from qxbatch.convert.normalize.stacks import StackPlan

_COMMON = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "SeriesNumber",
    "SeriesDescription",
    "FrameOfReferenceUID",
    "ProtocolName",
    "RepetitionTime",
    "FlipAngle",
    "EchoNumbers",
)
"""Elements that all copies of a stack get from the copy that is written first: dcm2niix splits a series by most of them."""
_TRIGGERS = ("TriggerTime", "NominalCardiacTriggerDelayTime")
"""dcm2niix splits a Philips series by these."""
_MULTI_FRAME = frozenset(
    Tag(keyword)
    for keyword in (
        "NumberOfFrames",
        "DimensionOrganizationSequence",
        "DimensionIndexSequence",
        "DimensionOrganizationType",
        "DimensionIndexValues",
        "StackID",
        "InStackPositionNumber",
        "TemporalPositionIndex",
        "FrameAcquisitionNumber",
        "FrameType",
        "EffectiveEchoTime",
        "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths",
        "PixelData",
    )
)
"""Elements of an enhanced object that its copies do not have; `add_pixels` adds the pixel data of the frame."""
_VALUES_OF_PIXELS = ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue")
"""Elements with a stored value, which is another one after recoding."""
_DATE_AND_TIME = re.compile(r"(\d{8})(\d[\d.]*)")
"""Matches the date and the time of a DT value; its offset from UTC, if it has one, is not matched (PS3.5 6.2, DT)."""
_BYTE = 8


def copy_header(
    header: Dataset, index: int, plan: StackPlan, slice_index: int, volume: int, common: dict[str, Any], uid: str
) -> Dataset:
    """Return the header of a frame as a classic MR image (PS3.3 A.4), without pixel data.

    `index` is the index of the frame in its object, `slice_index` and `volume` are its place in the stack, all counted from 0.
    The values of functional groups are written to their classic elements. The header of a classic object is changed in place.
    `uid` is the SeriesInstanceUID of the stack. `common` contains the elements of _COMMON by keyword: the call for the first
    copy of the stack fills it.
    """
    enhanced = is_enhanced(header)
    copy = header
    if enhanced:
        copy = frame_header(header, index)
        _flatten(copy)
    for tag in _MULTI_FRAME:
        if tag in copy:
            del copy[tag]
    _set_common(copy, common)
    copy.SOPClassUID = MRImageStorage
    copy.SeriesInstanceUID = uid
    _write_position(copy, plan, slice_index, volume, enhanced=enhanced)
    if enhanced or not copy.get("SOPInstanceUID"):
        copy.SOPInstanceUID = f"{uid}.{copy.InstanceNumber}"
    return copy


def _set_common(copy: Dataset, common: dict[str, Any]) -> None:
    """Set the elements of _COMMON in a copy, or remove them, as in the first copy of the stack."""
    for keyword in _COMMON:
        element = common.setdefault(keyword, copy.get(Tag(keyword)))
        if element is not None:
            copy[keyword] = element
        elif keyword in copy:
            del copy[keyword]


def _flatten(copy: Dataset) -> None:
    """Copy the values of functional groups to their classic elements."""
    _set_number(copy, "EchoTime", echo_time(copy))
    if values := frame_type(copy):
        copy.ImageType = values
    acquisition_time = _DATE_AND_TIME.match(str(copy.get("FrameAcquisitionDateTime") or ""))
    if acquisition_time:
        copy.AcquisitionDate, copy.AcquisitionTime = acquisition_time.groups()
    trigger_time = copy.get("NominalCardiacTriggerDelayTime")
    if trigger_time:
        _set_number(copy, "TriggerTime", float(trigger_time))
    if "DiffusionGradientDirectionSequence" in copy:
        del copy["DiffusionGradientDirectionSequence"]


def _write_position(copy: Dataset, plan: StackPlan, slice_index: int, volume: int, *, enhanced: bool) -> None:
    """Write position, order, spacing and echo; remove the trigger times of a Philips stack in which they vary."""
    first = plan.first_frame
    copy.ImagePositionPatient = [_ds(value) for value in plan.grid.positions[slice_index]]
    copy.ImageOrientationPatient = [_ds(value) for value in plan.grid.orientation]
    copy.PixelSpacing = [_ds(value) for value in first.spacing]
    copy.InstanceNumber = volume * len(plan.grid.positions) + slice_index + 1
    if first.volume_attributes.acquisition_number is not None or len(plan.volumes) > 1:
        copy.AcquisitionNumber = (first.volume_attributes.acquisition_number or 1) + volume
    if len(plan.volumes) > 1:
        copy.TemporalPositionIdentifier = volume + 1
        copy.NumberOfTemporalPositions = len(plan.volumes)
    _set_number(copy, "EchoTime", first.echo_time)
    if first.is_philips and plan.triggers_vary:
        for keyword in _TRIGGERS:
            if keyword in copy:
                del copy[keyword]
    stacks_differ_by_echo = plan.suffix.startswith("_e")
    if stacks_differ_by_echo or copy.get("EchoNumbers") in (None, ""):
        copy.EchoNumbers = max(plan.echo, 1)
    spacing = copy.get("SpacingBetweenSlices")
    spacing_agrees = spacing not in (None, "") and abs(abs(float(spacing)) - plan.grid.spacing) <= EVEN_TOLERANCE
    if plan.grid.spacing and not spacing_agrees and (enhanced or spacing is not None):
        _set_number(copy, "SpacingBetweenSlices", plan.grid.spacing)


def _set_number(copy: Dataset, keyword: str, value: float | None) -> None:
    if value is not None:
        setattr(copy, keyword, _ds(value))


def _ds(value: float) -> str:
    return format_number_as_ds(float(value))


def describe_pixels(copy: Dataset, encoding: PixelEncoding, *, rescaled: bool, recoded: bool) -> None:
    """Write the elements that describe stored values.

    `rescaled`: RescaleSlope and RescaleIntercept were applied, and are written as 1 and 0. `recoded`: the values may have
    another type than in the source, and elements that contain source values are removed.
    """
    copy.BitsAllocated = encoding.bits_allocated
    copy.BitsStored = encoding.bits_stored
    copy.HighBit = encoding.high_bit
    copy.PixelRepresentation = int(encoding.is_signed)
    if rescaled:
        copy.RescaleSlope, copy.RescaleIntercept = "1", "0"
    if recoded:
        for keyword in _VALUES_OF_PIXELS:
            if keyword in copy:
                del copy[keyword]


def add_pixels(copy: Dataset, data: bytes, syntax: UID, *, encapsulated: bool) -> None:
    """Add pixel data and the file meta information (PS3.10 7.1)."""
    padded = data if len(data) % 2 == 0 else data + b"\0"
    vr = "OB" if encapsulated or copy.BitsAllocated <= _BYTE else "OW"
    element: Any = DataElement(Tag("PixelData"), vr, padded)
    element.is_undefined_length = encapsulated
    copy[Tag("PixelData")] = element
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(str(copy.get("SOPInstanceUID", "")))
    meta.TransferSyntaxUID = syntax
    copy.file_meta = meta
    copy.preamble = b"\0" * 128
