"""Compresses a converter's images where they lie, as soon as their series is done."""

from collections.abc import Callable
from pathlib import Path

from qxbatch.model import Conversion

Gzip = Callable[[Path, Path], object]
"""Writes a file (first) as one gzip member (second), on disk when it returns."""


def compressed(nifti: Path) -> Path:
    """Return where the compressed form of a converter's image lies until it is placed."""
    return nifti.with_name(f"{nifti.name}.gz")


def compress(conversion: Conversion, gzip: Gzip) -> None:
    """Compress the images of a series where they lie; can be done as soon as the series is converted."""
    for output in conversion.outputs:
        gzip(output.nifti, compressed(output.nifti))
        output.nifti.unlink()
