"""Sample data in folder mode: the same session as from the master inbox; also when it is rebuilt, and with the single commands."""

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
NONE = ("--masterinbox=none", "--sessions=S1", "--on-mixed=merge", "--check=no")
REPORTS = (".log", ".txt", ".tsv", ".html", "summary.json")


def results(study: Study) -> dict[str, str]:
    """The session's images and DICOM; kept files may have another name in inbox."""
    tree = snapshot(study.session("S1"))
    return {k: v for k, v in tree.items() if not k.endswith(REPORTS) and not k.startswith("inbox")}


def members(study: Study) -> set[tuple[str, str]]:
    """Hash and fate of all members."""
    return {(row["sha256"], row["fate"]) for row in Judge(study.session("S1")).rows if row["fate"] != "nodata"}


@pytest.mark.parametrize("name", SETS)
def test_folder_mode_gives_the_same_session(name: str, data: Path, tmp_path: Path) -> None:
    study, other = Study(tmp_path / "folder"), Study(tmp_path / "inbox")
    shutil.copytree(data / name, study.session("S1") / "inbox")
    shutil.copytree(data / name, other.inbox / "S1")
    came = {sha256(content) for content in read_tree(other.inbox / "S1").values()}
    first = study.main(*NONE)
    assert first.status == SETS[name], first.text
    assert other.main("--on-mixed=merge").status == first.status
    assert results(study) == results(other)
    assert members(study) == members(other)
    for words in ((*NONE, "--overwrite=yes"), None):
        if words is None:
            assert main(["convert", str(study.session("S1")), "--overwrite", "--on-mixed=merge"]) == first.status
        else:
            assert study.main(*words).status == first.status
        assert results(study) == results(other)
        assert main(["verify", str(study.session("S1"))]) == 0
    assert came <= {row["sha256"] for row in Judge(study.session("S1")).rows}
