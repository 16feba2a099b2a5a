"""7z packets from the inbox to the session, created here and by 7-Zip."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder
from tests.build.sevenz import sevenz
from tests.build.study import Study

SERIES = MrSeries(number=3, slices=6, description="T1w")
TREE = under("T1", SERIES.files())
PASSWORD = "of ASCII only"


def ledger(study: Study, session: str = "S1") -> list[list[str]]:
    lines = (study.session(session) / "qxbatch" / "ledger.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def test_a_7z_gives_the_same_ledger_as_a_zip(tmp_path: Path) -> None:
    studies = Study(tmp_path / "zip"), Study(tmp_path / "7z")
    for study, kind in zip(studies, (Kind.ZIP, Kind.SEVENZ), strict=True):
        study.put("S1", TREE, kind)
        run = study.main()
        assert run.status == 0, run.text
    of_zip, of_7z = (ledger(study) for study in studies)
    assert of_7z == of_zip
    assert [path.name for path in studies[1].archive.iterdir()] == ["S1.7z"]


def test_an_archive_in_the_inbox_of_a_session_is_opened(study: Study) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "scan.7z").write_bytes(sevenz(TREE))
    run = study.main("--masterinbox=none", "--sessions=S1")
    assert run.status == 0, run.text
    assert {row[5] for row in ledger(study)} == {"sorted"}
    assert ledger(study)[0][0].startswith("scan.7z!T1/")


def test_a_damaged_packet_is_refused_and_with_keep_its_readable_files_are_imported(study: Study) -> None:
    study.put_bytes("S1.7z", sevenz(TREE, wrong_crc=next(iter(TREE))))
    run = study.main()
    assert (run.status, study.session_names()) == (1, [])
    assert "is damaged" in run.text
    study.main("--on-damaged=keep")
    assert sorted(row[5] for row in ledger(study)) == ["refused", *["sorted"] * 5]
    assert (study.inbox / "S1.7z").exists()


@pytest.mark.parametrize(
    "options", [[], ["-mhe=on"], ["-ms=off"], ["-m0=ppmd"]], ids=["aes", "aes list", "not solid", "ppmd"]
)
def test_a_packet_that_7_zip_encrypts_is_opened_with_its_password(
    options: list[str], study: Study, tmp_path: Path
) -> None:
    if not shutil.which("7z"):
        pytest.skip("7z is not installed: packets of that program are not tried")
    write_folder(TREE, tmp_path / "tree")
    command = ["7z", "a", "-bd", *options, f"-p{PASSWORD}", str(study.inbox / "S1.7z"), "T1"]
    subprocess.run(command, cwd=tmp_path / "tree", check=True, stdout=subprocess.DEVNULL)
    run = study.main()
    assert run.status == 1
    assert "cannot be opened" in run.text
    assert "--password-file=FILE" in run.text
    words = tmp_path / "words"
    words.write_text(f"another\n{PASSWORD}\n", encoding="utf-8")
    run = study.main(f"--password-file={words}")
    assert run.status == 0, run.text
    assert PASSWORD not in run.text
    assert {row[5] for row in ledger(study)} <= {"sorted", "nodata"}
