"""dcm_qa_nih: two studies of one person that share series numbers, against its reference images."""

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.build.packets import read_tree
from tests.build.study import Study
from tests.endtoend.judge import Judge

COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"
PACK = {
    ".zip": "import shutil, sys; shutil.make_archive(sys.argv[2].removesuffix('.zip'), 'zip', sys.argv[1])",
    ".tar": "import tarfile, sys; tarfile.open(sys.argv[2], 'w').add(sys.argv[1], '.')",
    ".tar.gz": "import tarfile, sys; tarfile.open(sys.argv[2], 'w:gz', compresslevel=1).add(sys.argv[1], '.')",
    ".tgz": "import tarfile, sys; tarfile.open(sys.argv[2], 'w:gz', compresslevel=1).add(sys.argv[1], '.')",
    ".tar.bz2": "import tarfile, sys; tarfile.open(sys.argv[2], 'w:bz2', compresslevel=1).add(sys.argv[1], '.')",
    ".tar.xz": "import tarfile, sys; tarfile.open(sys.argv[2], 'w:xz', preset=0).add(sys.argv[1], '.')",
}
pytestmark = pytest.mark.data


def imported(source: Path, ending: str, root: Path) -> Path:
    """Import a folder packed in one way; return the session."""
    study = Study(root)
    packet = study.inbox / f"nih{ending}"
    if ending:
        subprocess.run([sys.executable, "-c", PACK[ending], source, packet], check=True)
    else:
        subprocess.run(["cp", "-r", source, packet], check=True)
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
    """Return the session made of the set as a folder."""
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
    assert {n: judge.found(n) for n in judge.states()} == {
        30: 2,
        **dict.fromkeys((40, 50, 60, 70), 150),
        **dict.fromkeys((100040, 100050, 100060), 2),
    }


def test_voxels_and_affines_are_those_of_the_reference(folder_session: Path, source: Path) -> None:
    judge = Judge(folder_session)
    names = {number: line.name for number, line in judge.text.images.items()}
    reference = {path.stem: nibabel.load(path) for path in sorted((source.parent / "Ref").glob("*.nii"))}
    assert len(reference) == len(names)
    left = dict(reference)
    for number, name in names.items():
        series = number // 10 % 10000
        (key,) = [
            stem
            for stem in left
            if stem == f"{name}_{series}" or (stem.endswith(f"_{series}") and "EPI PE" not in name)
        ]
        expected = left.pop(key)
        image = judge.image(number)
        assert np.array_equal(np.asarray(image.dataobj), np.asarray(expected.dataobj)), (number, key)  # type: ignore[attr-defined]
        assert np.array_equal(image.affine, expected.affine), (number, key)  # type: ignore[attr-defined]


@pytest.mark.parametrize("ending", PACK)
def test_every_packing_gives_the_same_session(ending: str, folder_session: Path, source: Path, tmp_path: Path) -> None:
    session = imported(source, ending, tmp_path)
    Judge(session).check(read_tree(source))
    done = subprocess.run(
        [sys.executable, COMPARE, "--moved", folder_session, session], capture_output=True, text=True, check=False
    )
    other = [line for line in done.stdout.splitlines() if not is_about_the_packing(line)]
    assert other == []


def is_about_the_packing(line: str) -> bool:
    """Say whether a difference is of the packet itself: its name and size, and rows of its folders."""
    path, _, rest = line.partition(": ")
    if path == "qxbatch/summary.json":
        return rest.startswith(("packets[0].", "ledger."))
    return path == "qxbatch/ledger.tsv" and ("directory" in rest or "nodata" in rest)
