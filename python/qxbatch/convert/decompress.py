"""Decompresses the images of converters that compress them."""

import gzip
import shutil
import zlib
from pathlib import Path


def decompress_images(folder: Path) -> None:
    """Replace each .nii.gz of a folder by the decompressed .nii; a .nii.gz whose .nii exists already is not changed.

    Of a damaged file, the readable part is written, and judged like any image. Raises OSError.
    """
    for path in sorted(folder.glob("*.nii.gz")):
        plain = path.with_suffix("")
        if plain.exists():
            continue
        try:
            with gzip.open(path, "rb") as source, plain.open("xb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            pass
        path.unlink()
