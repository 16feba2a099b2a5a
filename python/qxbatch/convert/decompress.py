"""Decompresses the images of converters that compress them."""

import gzip
import shutil
import zlib
from pathlib import Path


def inflate(folder: Path) -> None:
    """Decompress each .nii.gz of a folder to .nii, unless that exists.

    The readable part of a damaged file is kept, and judged as cut short.
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
