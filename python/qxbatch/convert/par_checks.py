"""Facts of a PAR about its images, and whether a converter's images agree with it and with the REC."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qxbatch.convert.evidence import Evidence
from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.par_image import LinesOutsideGrid, ParImage, lines_outside_grid
from qxbatch.convert.par_pair import ParPair
from qxbatch.convert.par_stacks import stack_number
from qxbatch.convert.par_values import value_difference
from qxbatch.convert.run import Cancel
from qxbatch.convert.series_problems import note_problem, review_problem
from qxbatch.counted import counted
from qxbatch.model import Output, Series
from qxbatch.os_error import error_text
from qxbatch.problems import Problem

_GRID_TOLERANCE = 0.2
"""Accepted distance between corners of the grids of an image and of the PAR, in mm."""
_MAX_LISTED = 5
"""Image lines beyond this number are counted, not listed."""


def par_evidence(pair: ParPair) -> Evidence:
    """Return the facts of a PAR about its images, in the same form as for DICOM headers; no counts if it cannot be read.

    Raises CancelledError.
    """
    evidence = Evidence(is_countable=False)
    try:
        table = pair.table
    except ValueError:
        return evidence
    evidence.sizes = {(rows, columns) for columns, rows in table["recon resolution"].tolist()}
    evidence.slices, evidence.is_countable = len(table), True
    evidence.voxels = int(table["recon resolution"].prod(axis=1).sum())
    return evidence


def pair_problems(series: Series, pair: ParPair) -> list[Problem]:
    """Return the problems of a pair's images that do not depend on the converter.

    Warnings say why an image may be wrong, notes what its user should know. Empty if the PAR or the REC cannot be read. If only
    the images cannot be determined, the result has the doubts about the REC. Raises CancelledError.
    """
    try:
        problems = [review_problem(series, doubt) for doubt in pair.rec.doubts]
    except (ValueError, OSError):
        return []
    try:
        images = pair.images
        outside = [lines for image in images if (lines := lines_outside_grid(pair.table, image)) is not None]
    except Exception:  # noqa: BLE001  a damaged table raises any of nibabel's and numpy's exceptions; disagreement() reports it
        return problems
    problems += [_outside_grid_problem(series, pair, lines) for lines in outside]
    zero_slopes = int((pair.table["rescale slope"] == 0).sum())
    if zero_slopes:
        problems.append(review_problem(series, _slope_text(zero_slopes, len(pair.table))))
    for image in images:
        if image.incomplete_volumes_text:
            name = f" ({image.suffix.removeprefix('_')})" if image.suffix else ""
            problems.append(
                note_problem(series, f"its image{name} has only complete volumes: {image.incomplete_volumes_text}.")
            )
    problems += [
        note_problem(series, text) for image in images if (text := _flip_angle_text(pair.table[image.line_indices]))
    ]
    stack_numbers = {number for image in images if (number := stack_number(image.suffix))}
    if stack_numbers:
        problems.append(note_problem(series, f"its slices are in {len(stack_numbers)} stacks at different places."))
    return problems


def _slope_text(zero_slopes: int, slices: int) -> str:
    doubt = "The values of the image may be those of slope 1."
    return f"the rescale slope of {zero_slopes} of {slices} slices is 0, so all their values would be equal. {doubt}"


def _flip_angle_text(lines: Any) -> str:
    """Return which flip angles the lines of an image have if they have several; else an empty text."""
    low, high = float(lines["image_flip_angle"].min()), float(lines["image_flip_angle"].max())
    return (
        f"its volumes have flip angles from {low:g} to {high:g} degrees; the JSON has none of them."
        if low < high
        else ""
    )


def _outside_grid_problem(series: Series, pair: ParPair, outside: LinesOutsideGrid) -> Problem:
    """Return the problem of slices outside of the grid of their image."""
    if outside.moved_volume_count:
        verb = "was" if outside.moved_volume_count == 1 else "were"
        return note_problem(
            series,
            f"{counted(outside.moved_volume_count, 'volume')} {verb} moved by up to {outside.distance:.1f} mm during the scan "
            "(prospective motion correction); the image has the place of the others.",
        )
    count, listed = len(outside.line_numbers), ", ".join(map(str, outside.line_numbers[:_MAX_LISTED]))
    more = f" and {count - _MAX_LISTED} more" if count > _MAX_LISTED else ""
    lines = f"image line {listed}" if count == 1 else f"image lines {listed}{more}"
    return review_problem(
        series,
        f"the off-centre or angulation of {count} of {len(pair.table)} slices does not fit the grid of their image "
        f"({lines}): that of line {outside.worst_line_number} is {outside.distance:.1f} mm away. The image shows them in its grid.",
    )


def disagreement_problems(
    series: Series, pair: ParPair, tool: str, outputs: Sequence[Output], cancel: Cancel
) -> list[Problem]:
    """Return where the images of `tool` disagree with the pair, as at most one warning."""
    difference = disagreement(pair, outputs, cancel, tool) if outputs else ""
    return [review_problem(series, f"{difference}.")] if difference else []


def disagreement(pair: ParPair, outputs: Sequence[Output], cancel: Cancel, tool: str = "dcm2niix") -> str:
    """Return how a converter's images differ from a pair; empty if they agree.

    The number of volumes, the shape and place of each image, some values of each slice, and b-values with their directions are
    compared. Raises CancelledError, ValueError when the header of an image cannot be read, and OSError.
    """
    try:
        expected = pair.images
    except Exception as error:  # noqa: BLE001  a damaged table raises any of nibabel's and numpy's exceptions
        return f"the images of the PAR cannot be determined ({error_text(error)})"
    images = [read_nifti(output.nifti) for output in outputs]
    volumes = sum(image.shape[3] if len(image.shape) > 3 else 1 for image in expected)  # noqa: PLR2004 (x, y, z, t)
    image_volumes = sum(image.volumes for image in images)
    map_volumes = sum(
        image.volumes for output, image in zip(outputs, images, strict=True) if output.suffix.endswith("_ADC")
    )
    # dcm2niix can write volumes of the PAR a second time into an `_ADC` image, or all of them into it
    if volumes not in {image_volumes, image_volumes - map_volumes, map_volumes}:
        return f"{tool} wrote {image_volumes} volumes, the PAR has {volumes}"
    difference = _grid_difference(expected, outputs, images, tool)
    if difference:
        return difference
    try:
        return value_difference(pair.table, pair.rec, expected, outputs, cancel)
    except ValueError as error:
        return error_text(error)


def _grid_difference(
    expected: Sequence[ParImage], outputs: Sequence[Output], images: Sequence[Nifti], tool: str
) -> str:
    """Return how the grids of images differ from those of the stacks of a PAR; empty if they agree."""
    has_no_image = [True] * len(expected)
    for output, image in zip(outputs, images, strict=True):
        distances = [_distance(stack.affine, stack.shape[:3], image.affine, image.shape[:3]) for stack in expected]
        nearest = min(distances)
        if nearest == float("inf"):
            return f"the shape of {Path(output.nifti).name} by {tool} is not that of the PAR"
        if nearest > _GRID_TOLERANCE:
            return f"{tool} places {Path(output.nifti).name} {nearest:.1f} mm off"
        has_no_image = [
            before and distance > _GRID_TOLERANCE for before, distance in zip(has_no_image, distances, strict=True)
        ]
    missing = [stack.suffix for stack, is_missing in zip(expected, has_no_image, strict=True) if is_missing]
    return (
        f"no image by {tool} has the place of the PAR's {missing[0].removeprefix('_') or 'slices'}" if missing else ""
    )


def _distance(affine: Any, shape: Sequence[int], other: Any, other_shape: Sequence[int]) -> float:
    """Return the largest distance (mm) of a corner of either grid from the nearest corner of the other one.

    Order and direction of the axes do not matter. Infinite if the shapes differ.
    """
    import numpy as np

    if sorted(shape) != sorted(other_shape):
        return float("inf")
    corners, other_corners = (
        _corners(np.asarray(grid), size) for grid, size in ((affine, shape), (other, other_shape))
    )
    distances = np.linalg.norm(corners[:, None, :] - other_corners[None, :, :], axis=2)
    return float(max(distances.min(axis=0).max(), distances.min(axis=1).max()))


def _corners(affine: Any, shape: Sequence[int]) -> Any:
    import itertools

    import numpy as np

    ends = np.array(list(itertools.product(*((0, size - 1) for size in shape))))
    return ends @ affine[:3, :3].T + affine[:3, 3]
