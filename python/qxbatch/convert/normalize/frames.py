"""The frames of a series, each with the elements that determine its position in an image."""

import math
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from qxbatch.convert.normalize.diffusion import private_value, read_gradient
from qxbatch.convert.normalize.errors import CannotNormalizeError, MosaicError
from qxbatch.convert.normalize.functional_groups import frame_header, is_enhanced
from qxbatch.convert.normalize.model import Frame, PixelEncoding, VolumeAttributes
from qxbatch.convert.normalize.objects import ImageObject, image_objects
from qxbatch.convert.normalize.pixels import frame_length
from qxbatch.convert.normalize.times import with_comparable_times

_MOSAIC_WORDS = {"MOSAIC", "VFRAME"}
"""Values of ImageType in mosaics of Siemens and UIH."""
_PHILIPS_MR, _PHILIPS_IMAGING = "Philips MR Imaging DD 001", "Philips Imaging DD 001"
"""Private creators of Philips."""
_GE_ACQUISITION = "GEMS_ACQU_01"
"""A private creator of GE."""
_POINT, _PLANE = 3, 6
"""Numbers in ImagePositionPatient, and in ImageOrientationPatient."""
_UNIT_TOLERANCE = 0.01
"""Accepted deviation of a direction's length from 1, and of the directions' scalar product from 0."""


def read_frames(folder: Path) -> list[Frame]:
    """Return the frames of all objects below a folder, in byte order of their paths, with times that can be compared.

    Raises MosaicError for a mosaic of many slices, CannotNormalizeError when no file has pixel data or an object cannot be
    rewritten, and OSError. Damaged values may raise any of pydicom's exceptions.
    """
    frames = [frame for image in image_objects(folder) for frame in object_frames(image, folder)]
    if not frames:
        raise CannotNormalizeError("no object contains pixel data")
    return with_comparable_times(frames)


def object_frames(image: ImageObject, folder: Path) -> list[Frame]:
    """Return the frames of one object. Raises as `read_frames` does."""
    name = image.path.relative_to(folder).as_posix()
    if not is_enhanced(image.header):
        if image.frame_count > 1:
            raise CannotNormalizeError(f"{name} has {image.frame_count} frames without functional groups")
        return [_checked_frame(image, _frame(image.header, name, 0))]
    groups = len(image.header.get("PerFrameFunctionalGroupsSequence") or [None])  # shared groups suffice for one frame
    if groups != image.frame_count:
        raise CannotNormalizeError(f"{name} has {image.frame_count} frames and functional groups for {groups}")
    first = _checked_frame(image, _frame(frame_header(image.header, 0), name, 0, enhanced=True))
    others = range(1, image.frame_count)
    return [first, *(_frame(frame_header(image.header, index), name, index, enhanced=True) for index in others)]


def _checked_frame(image: ImageObject, frame: Frame) -> Frame:
    """Return `frame`, the first one of an object. Raises CannotNormalizeError if pixel data of the object are missing."""
    need = image.frame_count * frame_length(frame)
    if image.length is not None and image.length < need:
        raise CannotNormalizeError(f"{frame.source[0]} contains {image.length} of {need} bytes of pixel data")
    return frame


def _frame(header: Dataset, name: str, index: int, *, enhanced: bool = False) -> Frame:
    """Return the frame whose classic or flattened header this is. Raises MosaicError, and CannotNormalizeError with the reason."""
    kind = image_kind(header)
    if is_mosaic(kind):
        raise MosaicError(f"{name} is a mosaic: the places of its tiles are in private elements")
    try:
        return Frame(
            source=(name, index),
            sop_instance=str(header.get("SOPInstanceUID", "")),
            position=_numbers(header, "ImagePositionPatient", _POINT),
            orientation=_orientation(header),
            spacing=_numbers(header, "PixelSpacing", 2),
            rows=int(header.Rows),
            columns=int(header.Columns),
            samples_per_pixel=int(header.get("SamplesPerPixel") or 1),
            photometric_interpretation=str(header.get("PhotometricInterpretation", "")),
            stack_id=str(header.get("StackID") or ""),
            echo_time=echo_time(header),
            kind=kind,
            encoding=_encoding(header),
            slope=1.0 if header.get("RescaleSlope") is None else float(header.RescaleSlope),
            intercept=float(header.get("RescaleIntercept") or 0),
            is_philips=is_philips(header),
            repetition_time=_number(header, "RepetitionTime"),
            flip_angle=_number(header, "FlipAngle"),
            inversion_time=_inversion_time(header),
            echo_number=_integer(header, "EchoNumbers"),
            series_uid=str(header.get("SeriesInstanceUID", "")),
            volume_attributes=read_volume_attributes(header, index, enhanced=enhanced),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise CannotNormalizeError(f"{name}, frame {index + 1}: {error}") from error


def _numbers(header: Dataset, keyword: str, count: int) -> Any:
    """Return the `count` numbers of an element as a tuple. Raises ValueError unless these exist and are finite."""
    values = header.get(keyword)
    if values is None or len(values) != count:
        raise ValueError(f"{keyword} does not contain {count} numbers")
    numbers = tuple(float(value) for value in values)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{keyword} is not finite")
    return numbers


def _orientation(header: Dataset) -> tuple[float, ...]:
    """Return the direction cosines of rows and columns; raise ValueError unless they are orthogonal unit vectors."""
    numbers: tuple[float, ...] = _numbers(header, "ImageOrientationPatient", _PLANE)
    row, column = numbers[:_POINT], numbers[_POINT:]
    product = sum(a * b for a, b in zip(row, column, strict=True))
    if (
        abs(math.hypot(*row) - 1) > _UNIT_TOLERANCE
        or abs(math.hypot(*column) - 1) > _UNIT_TOLERANCE
        or abs(product) > _UNIT_TOLERANCE
    ):
        raise ValueError(f"ImageOrientationPatient is not of two orthogonal unit vectors: {numbers}")
    return numbers


def echo_time(header: Dataset) -> float | None:
    """Return the echo time in ms, None if it is 0 or absent; an enhanced object has EffectiveEchoTime (PS3.3 C.8.13.5.4)."""
    value = header.get("EffectiveEchoTime")
    value = header.get("EchoTime") if value is None else value
    return float(value) or None if value not in (None, "") else None


def frame_type(header: Dataset) -> list[str]:
    """Return FrameType, else ImageType. Of Philips, return ImageType if it has more values, as in classic headers."""
    image_type, frame_types = _words(header, "ImageType"), _words(header, "FrameType")
    return image_type if not frame_types or (is_philips(header) and len(image_type) > len(frame_types)) else frame_types


def _words(header: Dataset, keyword: str) -> list[str]:
    """Return the values of an element in capitals; an element with one value is that text itself in pydicom."""
    value = header.get(keyword) or []
    return [str(word).upper() for word in ([value] if isinstance(value, str) else value)]


def is_philips(header: Dataset) -> bool:
    """Return whether a Philips scanner made the image."""
    return str(header.get("Manufacturer", "")).upper().startswith("PHILIPS")


def is_mosaic(kind: tuple[str, ...]) -> bool:
    """Return whether an image is a mosaic of many slices."""
    return bool(_MOSAIC_WORDS & set(kind))


def image_kind(header: Dataset) -> tuple[str, ...]:
    """Return the type of an image, and its ComplexImageComponent."""
    component = str(header.get("ComplexImageComponent") or "").upper()
    return (*frame_type(header), component) if component else tuple(frame_type(header))


def _encoding(header: Dataset) -> PixelEncoding:
    """Return how values are stored; BitsStored - 1 replaces a HighBit that is absent or impossible.

    Raises ValueError unless BitsStored is between 1 and BitsAllocated.
    """
    allocated = int(header.BitsAllocated)
    stored = int(header.get("BitsStored") or allocated)
    high = stored - 1 if header.get("HighBit") is None else int(header.HighBit)
    if not 0 < stored <= allocated:
        raise ValueError(f"{stored} of {allocated} bits are stored")
    usable = stored - 1 <= high < allocated
    return PixelEncoding(
        allocated, stored, high if usable else stored - 1, bool(header.get("PixelRepresentation") or 0)
    )


def read_volume_attributes(header: Dataset, index: int, *, enhanced: bool = False) -> VolumeAttributes:
    """Return the elements that can show to which volume a frame belongs."""
    instance_number = _integer(header, "InstanceNumber")
    trigger_time = _number(header, "NominalCardiacTriggerDelayTime")
    return VolumeAttributes(
        temporal_position_index=_integer(header, "TemporalPositionIndex"),
        frame_acquisition_number=_integer(header, "FrameAcquisitionNumber"),
        acquisition_number=_integer(header, "AcquisitionNumber"),
        temporal_position_identifier=_integer(header, "TemporalPositionIdentifier"),
        trigger_time=_number(header, "TriggerTime") if trigger_time is None else trigger_time,
        gradient=read_gradient(header, enhanced=enhanced),
        acquisition_time=_acquisition_time(header),
        reference_time=str(header.get("FrameReferenceDateTime") or ""),
        content_time=_date_and_time(header, "Content"),
        dimension_index_values=_dimensions(header),
        instance_number=None if instance_number is None else (instance_number, _concatenation_place(header), index),
        numbers_frames=enhanced,
        time_offset=_time_offset(header),
        frame_reference_time=_number(header, "FrameReferenceTime"),
        vendor_numbers=_vendor_numbers(header),
    )


def _acquisition_time(header: Dataset) -> str:
    """Return FrameAcquisitionDateTime, else date and time of acquisition, as far as they exist; empty without a time."""
    date_and_time = _date_and_time(header, "Acquisition")
    has_date = bool(header.get("AcquisitionDate"))
    candidates = (
        header.get("FrameAcquisitionDateTime"),
        date_and_time if has_date else "",
        header.get("AcquisitionDateTime"),
        date_and_time,
    )
    return str(next(filter(None, candidates), ""))


def _concatenation_place(header: Dataset) -> int:
    """Return the place of an object in its concatenation; 0 for one that is no part of a concatenation."""
    offset = _integer(header, "ConcatenationFrameOffsetNumber")
    return (_integer(header, "InConcatenationNumber") or 0) if offset is None else offset


def _time_offset(header: Dataset) -> float | None:
    offset = _number(header, "TemporalPositionTimeOffset")
    value = private_value(header, 0x2005, 0xA0, _PHILIPS_MR) if offset is None else offset
    return float(value) if isinstance(value, int | float) else None


def _vendor_numbers(header: Dataset) -> tuple[int | None, int | None]:
    volume = private_value(header, 0x2005, 0x63, _PHILIPS_MR)
    run = private_value(header, 0x0019, 0xA2, _GE_ACQUISITION) if volume is None else volume
    phase = private_value(header, 0x2001, 0x08, _PHILIPS_IMAGING)
    first, second = (int(value) if isinstance(value, int) else None for value in (run, phase))
    return first, second


def _integer(header: Dataset, keyword: str) -> int | None:
    value = header.get(keyword)
    return None if value in (None, "") or isinstance(value, MultiValue) else int(value)


def _number(header: Dataset, keyword: str) -> float | None:
    value = header.get(keyword)
    return None if value in (None, "") else float(value)


def _date_and_time(header: Dataset, word: str) -> str:
    time = header.get(f"{word}Time")
    return f"{header.get(f'{word}Date') or ''}{time}" if time else ""


def _dimensions(header: Dataset) -> tuple[int, ...]:
    values = header.get("DimensionIndexValues")
    if values is None:
        return ()
    return (int(values),) if isinstance(values, int) else tuple(int(value) for value in values)


def _inversion_time(header: Dataset) -> float | None:
    """Return the inversion time in ms; the first one if an enhanced object has several (PS3.3 C.8.13.5.5)."""
    times = header.get("InversionTimes")
    if times in (None, ""):
        return _number(header, "InversionTime")
    return float(times) if isinstance(times, float) else float(times[0])
