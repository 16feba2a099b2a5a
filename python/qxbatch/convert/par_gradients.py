"""Compares the b-values and gradient directions that a converter wrote for an image with the lines of the PAR."""

from collections.abc import Mapping, Sequence
from typing import Any

from qxbatch.convert.gradient_tables import along_voxels, b_agrees, direction_agrees, gradient_table
from qxbatch.convert.nifti import read_nifti
from qxbatch.importing import importing
from qxbatch.model import Output

Gradient = tuple[float, tuple[float, float, float] | None]
"""b-value (s/mm2) and direction in patient axes (LPS+), of length 1; None without direction."""


def gradient_difference(table: Any, output: Output, volumes: Mapping[int, Sequence[int]]) -> str:
    """Return how the bval and bvec of an image differ from the PAR; empty if they agree or cannot be compared.

    Both files may be missing for a single volume, averages, and volumes without directions. `table` has the lines of the PAR as an
    array of par_table. `volumes` maps each volume of the image to the volumes of the PAR with the same voxel values; each of
    these is given by the line of its first slice.

    Raises ValueError when the header of the image cannot be read.
    """
    if not {"diffusion_b_factor", "diffusion"} <= set(table.dtype.names):
        return ""
    expected = {volume: [_gradient(table[line]) for line in lines] for volume, lines in volumes.items()}
    name = output.nifti.name
    if not output.sidecars.keys() & {"bval", "bvec"}:
        measured = [b for gradients in expected.values() for b, direction in gradients if direction is not None]
        if len(expected) > 1 and measured and not output.suffix.endswith("_ADC"):
            return f"{name} has no table of b-values, and the PAR says b = {max(measured):g}"
        return ""
    affine = read_nifti(output.nifti).affine
    for volume, (b, direction) in enumerate(gradient_table(output)):
        gradients = expected.get(volume, [])
        if not gradients:
            continue
        if not any(b_agrees(b, header_b) for header_b, _ in gradients):
            return f"the b-value of volume {volume + 1} of {name} is {b:g}, the PAR says {gradients[0][0]:g}"
        if not any(
            b_agrees(b, header_b)
            and (header_direction is None or direction_agrees(direction, along_voxels(header_direction, affine)))
            for header_b, header_direction in gradients
        ):
            return f"the gradient direction of volume {volume + 1} of {name} is not that of the PAR"
    return ""


def _gradient(line: Any) -> Gradient:
    """Return the b-value and the direction of one line of the PAR."""
    import numpy as np

    with importing():
        from nibabel.parrec import PSL_TO_RAS

    b = float(line["diffusion_b_factor"])
    right, front, up = (PSL_TO_RAS[:3, :3] @ line["diffusion"]).tolist()
    length = float(np.linalg.norm(line["diffusion"]))
    if b <= 0 or not length > 0:
        return b, None
    return b, (-right / length, -front / length, up / length)
