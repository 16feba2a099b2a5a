"""Refused before the work: --work-dir among packets or in a session, and data in an inbox folder that they cannot leave."""

from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_folder, write_packet
from tests.build.study import Study, snapshot
from tests.faults.unprivileged import unprivileged

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


@pytest.mark.parametrize("deep", [False, True], ids=["inbox", "folder in it"])
@pytest.mark.parametrize(
    ("archive", "is_loose"),
    [("move", False), ("delete", False), ("move", True), ("delete", True), ("leave", True), ("copy", True)],
)
def test_data_that_cannot_leave_the_inbox_of_a_session_are_refused_before_the_work(
    study: Study, archive: str, is_loose: bool, deep: bool
) -> None:
    folder = study.session("S1") / "inbox" / ("deep" if deep else "")
    write_folder(FILES, folder) if is_loose else write_packet(FILES, folder, "scan", Kind.ZIP)
    before = snapshot(study.sessions)
    folder.chmod(0o555)
    words = (str(study.sessions), *FOLDER_MODE, f"--archive={archive}")
    run = unprivileged(*words)
    assert run.status == 73, run.text
    assert f"qxbatch: the inbox folder {folder} cannot be written: permission denied" in run.err
    assert snapshot(study.sessions) == before
    folder.chmod(0o755)
    assert unprivileged(*words).status == 0


@pytest.mark.parametrize("archive", ["leave", "copy", "move"])
def test_files_that_stay_in_the_inbox_of_a_session_may_be_in_a_read_only_folder(study: Study, archive: str) -> None:
    inbox = study.session("S1") / "inbox"
    write_packet(FILES, inbox, "scan", Kind.ZIP)
    notes = inbox / "notes"
    notes.mkdir()
    (notes / "notes.txt").write_text("of a colleague")
    (notes if archive == "move" else inbox).chmod(0o555)
    run = unprivileged(str(study.sessions), *FOLDER_MODE, f"--archive={archive}")
    assert run.status == 0, run.text
