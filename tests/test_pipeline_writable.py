"""A folder for temporary files that is among packets, or in a folder of a session, is refused before the work."""

from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_folder
from tests.build.study import Study

FILES = MrSeries().files()
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1")


@pytest.mark.parametrize("place", ["inbox/MR", "inbox/MR/temporary", "archive/MR", "S1/dicom/temporary", "S2/inbox"])
def test_a_work_folder_among_packets_or_in_a_session_is_refused(study: Study, place: str) -> None:
    study.put("S1", FILES, Kind.ZIP)
    run = study.main(f"--work-dir={study.sessions / place}")
    assert run.status == 64, run.text
    assert f"{study.sessions / place}" in run.text
    assert study.session_names() == []


def test_a_work_folder_in_the_inbox_of_a_session_is_refused_in_folder_mode(study: Study, tmp_path: Path) -> None:
    inbox = study.session("S1") / "inbox"
    write_folder(FILES, inbox)
    link = tmp_path / "link"
    link.symlink_to(inbox)
    for place in (inbox, inbox / "temporary", link):
        run = study.main(*FOLDER_MODE, f"--work-dir={place}")
        assert run.status == 64, run.text
        assert f"is in a folder of a session, {inbox}" in run.text
    assert sorted(path.name for path in inbox.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("place", ["temporary", "temporary/deep", "../elsewhere"])
def test_a_work_folder_elsewhere_is_used(study: Study, place: str) -> None:
    study.put("S1", FILES, Kind.ZIP)
    assert study.main(f"--work-dir={study.sessions / place}").status == 0
