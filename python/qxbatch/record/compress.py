"""The compressed form of a converter's image, before it gets its number."""

from collections.abc import Callable
from pathlib import Path

Gzip = Callable[[Path, Path], object]
"""Writes a file (first) as one gzip member (second), on disk when it returns."""


def compressed(nifti: Path) -> Path:
    """Return the path of the compressed form of a converter's image until it is placed."""
    return nifti.with_name(f"{nifti.name}.gz")
