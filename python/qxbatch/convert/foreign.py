"""What the converters that write compressed, self-named images have in common."""

import gzip
import shutil
import zlib
from pathlib import Path


def inflate(folder: Path) -> None:
    """Turn each .nii.gz of a folder into .nii; of a damaged one stays what came out, and is judged as cut short."""
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
