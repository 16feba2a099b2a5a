"""The demo study: real scans from pydicom and nibabel, as the README shows."""

from pathlib import Path

import pytest

from qxbatch import demo
from tests.build.packets import read_tree
from tests.build.study import run_command
from tests.endtoend.judge import Judge


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo study's sessions, imported."""
    folder = demo.make_study(tmp_path_factory.mktemp("demo"))
    run = run_command(str(folder))
    assert run.status == 0, run.text
    assert "README.txt" in run.text
    return folder


SOURCES = {
    "OP101": demo.PYDICOM_MR,
    "OP102_baseline": demo.SIEMENS_DWI,
    "OP103": demo.PHILIPS_T1,
    "OP104": demo.PAR_REC,
}


@pytest.mark.parametrize("session", SOURCES)
def test_every_session_is_complete(sessions: Path, session: str) -> None:
    members = {name: path.read_bytes() for name, path in SOURCES[session].files()}
    if session != "OP102_baseline":
        members["README.txt"] = demo.README_TEXT.encode()
    judge = Judge(sessions / session).check(members)
    assert judge.text.images
    assert set(judge.states().values()) <= {"converted", "partial"}


def test_the_diffusion_images_have_their_gradients(sessions: Path) -> None:
    nii = sessions / "OP102_baseline" / "nii"
    assert {path.suffix for path in nii.iterdir()} == {".gz", ".json", ".bval", ".bvec"}
    assert (nii / "121.bval").read_text().split() == ["0", "1000"]


def test_the_packets_are_archived_and_the_stray_file_stays(sessions: Path) -> None:
    assert sorted(path.name for path in (sessions / "archive" / "MR").iterdir()) == [
        "OP101.zip",
        "OP102_baseline.tar.gz",
        "OP103",
        "OP104.zip",
    ]
    assert read_tree(sessions / "inbox" / "MR") == {"README.txt": demo.STRAY_TEXT.encode()}
