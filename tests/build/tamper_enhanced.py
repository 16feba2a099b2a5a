"""Enhanced multi-frame objects changed after the scan, frame by frame."""

import math
from collections.abc import Sequence
from copy import deepcopy

import numpy as np
from pydicom.dataset import Dataset

from tests.build.tamper import Change, Files, numbers, signed, sixteen_bits, without_private

MACROS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
)


def functional_groups(file: Dataset) -> list[Dataset]:
    """Return the per-frame functional groups, after moving the shared macros of position and values into each of them."""
    shared = file.SharedFunctionalGroupsSequence[0]
    frames = list(file.PerFrameFunctionalGroupsSequence)
    for keyword in MACROS:
        if keyword in shared:
            for frame in frames:
                frame.add(deepcopy(shared[keyword]))
            del shared[keyword]
    return frames


def middle(files: Files) -> Dataset:
    """Return the functional groups of the middle frame of the middle object."""
    frames = functional_groups(files[len(files) // 2])
    return frames[len(frames) // 2]


def shifted(millimetres: float, *, along: bool) -> Change:
    """Move the middle frame along its normal, or along its rows."""

    def change(files: Files) -> Files:
        frame = middle(files)
        orientation = np.asarray(frame.PlaneOrientationSequence[0].ImageOrientationPatient, float)
        direction = np.cross(orientation[:3], orientation[3:]) if along else orientation[:3]
        plane = frame.PlanePositionSequence[0]
        plane.ImagePositionPatient = numbers(np.asarray(plane.ImagePositionPatient, float) + millimetres * direction)
        return files

    return change


def turned(files: Files) -> Files:
    """Turn the middle frame about its rows by 0.003 rad."""
    plane = middle(files).PlaneOrientationSequence[0]
    row, column = np.reshape(np.asarray(plane.ImageOrientationPatient, float), (2, 3))
    column = column * math.cos(0.003) + np.cross(row, column) * math.sin(0.003)
    plane.ImageOrientationPatient = numbers([*row, *column])
    return files


def keep_frames(file: Dataset, indices: Sequence[int]) -> None:
    """Keep these frames of an object, in this order."""
    pixels = file.pixel_array.reshape(int(file.NumberOfFrames), -1)
    frames = list(file.PerFrameFunctionalGroupsSequence)
    file.PerFrameFunctionalGroupsSequence = [frames[k] for k in indices]
    file.PixelData = np.ascontiguousarray(pixels[list(indices)]).tobytes()
    file.NumberOfFrames = len(indices)


def without_middle_frame(files: Files) -> Files:
    """Remove the middle frame of the middle object."""
    file = files[len(files) // 2]
    count = int(file.NumberOfFrames)
    keep_frames(file, [k for k in range(count) if k != count // 2])
    return files


def without_last_frames(files: Files) -> Files:
    """Remove the last two frames of the last object."""
    keep_frames(files[-1], range(int(files[-1].NumberOfFrames) - 2))
    return files


def permuted(files: Files) -> Files:
    """Change the order of the frames of each object."""
    random = np.random.default_rng(3)
    for file in files:
        keep_frames(file, [int(k) for k in random.permutation(int(file.NumberOfFrames))])
    return files


def without_dimensions(files: Files) -> Files:
    """Remove DimensionIndexValues of all frames."""
    for file in files:
        for frame in file.PerFrameFunctionalGroupsSequence:
            content = frame.FrameContentSequence[0]
            if "DimensionIndexValues" in content:
                del content.DimensionIndexValues
    return files


def slope_of_one(files: Files) -> Files | None:
    """Change RescaleSlope of the middle frame."""
    frame = middle(files)
    if "PixelValueTransformationSequence" not in frame:
        return None
    values = frame.PixelValueTransformationSequence[0]
    values.RescaleSlope = f"{1.5 * float(values.RescaleSlope):.9g}"
    return files


def spacing_of_one(files: Files) -> Files:
    """Enlarge the pixels of the middle frame by 5 %."""
    measures = middle(files).PixelMeasuresSequence[0]
    measures.PixelSpacing = numbers(1.05 * float(value) for value in measures.PixelSpacing)
    return files


def b_value_of_weighted(files: Files) -> Files | None:
    """Change the standard b-value of all weighted frames; Philips' element keeps the scanned one."""
    macros = [
        frame.MRDiffusionSequence[0]
        for file in files
        for frame in file.PerFrameFunctionalGroupsSequence
        if "MRDiffusionSequence" in frame
    ]
    weighted = [macro for macro in macros if macro.get("DiffusionBValue", 0) > 0]
    for macro in weighted:
        macro.DiffusionBValue = 350.0
    return files if weighted else None


ENHANCED: dict[str, Change] = {
    "normal-0.3mm": shifted(0.3, along=True),
    "normal-5mm": shifted(5, along=True),
    "in-plane-0.3mm": shifted(0.3, along=False),
    "in-plane-5mm": shifted(5, along=False),
    "turned-0.003": turned,
    "without-middle-frame": without_middle_frame,
    "without-last-frames": without_last_frames,
    "permuted": permuted,
    "without-dimensions": without_dimensions,
    "permuted-without-dimensions": lambda files: permuted(without_dimensions(files)),
    "slope-of-one": slope_of_one,
    "spacing-of-one": spacing_of_one,
    "b-value": b_value_of_weighted,
    "signed": signed,
    "16-bits": sixteen_bits,
    "without-private": without_private,
}
