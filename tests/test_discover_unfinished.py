"""Packets that another program is still copying."""

from pathlib import Path

import pytest

from qxbatch.discover.unfinished_copies import unfinished_reason
from qxbatch.model import Verdict
from tests.build.dicom import MrSeries
from tests.build.inbox import DummyStudy
from tests.build.packets import Kind, under
from tests.build.study import Study, snapshot

COPIED = [
    "S1.zip.part",
    "S1.zip.PARTIAL",
    "S1.tar.gz.filepart",
    "S1.zip.crdownload",
    "S1.zip.tmp",
    "S1.zip.download",
    ".S1.zip.AbC123",
    ".S1.a1B2c3",
    ".~tmp~",
]


@pytest.mark.parametrize("end", ["", "/"], ids=["file", "folder"])
@pytest.mark.parametrize("name", COPIED)
def test_an_unfinished_copy_is_stray_and_the_note_says_why(tmp_path: Path, name: str, end: str) -> None:
    each = DummyStudy(tmp_path).put(name + end).candidate()
    assert (each.verdict, each.problem) == (Verdict.STRAY, None)
    assert "cop" in each.note or "rsync" in each.note


@pytest.mark.parametrize(
    "name", ["S1.zip", "part", ".part", "S1.part1.zip", "S1.party", ".DS_Store", ".a.b", ".abc123"]
)
def test_other_names_are_not_unfinished_copies(name: str) -> None:
    assert unfinished_reason(name) == ""


def test_a_copy_in_progress_is_unchanged_and_the_run_succeeds(study: Study) -> None:
    files = under("x", MrSeries(number=3, description="T1w").files())
    study.put("good", files)
    packet = study.put("S2", files, Kind.ZIP)
    copied = packet.rename(packet.with_name("S2.zip.part"))
    (study.inbox / "S1.zip.filepart").write_bytes(copied.read_bytes()[:2000])
    run = study.run()
    assert run.status == 0, run.text
    assert study.session_names() == ["good"]
    assert "its name ends in .part" in run.text
    assert copied.exists()


def test_the_folder_that_a_split_is_writing_is_no_packet(study: Study) -> None:
    files = MrSeries(number=3, description="T1w").files()
    unfinished_split = study.put("S1_split", under(f".qxbatch-split-{'0f' * 8}/read/1", files), Kind.FOLDER)
    similar = study.put("S2", under(".qxbatch-split-0/read", files), Kind.FOLDER)
    before = snapshot(unfinished_split)
    run = study.main("--check=no")
    assert run.status == 0, run.text
    assert "`qxbatch split` is writing it, or was interrupted" in " ".join(run.text.split())
    assert study.session_names() == ["S2"]
    assert snapshot(unfinished_split) == before
    assert not similar.exists()
