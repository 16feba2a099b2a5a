"""What a NIfTI file says about itself, without reading its voxels."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Nifti:
    """Header of one image."""

    shape: tuple[int, ...]
    affine: Any
    """4 x 4, voxel to RAS+ mm."""

    @property
    def volumes(self) -> int:
        """Return the length of the fourth axis."""
        return self.shape[3] if len(self.shape) > 3 else 1  # noqa: PLR2004 (x, y, z, t)

    @property
    def voxels(self) -> int:
        """Return the number of voxels of all volumes."""
        return math.prod(self.shape)


def read_nifti(path: Path) -> Nifti:
    """Read a NIfTI header (.nii or .nii.gz).

    Raises ValueError with the reason when the file is no NIfTI, is cut short, or holds a size or place that cannot be.
    """
    import nibabel as nib
    import numpy as np

    try:
        image: Any = nib.load(path)
        shape = tuple(int(size) for size in image.shape)
        affine: Any = np.asarray(image.affine, dtype=np.float64)
        offset, itemsize = int(image.dataobj.offset), int(image.dataobj.dtype.itemsize)
    except Exception as error:  # a damaged header ends in any of nibabel's and numpy's exceptions
        raise ValueError(f"it cannot be read as NIfTI ({error})") from error
    if not shape or min(shape) < 1:
        raise ValueError(f"its size is {shape}")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:  # noqa: PLR2004 (singular)
        raise ValueError("its affine is not usable")
    need = offset + math.prod(shape) * itemsize
    if path.suffix == ".nii" and path.stat().st_size < need:
        raise ValueError(f"it is cut short: {path.stat().st_size} of {need} bytes")
    return Nifti(shape, affine)
