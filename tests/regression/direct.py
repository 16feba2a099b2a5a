"""dcm2niix called directly: one folder for each series that pydicom finds, and one call for each PAR."""

import importlib.util
import subprocess
from collections import defaultdict
from pathlib import Path

from tests.regression.independent import Key, members, number, plain, read


def program() -> str:
    """Return the path of dcm2niix in its installed Python package."""
    spec = importlib.util.find_spec("dcm2niix")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "dcm2niix")


def converted(packet: Path, folder: Path) -> tuple[list[Path], str]:
    """Return the images of direct calls for a packet's series, and a note on series without images."""
    found: dict[Key, dict[bytes, None]] = defaultdict(dict)
    pairs: dict[str, bytes] = {}
    for name, packed in members(packet):
        data = plain(packed)
        if name.upper().endswith((".PAR", ".REC")):
            pairs[name] = data
        elif (header := read(data)) is not None and header.get("SeriesInstanceUID") and header.get("SOPInstanceUID"):
            key = (str(header.get("StudyInstanceUID", "")), str(header.SeriesInstanceUID), number(header))
            found[key][data] = None
    sources = [_series(folder / str(k), list(found[key])) for k, key in enumerate(found)]
    sources += _pairs(folder / "par", pairs)
    images = [image for source in sources for image in _call(source)]
    empty = len(sources) - len({image.parent for image in images})
    return images, f" ({empty} of {len(sources)} direct calls make none)" if empty else ""


def _series(folder: Path, files: list[bytes]) -> Path:
    folder.mkdir(parents=True)
    for k, data in enumerate(files):
        (folder / f"{k:05}.dcm").write_bytes(data)
    return folder


def _pairs(folder: Path, pairs: dict[str, bytes]) -> list[Path]:
    """Write PAR and REC files into a folder; return the PARs that have a REC."""
    folder.mkdir(parents=True)
    for name, data in pairs.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in pairs if name.endswith(".PAR") and f"{name[:-4]}.REC" in pairs]


def _call(source: Path) -> list[Path]:
    out = source.with_name(f"{source.name}-out")
    out.mkdir()
    words = [program(), "-g", "i", "-z", "n", "-b", "y", "-f", "x", "-o", str(out), str(source)]
    subprocess.run(words, capture_output=True, check=False)
    return sorted(out.glob("*.nii"))
