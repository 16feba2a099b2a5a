"""Facts of a PAR about its images, and whether a converter's images agree with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qxbatch.convert.converter import Converter
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.nifti import read_nifti
from qxbatch.convert.par_files import par_and_rec
from qxbatch.convert.par_stacks import stack_header, stacks
from qxbatch.convert.par_table import general_info, image_defs
from qxbatch.convert.remarks import review
from qxbatch.model import Output, Series
from qxbatch.os_error import error_text
from qxbatch.parrec.header import ParHeader, read_par
from qxbatch.problems import Problem

_CLOSE = 0.2
"""Accepted distance between corners of the two converters' grids, in mm."""


def par_evidence(series: Series) -> Evidence:
    """Return the facts of a PAR about its images, in the same form as for DICOM headers; no counts if it cannot be read."""
    evidence = Evidence(files=series.files, countable=False)
    try:
        header = read_par(par_and_rec(series.folder)[0])
        table = image_defs(header)
    except (ValueError, OSError):
        return evidence
    evidence.sizes = {(rows, columns) for columns, rows in table["recon resolution"].tolist()}
    evidence.slices, evidence.countable = len(table), True
    evidence.voxels = int(table["recon resolution"].prod(axis=1).sum())
    return evidence


def par_findings(series: Series, converter: Converter, outputs: Sequence[Output]) -> list[Problem]:
    """Return where the images of a selected converter disagree with the PAR, as nibabel reads it."""
    if not outputs:
        return []
    try:
        header = read_par(par_and_rec(series.folder)[0])
    except (ValueError, OSError):
        return []
    difference = disagreement(header, outputs, converter.name)
    return [review(series, f"{difference}.")] if difference else []


def disagreement(header: ParHeader, outputs: Sequence[Output], tool: str = "dcm2niix") -> str:
    """Return how a converter's images differ from nibabel's for the PAR; empty if they agree.

    Compared are the number of volumes, and the shape and position of each image with those of nibabel's first one.
    """
    try:
        info, table = general_info(header), image_defs(header)
        expected = [stack_header(info, table, stack) for stack in stacks(header, table)]
    except Exception as error:  # noqa: BLE001  a damaged table raises any of nibabel's and numpy's exceptions
        return f"nibabel cannot read the PAR ({error_text(error)})"
    images = [read_nifti(output.nifti) for output in outputs]
    volumes = sum(_volumes(geometry.get_data_shape()) for geometry in expected)
    image_volumes = sum(image.volumes for image in images)
    maps = sum(image.volumes for output, image in zip(outputs, images, strict=True) if output.suffix.endswith("_ADC"))
    if volumes not in {image_volumes, image_volumes - maps, maps}:
        return f"{tool} wrote {image_volumes} volumes, the PAR has {volumes}"
    geometry = expected[0]
    for output, image in zip(outputs, images, strict=True):
        distance = _distance(geometry.get_affine()[:3], geometry.get_data_shape()[:3], image.affine, image.shape[:3])
        if distance == float("inf"):
            return f"the shape of {Path(output.nifti).name} by {tool} is not that of the PAR"
        if distance > _CLOSE:
            return f"{tool} places {Path(output.nifti).name} {distance:.1f} mm off"
    return ""


def _volumes(shape: tuple[int, ...]) -> int:
    return shape[3] if len(shape) > 3 else 1  # noqa: PLR2004 (x, y, z, t)


def _distance(affine: Any, shape: Sequence[int], other: Any, other_shape: Sequence[int]) -> float:
    """Return the distance between the corners of two grids (mm), whatever the order and direction of their axes.

    Infinite if their shapes differ.
    """
    import numpy as np

    if sorted(shape) != sorted(other_shape):
        return float("inf")
    corners, other_corners = (
        _corners(np.asarray(grid), size) for grid, size in ((affine, shape), (other, other_shape))
    )
    apart = np.linalg.norm(corners[:, None, :] - other_corners[None, :, :], axis=2)
    return float(max(apart.min(axis=0).max(), apart.min(axis=1).max()))


def _corners(affine: Any, shape: Sequence[int]) -> Any:
    import itertools

    import numpy as np

    ends = np.array(list(itertools.product(*((0, size - 1) for size in shape))))
    return ends @ affine[:3, :3].T + affine[:3, 3]
