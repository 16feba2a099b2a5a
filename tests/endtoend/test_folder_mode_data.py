"""Sample data give the same session in folder mode as from the master inbox, also when imported or converted again."""

import shutil
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from tests.build.packets import read_tree
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge, sha256

pytestmark = pytest.mark.data
SETS = {
    "nibabel_parrec": 1,
    "nitest-balls1": 0,
    "dcm_qa_ts": 0,
    "dcm_qa_xa30i": 0,
    "dcm_qa_philips_dwi": 0,
    "pydicom_testfiles": 1,
}
"""The exit status of the import; 1 if a series cannot be converted."""
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1", "--on-mixed=merge", "--check=no")
REPORTS = (".log", ".txt", ".tsv", ".html", "summary.json")


def results(study: Study) -> dict[str, str]:
    """Return the session's images and DICOM, without kept files: they may have another name in inbox."""
    tree = snapshot(study.session("S1"))
    return {k: v for k, v in tree.items() if not k.endswith(REPORTS) and not k.startswith("inbox")}


def members(study: Study) -> set[tuple[str, str]]:
    """Return hash and fate of all members with data."""
    return {(row["sha256"], row["fate"]) for row in Judge(study.session("S1")).rows if row["fate"] != "nodata"}


@pytest.mark.parametrize("name", SETS)
def test_folder_mode_gives_the_same_session(name: str, data: Path, tmp_path: Path) -> None:
    study, of_inbox = Study(tmp_path / "folder"), Study(tmp_path / "inbox")
    shutil.copytree(data / name, study.session("S1") / "inbox")
    shutil.copytree(data / name, of_inbox.inbox / "S1")
    inputs = {sha256(content) for content in read_tree(of_inbox.inbox / "S1").values()}
    first = study.main(*FOLDER_MODE)
    assert first.status == SETS[name], first.text
    assert of_inbox.main("--on-mixed=merge").status == first.status
    assert results(study) == results(of_inbox)
    assert members(study) == members(of_inbox)
    for words in ((*FOLDER_MODE, "--overwrite=yes"), None):
        if words is None:
            assert main(["convert", str(study.session("S1")), "--overwrite", "--on-mixed=merge"]) == first.status
        else:
            assert study.main(*words).status == first.status
        assert results(study) == results(of_inbox)
        assert main(["verify", str(study.session("S1"))]) == 0
    assert inputs <= {row["sha256"] for row in Judge(study.session("S1")).rows}
