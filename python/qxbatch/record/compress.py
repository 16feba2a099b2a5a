"""The compressed form of a converter's image before the image gets its number."""

from collections.abc import Callable
from pathlib import Path

CompressFile = Callable[[Path, Path], object]
"""Compresses the first file into the second, as one gzip member."""


def compressed_path(nifti: Path) -> Path:
    """Return the path of the compressed form of a converter's image until the image is moved to its number."""
    return nifti.with_name(f"{nifti.name}.gz")
