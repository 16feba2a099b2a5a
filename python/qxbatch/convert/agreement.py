"""Where images and headers must agree: counts, sizes, places, diffusion tables, the JSON's series number."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from qxbatch.convert.evidence import Evidence
from qxbatch.convert.nifti import Nifti
from qxbatch.model import Output

_MADE_UP = ("_Eq", "_Tilt", "_Crop", "_ROI")
"""dcm2niix's extra copies (equal spacing, gantry tilt, cropped, overlays): not images of the series."""
_MAPS = "_ADC"
_NORM = 0.05
"""Accepted distance of a gradient direction's length from 1."""
_VOXEL = 0.1
"""Accepted distance of a slice's corner from the grid, in voxels."""


def total_findings(images: Sequence[tuple[Output, Nifti]], evidence: Evidence) -> tuple[list[str], list[str]]:
    """Return what is missing and what is too much, over all images of a series, against the headers' frames."""
    if not evidence.countable or not evidence.voxels:
        return [], []
    real = [(output, image.voxels) for output, image in images if not output.suffix.startswith(_MADE_UP)]
    maps = sum(voxels for output, voxels in real if output.suffix.endswith(_MAPS))
    everything = sum(voxels for _, voxels in real)
    # dcm2niix writes a series that holds a map twice: without it, and whole under the map's suffix
    if evidence.voxels in {everything, everything - maps, maps}:
        return [], []
    voxels = maps or everything
    got = evidence.slices * voxels / evidence.voxels
    message = f"the headers announce {evidence.slices} slices, the images hold {got:g}."
    return ([message], []) if voxels < evidence.voxels else ([], [message])


def image_findings(output: Output, image: Nifti, evidence: Evidence) -> list[str]:
    """Return where one image and what lies beside it disagree with the headers or with each other."""
    name = output.nifti.name
    found = [
        *_size(image, evidence),
        *_place(image, evidence),
        *_diffusion(output, image),
        *_json(output, evidence),
    ]
    return [f"{name}: {text}" for text in found]


def _size(image: Nifti, evidence: Evidence) -> list[str]:
    """Return a finding when no slice size of the headers stands among the sides of the image, which may be permuted."""
    if not evidence.countable or not evidence.sizes:
        return []
    sides = Counter(image.shape[:3])
    if any(Counter(size) <= sides for size in evidence.sizes):
        return []
    expected = ", ".join(f"{columns} x {rows}" for rows, columns in sorted(evidence.sizes))
    return [f"the headers say {expected} pixels, the image is {' x '.join(map(str, image.shape))}."]


def _place(image: Nifti, evidence: Evidence) -> list[str]:
    """Return a finding when no slice of the headers begins at a corner of the image's grid.

    A converter may flip and permute axes, but a slice's first pixel stays in a corner of the grid.
    """
    if not evidence.corners or not evidence.countable or evidence.mosaic or evidence.enhanced:
        return []
    last = [size - 1 for size in (*image.shape, 1, 1)[:3]]
    for x, y, z in evidence.corners.values():
        voxel = image.voxel((-x, -y, z))  # DICOM's axes point to the left and back
        on_grid = all(abs(place - round(place)) < _VOXEL for place in voxel)
        ends = sum(min(abs(place), abs(place - end)) < _VOXEL for place, end in zip(voxel, last, strict=True))
        if on_grid and ends >= 2:  # noqa: PLR2004 (the two axes of the slice)
            return []
    return ["no slice lies where the headers say."]


def _diffusion(output: Output, image: Nifti) -> list[str]:
    paths = [output.sidecars.get("bval"), output.sidecars.get("bvec")]
    if paths == [None, None]:
        return []
    if None in paths:
        return ["it has b-values or gradient directions, but not both."]
    try:
        bvals, bvecs = (_table(path) for path in paths if path)
    except (ValueError, OSError) as error:
        return [f"its b-values or gradient directions cannot be read ({error})."]
    count, sizes = sum(map(len, bvals)), [len(row) for row in bvecs]
    if count != image.volumes or sizes != [image.volumes] * 3:
        shape = " + ".join(map(str, sizes))
        return [f"{count} b-values and {shape} components of directions for {image.volumes} volumes."]
    lengths = [math.hypot(*direction) for direction in zip(*bvecs, strict=True)]
    sound = all(abs(length) <= _NORM or abs(length - 1) <= _NORM for length in lengths)
    if sound and all(value >= 0 for row in bvals for value in row):
        return []
    return ["its b-values or gradient directions are not usable (a negative b, or a length that is not 1)."]


def _table(path: Path) -> list[list[float]]:
    lines = path.read_text(encoding="ascii").splitlines()
    return [[float(word) for word in line.split()] for line in lines if line.strip()]


def _json(output: Output, evidence: Evidence) -> list[str]:
    path = output.sidecars.get("json")
    if path is None:
        return []
    try:
        told = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (ValueError, OSError) as error:
        return [f"its JSON cannot be read ({error})."]
    number = told.get("SeriesNumber") if isinstance(told, dict) else None
    if number is None or number == evidence.series_number:
        return []
    if evidence.series_number is None or evidence.series_number <= 0:  # dcm2niix makes one up for a series without
        return []
    return [f"its JSON says series number {number}, the headers say {evidence.series_number}."]
