"""Compares the images of a series with its headers, slice by slice, and describes the differences."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.evidence import Evidence
from qxbatch.convert.extra_images import has_map, is_copy_or_overlay
from qxbatch.convert.gradient_tables import are_directions_comparable, b_value_findings, direction_findings
from qxbatch.convert.mixed_kinds import mixed_kinds_notes
from qxbatch.convert.nifti import Nifti
from qxbatch.convert.order import image_order
from qxbatch.convert.sidecar_values import contrast_findings, inversion_findings, several_times_notes
from qxbatch.convert.sop import has_slices_of_body
from qxbatch.convert.time_step import time_step_findings
from qxbatch.core import Comparison, ImageCheck, SeriesFrames
from qxbatch.counted import counted
from qxbatch.model import Output

_UNUSUAL_ENCODING = "an unusual pixel encoding"
"""Why values are not compared, as the core says it. dcm2niix takes such frames in the order that it finds in the headers."""
_SUPPORTED_BITS = (1, 8, 16, 32)
"""Bits of a pixel cell that dcm2niix reads as DICOM stores them. It unpacks 12 bits in another order."""
_BYTE = 8
"""Bits of a pixel cell that dcm2niix reads as unsigned, also if it is signed."""
_MAX_LISTED = 5
"""Images beyond this number are counted, not listed."""
_LOOKUP_TABLE = "a lookup table of values"
"""Why values are not compared, as the core says it: their header has a ModalityLUTSequence."""
_MIN_MOVEMENT = 0.1
"""Movements of volumes up to this (mm) are not reported."""
_MIN_DISTANCE = 0.1
"""Smallest plausible distance between slices, relative to the shorter side of a pixel."""


class Findings(NamedTuple):
    """The result of comparing one series."""

    order: tuple[int, ...]
    """Indices of the images, in the order in which the images are numbered."""
    faults: tuple[str, ...] = ()
    """How images differ from headers and pixels: another conversion may be better."""
    count_faults: tuple[str, ...] = ()
    """How the numbers of slices differ. These texts are also in `faults`, unless slices are misplaced."""
    doubts: tuple[str, ...] = ()
    """What the headers cannot prove, and differences that another conversion does not change."""
    notes: tuple[str, ...] = ()
    """Remarks that are not faults."""
    are_slices_proven: bool = False
    """Whether position and number of all slices were compared, and no fault was found. Also True if the values of slices could not
    be compared."""
    are_directions_proven: bool = False
    """Whether all gradient directions in the tables of the images were compared with the headers, and no fault was found."""


class _NamedImage(NamedTuple):
    """A compared image with its name in messages."""

    name: str
    output: Output
    nifti: Nifti
    check: ImageCheck


def compare_images(images: Sequence[tuple[Output, Nifti]], evidence: Evidence) -> Findings:
    """Compare the images of a series with its headers, and determine their order.

    If `evidence` has no frames with pixels or too many frames, or if all images are copies or overlays, nothing is compared: the
    result has the order, and no findings. Raises OSError when a file cannot be read.
    """
    frames = evidence.frames
    originals = [index for index, (output, _) in enumerate(images) if not is_copy_or_overlay(output.suffix)]
    if frames is None or not originals or not frames.objects_with_pixels or frames.has_too_many_frames:
        return Findings(tuple(image_order(images, [None] * len(images))))
    outputs = [images[index][0] for index in originals]
    compared = frames.compare([str(output.nifti) for output in outputs], [has_map(output.suffix) for output in outputs])
    checks = dict(zip(originals, compared.checks, strict=True))
    order = image_order(
        images,
        [checks[index].lowest_instance_number_and_file[0] if index in checks else None for index in range(len(images))],
    )
    named = {
        index: _NamedImage(f"image {k}" if len(images) > 1 else "its image", *images[index], checks[index])
        for k, index in enumerate(order, 1)
        if index in checks
    }
    return _findings(compared, frames, evidence, [named[index] for index in originals], order)


def _findings(
    compared: Comparison, frames: SeriesFrames, evidence: Evidence, images: Sequence[_NamedImage], order: Sequence[int]
) -> Findings:
    """Describe a comparison; `images` are in the order in which they were compared."""
    has_difference = any(image.check.first_difference is not None for image in images)
    needs_names = has_difference or compared.misplaced_frames or compared.repeated_frames
    names = [Path(path).name for path in frames.files] if needs_names else []
    count_faults = _count_faults(compared, images)
    faults = _position_faults(compared, names) or [
        *count_faults,
        *_value_faults(compared, images, names),
        *_split_scan_faults(images),
    ]
    faults += _order_faults(compared, frames, evidence)
    doubts = _doubts(compared, frames, names)
    for index, image in enumerate(images):
        faults += [f"{image.name}: {text}" for text in _image_faults(image.check, index, images)]
        image_faults = direction_findings(image.output, image.nifti, image.check)
        image_faults += contrast_findings(image.output, image.check)
        faults += [f"{image.name}: {text}" for text in image_faults]
        image_doubts = b_value_findings(image.output, image.nifti, image.check, evidence.description)
        if image.check.volume_order == "undetermined" and not compared.frames_without_geometry:
            image_doubts.append("no time or number in its headers gives the order of its volumes.")
        image_doubts += time_step_findings(image.nifti, image.check)
        image_doubts += inversion_findings(image.output, image.check)
        doubts += [f"{image.name}: {text}" for text in image_doubts]
    are_slices_proven = not (
        faults
        or compared.frames_without_geometry
        or compared.mosaics_without_slice_count
        or compared.mosaics_without_direction
    )
    notes = _notes(compared, frames)
    for image in images:
        texts = [
            *several_times_notes(image.check),
            *(() if has_map(image.output.suffix) else mixed_kinds_notes(image.check)),
        ]
        notes += [f"{image.name}: {text}" for text in texts]
    with_directions = [image for image in images if "bvec" in image.output.sidecars]
    are_directions_proven = not faults and all(
        are_directions_comparable(image.output, image.check) for image in with_directions
    )
    return Findings(
        tuple(order),
        tuple(faults),
        tuple(count_faults),
        tuple(doubts),
        tuple(notes),
        are_slices_proven,
        bool(with_directions) and are_directions_proven,
    )


def _position_faults(compared: Comparison, names: Sequence[str]) -> list[str]:
    """Return a fault if frames are at the position of no slice; `names` are the names of the files."""
    if not compared.misplaced_frames:
        return []
    count, total = len(compared.misplaced_frames), compared.frames
    largest = max(compared.misplaced_frames, key=lambda entry: entry[2])  # by distance
    file, frame, distance = largest
    name = _frame_name(names[file], frame, compared)
    if distance == float("inf"):
        return [f"{count} of {total} slices are in no image: none has the size and directions of {name}."]
    return [
        f"{count} of {total} slices are not where their headers say: "
        f"{name} is {distance:.1f} mm from the nearest slice of its image."
    ]


def _count_faults(compared: Comparison, images: Sequence[_NamedImage]) -> list[str]:
    """Return faults about frames in no image and, if the place of all frames is known, about slices that match no frame."""
    faults = (
        [f"{compared.frames_without_slice} of {compared.frames} slices are in no image."]
        if compared.frames_without_slice
        else []
    )
    if (
        compared.frames_without_geometry
        or compared.mosaics_without_slice_count
        or compared.mosaics_without_direction
        or not compared.frames
    ):
        return faults
    return faults + [
        f"{image.name}: {image.check.slices_without_frame} of {image.check.slices} slices match no slice of the headers."
        for image in images
        if image.check.slices_without_frame
    ]


def _value_faults(compared: Comparison, images: Sequence[_NamedImage], names: Sequence[str]) -> list[str]:
    """Return a fault for each image with other values than its frames; `names` are the names of the files."""
    faults = []
    for image in images:
        if image.check.first_difference is None:
            continue
        file, frame, slice_index, volume, expected, value = image.check.first_difference
        faults.append(
            f"{image.name}: {image.check.different_slices} of {image.check.slices} slices have other values than their DICOM: "
            f"slice {slice_index + 1} of volume {volume + 1} has {value:g} where {_frame_name(names[file], frame, compared)} "
            f"has {expected:g}."
        )
    return faults


def _order_faults(compared: Comparison, frames: SeriesFrames, evidence: Evidence) -> list[str]:
    """Return a fault if frames whose values cannot be compared may be in the wrong order in their image.

    Empty for a series with mosaics, and for rewritten copies, whose order is known.
    """
    if frames.has_mosaic or evidence.is_normalized:
        return []
    if compared.frames_of_irregular_order:
        return [
            f"the pixels of {compared.frames_of_irregular_order} of {compared.frames} frames cannot be compared, and their order "
            "in the series is irregular, so their order in the image was not compared."
        ]
    unusual = compared.frames_not_compared.get(_UNUSUAL_ENCODING, 0)
    if unusual and compared.frames > compared.files and has_slices_of_body(frames.classes):
        return [
            f"the pixels of {unusual} of {compared.frames} frames have {_UNUSUAL_ENCODING}, so the order of these frames was not "
            "compared."
        ]
    return []


def _split_scan_faults(images: Sequence[_NamedImage]) -> list[str]:
    """Return a fault if volumes of one scan are separate images."""
    separate = [image.name for image in images if image.check.same_scan_as is not None]
    if not separate:
        return []
    names = ", ".join(name.removeprefix("image ") for name in separate[:_MAX_LISTED])
    more = f" and {len(separate) - _MAX_LISTED} more" if len(separate) > _MAX_LISTED else ""
    return [f"images {names}{more} are volumes of one scan: same kind, times and place."]


def _image_faults(check: ImageCheck, index: int, images: Sequence[_NamedImage]) -> list[str]:
    """Return the faults of one image about its distances, volumes and components; `index` is that of the image in `images`."""
    faults = _distance_faults(images[index].nifti)
    if check.volume_order == "wrong":
        faults.append("its volumes are not in the order of the times and numbers of the headers.")
    if check.mixed_volume is not None:
        faults.append(f"its volume {check.mixed_volume + 1} has slices of several b-values or gradient directions.")
    if check.exchanged_slices is not None:
        volume, element = check.exchanged_slices
        faults.append(f"its volume {volume + 1} has slices of several volumes by {element}.")
    if len(check.components) > 1 and not has_map(images[index].output.suffix):
        faults.append(f"it shows several components of complex values: {', '.join(check.components)}.")
    # two images that name each other are reported once
    if (
        check.same_volume_as is not None
        and check.same_scan_as is None
        and (images[check.same_volume_as].check.same_volume_as != index or index < check.same_volume_as)
    ):
        faults.append(f"it is one volume together with {images[check.same_volume_as].name}.")
    return faults


def _distance_faults(image: Nifti) -> list[str]:
    """Return a fault if slices are almost at one position: they are volumes of one slice, with rounded or corrected positions."""
    row, column, distance = [math.hypot(*axis) for axis in zip(*image.affine, strict=True)][:3]
    slices = (*image.shape, 1, 1)[2]  # an image may have one axis
    if slices == 1 or distance >= _MIN_DISTANCE * min(row, column):
        return []
    return [f"its {slices} slices are only {distance:.1g} mm apart: they may be volumes of one slice."]


def _doubts(compared: Comparison, frames: SeriesFrames, names: Sequence[str]) -> list[str]:
    """Return the doubts (`Findings.doubts`) about the series as a whole."""
    doubts = []
    if compared.joined_files:
        doubts.append(
            f"{counted(compared.joined_files, 'file')} of {compared.files} {'has' if compared.joined_files == 1 else 'have'} "
            "another DICOM object behind the first one (joined files); only the first one is in its image."
        )
    lookup_tables = compared.frames_not_compared.get(_LOOKUP_TABLE, 0)
    if lookup_tables:
        doubts.append(
            f"{lookup_tables} of {compared.frames} slices have a lookup table of values (ModalityLUTSequence), which converters "
            "ignore: the image has the stored values."
        )
    if compared.mosaics_without_slice_count:
        doubts.append(
            f"{compared.mosaics_without_slice_count} of {frames.objects_with_pixels} mosaics do not say how many slices they show "
            "(a private element is missing), so the converter guessed it."
        )
    if compared.suspected_mosaics:
        doubts.append(
            f"{compared.suspected_mosaics} of {frames.objects_with_pixels} images have at least three times as many rows as were "
            "acquired (AcquisitionMatrix): they may be mosaics without mosaic attributes in the header."
        )
    if compared.mosaics_without_direction:
        doubts.append(
            f"{compared.mosaics_without_direction} of {frames.objects_with_pixels} mosaics do not say in which direction their "
            "slices follow each other, so their place was not compared."
        )
    if compared.frames_not_compared and len(compared.encodings) > 1:
        doubts.append(
            "the pixel encoding differs within the series (signed or unsigned, bits stored), and the values of "
            f"{sum(compared.frames_not_compared.values())} slices were not compared."
        )
    elif compared.frames_not_compared and compared.scaling_count > 1:
        doubts.append(
            f"the series has {compared.scaling_count} rescale slopes, and the values of "
            f"{sum(compared.frames_not_compared.values())} slices were not compared."
        )
    doubts += _misread_pixels(compared)
    doubts += _repeated_frames(compared, names)
    if compared.zero_slopes:
        doubts.append(
            f"RescaleSlope is 0 in {compared.zero_slopes} of {compared.frames} frames, so all their values would be equal. The "
            "values of the image may be those of slope 1, without RescaleIntercept."
        )
    if (
        compared.frames_without_geometry
        and not compared.mosaics_without_direction
        and has_slices_of_body(frames.classes)
    ):
        doubts.append(
            f"{compared.frames_without_geometry} of {compared.frames} slices have no position, orientation or pixel spacing in "
            "their headers, so their place was not compared."
        )
    return doubts


def _repeated_frames(compared: Comparison, names: Sequence[str]) -> list[str]:
    """Return a doubt if frames repeat others, and no header says to which volume they belong."""
    if not compared.repeated_frames:
        return []
    slices = f"{counted(len(compared.repeated_frames), 'slice')} of {compared.frames}"
    verb = "repeats" if len(compared.repeated_frames) == 1 else "repeat"
    file, frame, other_file, other = compared.repeated_frames[0]
    other_name = "" if other_file == file else f" of {names[other_file]}"
    which = f"frame {frame + 1} of {names[file]} those of frame {other + 1}{other_name}"
    return [
        f"{slices} {verb} values, place, times and numbers of another one ({which}): volumes may have slices of other volumes."
    ]


def _misread_pixels(compared: Comparison) -> list[str]:
    """Return a doubt if values were not compared, and pixels have an encoding that dcm2niix misreads."""
    misread = {
        (is_signed, allocated)
        for is_signed, _, allocated, _ in compared.encodings
        if allocated not in _SUPPORTED_BITS or (is_signed and allocated == _BYTE)
    }
    if not compared.frames_not_compared or not misread:
        return []
    texts = " and ".join(
        f"{'signed' if is_signed else 'unsigned'} cells of {allocated} bits" for is_signed, allocated in sorted(misread)
    )
    return [
        f"its pixels are {texts}, which converters misread without a message, and the values of "
        f"{sum(compared.frames_not_compared.values())} of {compared.frames} slices were not compared."
    ]


def _notes(compared: Comparison, frames: SeriesFrames) -> list[str]:
    """Return the notes (`Findings.notes`) about the series as a whole."""
    notes = []
    if compared.moved_volume_count and compared.largest_movement > _MIN_MOVEMENT:
        verb = "was" if compared.moved_volume_count == 1 else "were"
        notes.append(
            f"{counted(compared.moved_volume_count, 'volume')} {verb} moved by up to {compared.largest_movement:.1f} mm during "
            "the scan (prospective motion correction); the image has the place of its first volume."
        )
    if compared.largest_tilt:
        notes.append(
            f"the orientation of its slices differs by up to {compared.largest_tilt:.4f} rad from their image."
        )
    for reason, count in compared.frames_not_compared.items():
        notes.append(f"the values of {count} of {compared.frames} slices were not compared with the DICOM: {reason}.")
    if compared.frames_without_geometry and not has_slices_of_body(frames.classes):
        notes.append(
            f"the place of {compared.frames_without_geometry} of {compared.frames} slices was not compared: they have none."
        )
    return notes


def _frame_name(name: str, frame: int, compared: Comparison) -> str:
    """Return the name of a frame: its file, and its number if files have several frames."""
    return f"frame {frame + 1} of {name}" if compared.frames > compared.files else name
