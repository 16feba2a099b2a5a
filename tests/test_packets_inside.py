"""Packets that are in the folders of a session are not taken away when an import replaces that session."""

import os
import re
from pathlib import Path

import pytest

from qxbatch.settings.model import Archive
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, write_packet
from tests.build.study import Run, Study, snapshot

TREE = {**under("T1", MrSeries(patient="P1").files()), "README": b"of the packet\n"}
OTHER = under("T1", MrSeries(patient="P2").files())
AGAIN = "--overwrite=yes"
STAY = ["leave", "copy"]


def refused(run: Run, folder: Path) -> bool:
    """Return whether the run refused S1, because its import would replace a folder."""
    text = " ".join(run.text.split())
    subject = re.search(rf"S1(\.zip)?: its import would replace {folder}, and", text)
    return run.status == 1 and subject is not None and "Nothing was changed" in text


@pytest.mark.parametrize("archive", list(Archive))
@pytest.mark.parametrize("folder", ["inbox", "dicom", "nii", "qxbatch"])
def test_a_link_into_the_session_that_it_would_replace_is_refused(study: Study, archive: str, folder: str) -> None:
    target = write_folder(TREE, study.session("S1") / folder / "raw")
    (study.inbox / "S1").symlink_to(f"../../S1/{folder}/raw")
    before = snapshot(study.sessions)
    run = study.main(AGAIN, f"--archive={archive}")
    assert refused(run, target.parent), run.text
    assert "in place of the link" in run.text
    assert snapshot(study.sessions) == before
    (study.inbox / "S1").unlink()
    target.rename(study.inbox / "S1")
    assert study.main(AGAIN, f"--archive={archive}").status == 0, "as the message says"


@pytest.mark.parametrize("archive", STAY)
@pytest.mark.parametrize("below", ["", "more"])
def test_the_inbox_of_a_session_as_master_inbox_keeps_its_packets(study: Study, archive: str, below: str) -> None:
    study.put("S1", TREE)
    assert study.main().status == 0
    box = study.session("S1") / "inbox" / below
    write_packet(TREE, box, "S1", Kind.ZIP)
    write_packet(OTHER, box, "S2", Kind.ZIP)
    before = snapshot(box)
    run = study.main(AGAIN, f"--archive={archive}", f"--masterinbox={box}")
    assert refused(run, study.session("S1") / "inbox"), run.text
    assert f"the folder of packets is {box}" in " ".join(run.text.split())
    assert study.session_names() == ["S1", "S2"]
    assert snapshot(box) == before
    assert re.search(rf"qxbatch {study.sessions} --sessions=S1 .*{AGAIN}", run.text), "from inbox/MR, as the hint says"
    (box / "S1.zip").rename(study.inbox / "S1.zip")
    (box / "S2.zip").unlink()
    assert study.main(AGAIN, f"--archive={archive}", "--sessions=S1").status == 0


@pytest.mark.parametrize("archive", STAY)
def test_the_inbox_of_a_session_as_master_inbox_has_packets_of_others(study: Study, archive: str) -> None:
    study.put("S1", TREE)
    assert study.main().status == 0
    box = study.session("S1") / "inbox"
    for _ in range(2):
        write_packet(OTHER, box, "S2", Kind.ZIP)
        before = snapshot(box)
        run = study.main(AGAIN, f"--archive={archive}", f"--masterinbox={box}")
        assert run.status == 0, run.text
        assert snapshot(box) == before


def test_a_packet_of_another_session_keeps_the_target_of_its_link(study: Study) -> None:
    target = write_packet(OTHER, study.session("S1") / "inbox", "raw", Kind.ZIP)
    study.put("S1", TREE)
    (study.inbox / "S2.zip").symlink_to(target)
    run = study.main(AGAIN, "--archive=leave")
    assert refused(run, target.parent), run.text
    assert f"{study.inbox / 'S2.zip'} leads there" in " ".join(run.text.split())
    assert study.session_names() == ["S1", "S2"]
    assert target.exists()
    target.unlink()
    assert study.main(AGAIN, "--archive=leave", "--sessions=S1").status == 0, "the link leads nowhere"


def test_a_link_is_followed_step_by_step(study: Study, tmp_path: Path) -> None:
    write_folder(TREE, tmp_path / "elsewhere" / "raw")
    study.session("S1").mkdir()
    (study.session("S1") / "inbox").symlink_to(tmp_path / "elsewhere")
    (study.inbox / "S1").symlink_to("../../S1/inbox/raw")
    assert refused(study.main(AGAIN, "--archive=leave"), study.session("S1") / "inbox")
    (study.inbox / "S1").unlink()
    (study.inbox / "S1").symlink_to(tmp_path / "elsewhere" / "raw")
    assert study.main(AGAIN, "--archive=leave").status == 0, "only the link of the session is replaced"
    assert (tmp_path / "elsewhere/raw/README").exists()


def test_a_packet_that_contains_the_session_is_refused(study: Study) -> None:
    write_folder(TREE, study.session("S1") / "inbox" / "raw")
    (study.inbox / "S1").symlink_to("../../S1")
    before = snapshot(study.sessions)
    run = study.main(AGAIN, "--archive=leave")
    assert run.status == 1
    assert f"contains {study.session('S1')}, which its import would replace" in " ".join(run.text.split())
    assert snapshot(study.sessions) == before


def test_the_inbox_of_a_session_may_not_be_a_link_to_its_results(study: Study) -> None:
    write_folder(TREE, study.session("S1") / "dicom" / "raw")
    (study.session("S1") / "inbox").symlink_to("dicom/raw")
    before = snapshot(study.sessions)
    run = study.main(AGAIN, "--masterinbox=none", "--sessions=S1", "--archive=leave")
    assert refused(run, study.session("S1") / "dicom"), run.text
    assert snapshot(study.sessions) == before


def test_a_link_of_another_packet_is_not_named_in_a_deidentified_log(study: Study, tmp_path: Path) -> None:
    target = write_packet(OTHER, study.session("S1") / "inbox", "Roe_Ilka", Kind.ZIP)
    study.put("S1", TREE)
    (study.inbox / "X2_Doe_Jane.zip").symlink_to(os.path.relpath(target, study.inbox))
    files = (tmp_path / "run.log", tmp_path / "run.json")
    names = "--nameformat=(?P<subject_id>[SX][0-9]).*"
    options = (names, f"--log-file={files[0]}", f"--json-file={files[1]}", "--archive=leave", "--sessions=S1")
    run = study.main(AGAIN, "--deidentify-logs", *options)
    assert refused(run, target.parent), run.text
    text = "".join(path.read_text() for path in files)
    assert not re.search("Doe_|Jane|Roe|Ilka", text), text
