"""What cannot be read in one packet or session is reported; the others are imported."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study
from tests.faults.unprivileged import unprivileged


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that cannot be entered by anybody but root."""
    folder = tmp_path / "closed"
    (folder / "S1" / "inbox").mkdir(parents=True)
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize("name", ["dicom", "inbox"])
def test_a_packet_with_a_folder_that_cannot_be_entered_is_refused_alone(study: Study, name: str) -> None:
    study.put("S2", MrSeries().files(), Kind.FOLDER)
    packet = study.put("S1", MrSeries(number=4).files(), Kind.FOLDER)
    (packet / "archive").mkdir()  # with `inbox`, the mark of a sessions folder
    (packet / name).mkdir(mode=0)
    run = unprivileged(str(study.sessions), "--test")
    (packet / name).chmod(0o700)
    assert "S2 -> S2" in run.text
    assert f"chmod u+rwX {packet / name}" in " ".join(run.text.split())


def test_a_session_link_to_a_folder_that_cannot_be_entered_is_refused_alone(study: Study, closed: Path) -> None:
    for path, data in MrSeries().files().items():
        file = study.sessions / "S2" / "inbox" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (study.sessions / "S1").symlink_to(closed / "S1")
    run = unprivileged(str(study.sessions), "--masterinbox=none", "--sessions=S*", "--test")
    text = " ".join(run.text.split())
    assert "S2 -> S2" in text
    assert "S1: the session folder cannot be opened: permission denied" in text
    assert f"chmod u+rwX {closed}" in text
