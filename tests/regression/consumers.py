"""Requirements of the four readers of a session.txt beyond its grammar (docs/session-txt.md, tests/reader.py)."""

import re
from pathlib import Path

from tests.reader import Read, read_session_txt

FOUND = re.compile(r"Found (\d+) DICOM file\(s\)")


def check_all(session: Path) -> Read:
    """Read a session's session.txt as all four do. Raises AssertionError or ValueError if one would fail."""
    text = (session / "session.txt").read_bytes().decode("utf-8")
    read = read_session_txt(text)
    create_session_info(text, read)
    setup_hcp(session, read)
    run_qa(session, read)
    create_batch(text)
    return read


def create_session_info(text: str, read: Read) -> None:
    """Check the first reader: it needs numbers of digits only, and names that are valid in a mapping file."""
    for line in text.splitlines():
        key = line.split("#")[0].partition(":")[0].strip()
        assert not re.fullmatch(r"\d+\.\d+", key), f"an image with a dotted number is ignored: {line!r}"
    for number, (name, _) in read.images.items():
        assert name, f"image {number} has no name"
        assert name == name.strip()
        assert "=>" not in name, f"a mapping file is split at =>: {name!r}"


def setup_hcp(session: Path, read: Read) -> None:
    """Check the second reader: it needs raw_data to exist and to contain the images under their numbers."""
    raw = Path(read.headers["raw_data"])
    assert raw == session / "nii"
    assert not read.images or raw.is_dir()
    for number in read.images:
        assert (raw / f"{number}.nii.gz").is_file(), f"session.txt names image {number}, which does not exist"
    if raw.is_dir():
        present = {int(path.name.partition(".")[0]) for path in raw.glob("*.nii.gz")}
        assert present == set(read.images), "nii contains images that session.txt does not name"


def run_qa(session: Path, read: Read) -> None:
    """Check the third reader: it needs the id to be the folder's name, and a log with one count of files for each series
    with images.
    """
    assert read.headers["id"] == session.name
    for key in ("dicom", "raw_data", "data", "hcp"):
        assert Path(read.headers[key]).parent == session
    for number, (name, _) in read.images.items():
        assert 1 <= number % 10 <= 9, "the last digit is taken for the acquisition"
        log = session / "dicom" / f"dcm2niix_{number // 10 * 10}.log"
        matches = FOUND.findall(log.read_text(encoding="utf-8", errors="replace"))
        assert len(matches) == 1, f"{log}: {matches}"
        assert int(matches[0]) > 0
        assert name.partition(" [")[0], f"image {number} has no name before its bracket"


def create_batch(text: str) -> None:
    """Check the fourth reader: it splits records at lines of dashes, and reads `key: value` headers, which must be unique."""
    assert not any(line.startswith("---") for line in text.splitlines())
    keys = [line.partition(":")[0] for line in text.splitlines() if ":" in line and not line.startswith("#")]
    headers = [key for key in keys if not key.strip().isdigit()]
    assert len(headers) == len(set(headers))
