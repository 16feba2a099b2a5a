"""Writes the frames of a series as classic MR images, one folder per stack."""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import config, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from qxbatch.convert.normalize.classic import add_pixels, copy_header, describe_pixels
from qxbatch.convert.normalize.errors import CannotNormalizeError, MosaicError
from qxbatch.convert.normalize.frames import read_frames
from qxbatch.convert.normalize.model import CopiedStack, Frame, FrameSource, PixelEncoding
from qxbatch.convert.normalize.mosaics import mosaic_copies
from qxbatch.convert.normalize.objects import ImageObject, frame_bytes, image_objects
from qxbatch.convert.normalize.pixels import decode, decompressed_pixels, frame_length, mask_unused_bits
from qxbatch.convert.normalize.recoding import (
    Recoding,
    ValueRange,
    choose_recoding,
    depends_on_values,
    encoding_varies,
    rescale,
)
from qxbatch.convert.normalize.stacks import StackPlan, check_complete, plan_stacks
from qxbatch.convert.normalize.weightings import stack_weightings

_UID_BITS = 128


@dataclass(frozen=True)
class _FrameTarget:
    """A frame of the input, and where its copy belongs: the indices of its stack, volume and slice."""

    frame: Frame
    stack: int
    volume: int
    slice_index: int


@dataclass
class _StackOutput:
    """What the copies of one stack have in common."""

    plan: StackPlan
    folder: Path
    uid: str
    """SeriesInstanceUID of the copies."""
    recoding: Recoding | None
    """None if pixel values are copied unchanged."""
    common: dict[str, Any] = field(default_factory=dict)
    """Elements with the same value in all copies, by keyword (`copy_header` fills it)."""


def write_normalized_copies(folder: Path, out: Path) -> tuple[CopiedStack, ...]:
    """Write the images below a folder as classic MR images that dcm2niix stacks unambiguously.

    Classic objects and the frames of enhanced ones (PS3.3 C.7.6.16) become MR Image Storage objects (PS3.3 A.4) in
    `<out>/1`, `<out>/2` ..., one folder and one SeriesInstanceUID for each stack. Each frame is in exactly one stack.
    Equal input gives equal copies. Pixels of one frame at a time are in memory; of a deflated object, those of all frames.
    A series of mosaics is copied by `mosaic_copies`.

    Parameters
    ----------
    folder
        Files of one series. Those without pixel data or Rows are ignored, except MR images, which must have
        pixel data.
    out
        Existing folder for the copies.

    Returns
    -------
    The stacks, in the order of their folders.

    Raises
    ------
    CannotNormalizeError
        When the series cannot be rewritten correctly: for example, an image has no geometry (PS3.3 C.7.6.2), slices are not on
        an even grid (C.7.6.2.1.1), or frames at the same position cannot be distinguished.
    Exception
        Damaged values may raise any of pydicom's exceptions.
    """
    with config.disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about original values, which are copied unchanged
        try:
            frames = read_frames(folder)
        except MosaicError:
            return mosaic_copies(folder, out)
        plans = plan_stacks(frames)
        check_complete(frames, plans)
        targets = _targets(plans)
        value_ranges = _value_ranges(folder, plans, targets)
        stack_outputs = [
            _stack_output(plan, out / str(k), value_ranges.get(k - 1)) for k, plan in enumerate(plans, start=1)
        ]
        for image in image_objects(folder):
            _write_object(image, image.path.relative_to(folder).as_posix(), targets, stack_outputs)
        return tuple(_copied_stack(stack_output) for stack_output in stack_outputs)


def _targets(plans: Sequence[StackPlan]) -> dict[FrameSource, _FrameTarget]:
    """Return the frame and the target of its copy, by the source of the frame."""
    return {
        frame.source: _FrameTarget(frame, stack, volume, slice_index)
        for stack, plan in enumerate(plans)
        for volume, slices in enumerate(plan.volumes)
        for slice_index, frame in enumerate(slices)
    }


def _value_ranges(
    folder: Path, plans: Sequence[StackPlan], targets: Mapping[FrameSource, _FrameTarget]
) -> dict[int, ValueRange]:
    """Return the range of values of each stack whose common encoding depends on it, by index of the stack.

    The pixels of these stacks are read once for this.
    """
    value_ranges = {stack: ValueRange() for stack, plan in enumerate(plans) if depends_on_values(plan.frames)}
    if not value_ranges:
        return value_ranges
    for image in image_objects(folder):
        name = image.path.relative_to(folder).as_posix()
        if any(targets[name, index].stack in value_ranges for index in range(image.frame_count)):
            for index, data in enumerate(frame_bytes(image, frame_length(targets[name, 0].frame))):
                target = targets[name, index]
                if target.stack in value_ranges:
                    _add_values(value_ranges[target.stack], image, target, data, plans[target.stack])
    return value_ranges


def _add_values(
    value_range: ValueRange, image: ImageObject, target: _FrameTarget, data: bytes, plan: StackPlan
) -> None:
    """Include the values of a frame in the range of its stack.

    If they cannot be decoded, raise CannotNormalizeError, or exclude rescaling if the stack can do without recoding.
    """
    try:
        value_range.add(decode(image, target.frame, data), target.frame)
    except CannotNormalizeError:
        if encoding_varies(plan.frames):
            raise
        value_range.all_integers = False  # the frames can keep their own scaling


def _stack_output(plan: StackPlan, folder: Path, value_range: ValueRange | None) -> _StackOutput:
    """Create the folder of a stack, and choose the UID and the recoding of its copies."""
    folder.mkdir()
    return _StackOutput(plan, folder, _series_uid(plan), choose_recoding(plan.frames, value_range))


def _series_uid(plan: StackPlan) -> str:
    """Return a UID derived from the sources of a stack (PS3.5 B.2)."""
    words = repr([(frame.sop_instance, frame.source) for frame in plan.frames])
    digest = hashlib.sha256(words.encode()).digest()[: _UID_BITS // 8]
    return f"2.25.{int.from_bytes(digest)}"


def _write_object(
    image: ImageObject, name: str, targets: Mapping[FrameSource, _FrameTarget], stack_outputs: Sequence[_StackOutput]
) -> None:
    length = frame_length(targets[name, 0].frame)
    for index, data in enumerate(frame_bytes(image, length)):
        target = targets[name, index]
        _write_frame(image, data, target, stack_outputs[target.stack])


def _write_frame(image: ImageObject, data: bytes, target: _FrameTarget, output: _StackOutput) -> None:
    """Write the copy of one frame; `data` are its bytes in the pixel data of `image`."""
    frame = target.frame
    copy = copy_header(
        image.header, frame.source[1], output.plan, target.slice_index, target.volume, output.common, output.uid
    )
    recoding = output.recoding
    pixels, encoding, syntax = _pixels(image, frame, data, recoding)
    describe_pixels(copy, encoding, rescaled=bool(recoding and recoding.is_rescaled), recoded=recoding is not None)
    add_pixels(copy, pixels, syntax, encapsulated=image.is_encapsulated and syntax == image.syntax)
    number = target.volume * len(output.plan.grid.positions) + target.slice_index + 1
    dcmwrite(
        output.folder / f"{number:07}.dcm",
        copy,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=image.is_little_endian or recoding is not None,
        enforce_file_format=True,
    )


def _pixels(
    image: ImageObject, frame: Frame, data: bytes, recoding: Recoding | None
) -> tuple[bytes, PixelEncoding, UID]:
    """Return the pixel data of a copy, its encoding, and its transfer syntax."""
    needs_plain_syntax = (
        image.is_encapsulated or image.syntax == DeflatedExplicitVRLittleEndian or not image.is_little_endian
    )
    if recoding is not None:
        values = decode(image, frame, data)
        if recoding.is_rescaled:
            values = np.rint(rescale(values, frame)).astype(recoding.dtype)
        syntax = ExplicitVRLittleEndian if needs_plain_syntax else image.syntax
        return values.astype(recoding.dtype).tobytes(), recoding.encoding, syntax
    source = frame.encoding
    encoding = PixelEncoding(source.bits_allocated, source.bits_stored, source.bits_stored - 1, source.is_signed)
    if image.is_encapsulated:
        native = decompressed_pixels(image, frame, data)
        if native is not None:
            return native, encoding, ExplicitVRLittleEndian
        return encapsulate([data]), frame.encoding, image.syntax
    syntax = ExplicitVRLittleEndian if image.syntax == DeflatedExplicitVRLittleEndian else image.syntax
    return mask_unused_bits(image, frame, data), encoding, syntax


def _copied_stack(output: _StackOutput) -> CopiedStack:
    plan, grid = output.plan, output.plan.grid
    shape = (plan.first_frame.columns, plan.first_frame.rows, len(grid.positions), len(plan.volumes))
    return CopiedStack(
        output.folder,
        output.uid,
        shape,
        plan.suffix,
        plan.is_incomplete,
        tuple(frame.source for frame in plan.frames),
        grid.tilt,
        grid.shift,
        stack_weightings(plan.volumes, grid.orientation),
    )


__all__ = ["CannotNormalizeError", "CopiedStack", "write_normalized_copies"]
