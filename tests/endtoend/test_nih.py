"""dcm_qa_nih: two studies of one person with the same series numbers, compared with its reference images."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image

from tests.build.packets import read_tree
from tests.build.study import Study
from tests.endtoend.judge import Judge

COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"
FAST_GZIP: dict[str, Any] = {"mode": "w:gz", "compresslevel": 1}
MODES: dict[str, dict[str, Any]] = {
    ".tar": {"mode": "w"},
    ".tar.gz": FAST_GZIP,
    ".tgz": FAST_GZIP,
    ".tar.bz2": {"mode": "w:bz2", "compresslevel": 1},
    ".tar.xz": {"mode": "w:xz", "preset": 0},
}
pytestmark = pytest.mark.data


def imported(source: Path, ending: str, root: Path) -> Path:
    """Import a folder packed in one way; return the session."""
    study = Study(root)
    packet = study.inbox / f"nih{ending}"
    if ending == ".zip":
        shutil.make_archive(str(packet.with_suffix("")), "zip", source)
    elif ending:
        with tarfile.open(packet, **MODES[ending]) as archive:
            for path in sorted(source.iterdir()):
                archive.add(path, path.name)
    else:
        shutil.copytree(source, packet)
    run = study.run()
    assert run.status == 0, run.text
    assert (study.archive / packet.name).exists()
    assert not packet.exists()
    return study.session("nih")


@pytest.fixture(scope="module")
def source(data: Path) -> Path:
    """Return the set's input."""
    return data / "dcm_qa_nih" / "In"


@pytest.fixture(scope="module")
def folder_session(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the session imported from the set as a folder."""
    return imported(source, "", tmp_path_factory.mktemp("folder"))


def test_the_session_is_complete(folder_session: Path, source: Path) -> None:
    members = read_tree(source)
    judge = Judge(folder_session).check(members)
    assert len(judge.text.images) == 8
    assert set(judge.states().values()) == {"converted"}
    readmes = {f"inbox/{name}" for name in members if "README" in name}
    assert readmes
    assert readmes <= {row["at"] for row in judge.rows if row["fate"] == "kept"}


def test_shared_numbers_are_not_merged(folder_session: Path) -> None:
    judge = Judge(folder_session)
    assert {n: judge.files_in_log(n) for n in judge.states()} == {
        30: 2,
        **dict.fromkeys((40, 50, 60, 70), 150),
        **dict.fromkeys((100040, 100050, 100060), 2),
    }


def test_voxels_and_affines_are_those_of_the_reference(folder_session: Path, source: Path) -> None:
    judge = Judge(folder_session)
    names = {number: line.name for number, line in judge.text.images.items()}
    reference = {path.stem: Nifti1Image.from_filename(path) for path in sorted((source.parent / "Ref").glob("*.nii"))}
    for number, name in names.items():
        stem = name.replace(" ", "_") if name.startswith("EPI PE=") else "DCM2NIIX_regression_test"
        expected = reference.pop(f"{stem}_{number // 10 % 10000}")
        image = judge.image(number)
        assert np.array_equal(np.asarray(image.dataobj), np.asarray(expected.dataobj)), number
        assert np.array_equal(image.affine, expected.affine), number
    assert reference == {}


@pytest.mark.parametrize("ending", [".zip", *MODES])
def test_every_packing_gives_the_same_session(ending: str, folder_session: Path, source: Path, tmp_path: Path) -> None:
    session = imported(source, ending, tmp_path)
    Judge(session).check(read_tree(source))
    done = subprocess.run(
        [sys.executable, COMPARE, "--moved", folder_session, session], capture_output=True, text=True, check=False
    )
    differences = [line for line in done.stdout.splitlines() if not is_about_the_packing(line)]
    assert differences == []


def is_about_the_packing(line: str) -> bool:
    """Return whether a difference comes from the packet's name, size or packing, or the order or folders of its members."""
    expected = ("summary.json: packets[0].", "summary.json: ledger.", "ledger.tsv: all: another order", "report.html: ")
    if line.endswith("the same content"):
        return True  # series of a zip stay deflated
    return "'kind': 'directory'" in line or line.startswith(tuple(f"qxbatch/{start}" for start in expected))
