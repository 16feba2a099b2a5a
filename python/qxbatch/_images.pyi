"""Pictures and statistics of NIfTI images from the Rust core: names of `qxbatch._core`."""

from collections.abc import Sequence
from typing import final

from qxbatch._core import Monitor

def grey_slice(
    path: str, offset: int, datatype: int, rows: Sequence[int], columns: Sequence[int], *, big_endian: bool
) -> bytes:
    """Return pixels of an uncompressed NIfTI, 8-bit grey from their 1st to their 99th percentile, row by row.

    A pixel is the voxel `row + column`, counted from byte `offset`; `datatype` is the code of a voxel (nifti1.h). Colours are
    shown by their mean, complex numbers by their magnitude. Raises ValueError for another type, and OSError when
    the file ends before a voxel.
    """

def colour_slice(path: str, offset: int, datatype: int, rows: Sequence[int], columns: Sequence[int]) -> bytes | None:
    """Return red, green and blue of each of these pixels, row by row; None if the voxels are not colours.

    The pixels are those of `grey_slice`, whose errors it raises.
    """

@final
class Statistics:
    """Temporal SNR and global signal of a time series in an uncompressed NIfTI (docs/statistics.md)."""

    @staticmethod
    def read(path: str, *, monitor: Monitor | None = None) -> Statistics | None:
        """Return the statistics; None if they cannot be computed.

        This is the case if fewer than 10 volumes are in the steady state, if voxels are colours, if no voxel is positive, or if
        a volume has more than 2**23 voxels. Raises OSError when the file is not NIfTI or is cut short, and CancelledError.
        """
    @property
    def tsnr(self) -> float | None:
        """Median within the mask; None if no voxel varies."""
    @property
    def tsnr_limit(self) -> float | None:
        """A round number above 98 % of the values within the mask: the end of the colour scale."""
    @property
    def dropped_volumes(self) -> int:
        """Volumes at the start that are not in the steady state."""
    @property
    def global_signal(self) -> list[float]:
        """Mean of each volume in the mask, including the dropped volumes."""
    def mean_slice(self, rows: Sequence[int], columns: Sequence[int]) -> bytes:
        """Return pixels of the mean image as `grey_slice` does. Raises OSError for a pixel outside of the volume."""
    def tsnr_slice(self, rows: Sequence[int], columns: Sequence[int]) -> bytes:
        """Return pixels of the map of temporal SNR: 0 outside of the mask, 255 at `tsnr_limit` and above."""
