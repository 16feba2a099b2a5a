"""What the Rust core shows of NIfTI images: names of `qxbatch._core`."""

from collections.abc import Sequence
from typing import final

from qxbatch._core import Monitor

def grey_slice(
    path: str, offset: int, datatype: int, rows: Sequence[int], columns: Sequence[int], *, big_endian: bool
) -> bytes:
    """Return pixels of an uncompressed NIfTI, 8-bit grey from their 1st to their 99th percentile, row by row.

    A pixel is the voxel `row + column`, counted from byte `offset`; `datatype` is the code of a voxel (nifti1.h). A colour is
    shown by its mean, a complex number by its size. Raises ValueError when the type is none of these, and OSError when
    the file ends before a voxel.
    """

def colour_slice(path: str, offset: int, datatype: int, rows: Sequence[int], columns: Sequence[int]) -> bytes | None:
    """Return red, green and blue of each of these pixels, row by row; None where the voxels are no colours.

    The pixels are those of `grey_slice`, whose errors it raises.
    """

@final
class Statistics:
    """Temporal SNR and global signal of a time series in an uncompressed NIfTI (docs/statistics.md)."""

    @staticmethod
    def read(path: str, *, monitor: Monitor | None = None) -> Statistics | None:
        """Compute them; None where there are none.

        That is: fewer than 10 volumes are in the steady state, voxels are colours, no voxel is positive, or a volume has more
        than 2**23 voxels. Raises OSError when the file is no NIfTI or ends too early, and CancelledError.
        """
    @property
    def tsnr(self) -> float | None:
        """Median within the mask; None where no voxel varies."""
    @property
    def tsnr_limit(self) -> float | None:
        """A round number above 98 % of the values within the mask: the end of the scale of colours."""
    @property
    def dropped_volumes(self) -> int:
        """Volumes at the beginning that are not in the steady state."""
    @property
    def global_signal(self) -> list[float]:
        """Mean within the mask of each volume, the dropped ones too."""
    def mean_slice(self, rows: Sequence[int], columns: Sequence[int]) -> bytes:
        """Return pixels of the mean image as `grey_slice` does. Raises OSError for a pixel outside of the volume."""
    def tsnr_slice(self, rows: Sequence[int], columns: Sequence[int]) -> bytes:
        """Return pixels of the map of temporal SNR: 0 outside of the mask, 255 at `tsnr_limit` and above."""
