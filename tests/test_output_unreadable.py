"""A file that the user of a run may not read is not replaced by the output of an option."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study
from tests.faults.unprivileged import unprivileged

NOTES = "the only copy of a colleague's notes\n"
CALLS = {
    "--json-file": ("{s}", "--check=no", "--archive=leave", "--overwrite=yes"),
    "--log-file": ("{s}", "--check=no", "--archive=leave", "--overwrite=yes"),
    "--init": ("bids", "{s}", "{s}/../bids", "--overwrite=yes"),
    "--output": ("protocol", "learn", "{s}", "--overwrite=yes"),
}


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Path]:
    """A private file in a folder in which its name can be replaced."""
    path = tmp_path / "shared" / "notes"
    path.parent.mkdir()
    path.write_text(NOTES)
    path.chmod(0)
    yield path
    path.chmod(0o600)


@pytest.mark.parametrize("option", CALLS)
def test_a_file_that_cannot_be_read_is_not_replaced(study: Study, notes: Path, option: str) -> None:
    study.put("S1", MrSeries().files(), Kind.ZIP)
    assert study.main("--check=no", "--archive=leave").status == 0
    words = (word.replace("{s}", str(study.sessions)) for word in CALLS[option])
    run = unprivileged(*words, f"{option}={notes}")
    inode = notes.stat().st_ino
    notes.chmod(0o600)
    assert notes.read_text() == NOTES
    assert notes.stat().st_ino == inode
    assert run.status in (64, 73), run.text
    assert "permission denied" in run.text
