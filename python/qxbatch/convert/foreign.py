"""What the converters that write compressed, self-named images have in common."""

import gzip
import shutil
from pathlib import Path


def inflate(folder: Path) -> None:
    """Turn each .nii.gz of a folder into .nii; one that is damaged is left as it is, and so is no image."""
    for path in sorted(folder.glob("*.nii.gz")):
        plain = path.with_suffix("")
        if plain.exists():
            continue
        try:
            with gzip.open(path, "rb") as source, plain.open("xb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except (OSError, EOFError, ValueError):
            continue
        path.unlink()
