"""Outputs in the sessions folder that would make it a session are refused."""

from pathlib import Path

import pytest

from qxbatch.exits import ExitStatus
from tests.build.dicom import MrSeries
from tests.build.study import Study, run_main, snapshot

NAMES = ("session.txt", "nii/x", "dicom/x", "dicom/a/x", "qxbatch/summary.json", "qxbatch/ledger.tsv")
WHY = "is where only a session has files: the sessions folder would be taken for a session"


@pytest.fixture
def imported(study: Study) -> Study:
    """A study with one session, and the folders of a session beside it."""
    study.put("S1", MrSeries().files())
    assert study.main().status == 0
    for name in ("nii", "dicom/a", "qxbatch"):
        (study.sessions / name).mkdir(parents=True)
    return study


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", ["--json-file", "--log-file"])
def test_an_output_does_not_make_the_sessions_folder_a_session(imported: Study, option: str, name: str) -> None:
    before = snapshot(imported.sessions)
    run = imported.main(f"{option}={imported.sessions / name}")
    assert run.status == ExitStatus.USAGE, run.text
    assert WHY in run.text
    assert snapshot(imported.sessions) == before
    assert run_main("verify", str(imported.sessions)).status == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_does_not_make_the_sessions_folder_a_session(imported: Study, name: str) -> None:
    run = run_main("protocol", "learn", str(imported.sessions), f"--output={imported.sessions / name}")
    assert run.status == ExitStatus.USAGE, run.text
    assert WHY in run.text


@pytest.mark.parametrize("name", ["nii", "dicom/a", "session.txt"])
def test_a_folder_of_an_output_does_not_make_the_sessions_folder_a_session(
    imported: Study, tmp_path: Path, name: str
) -> None:
    packet = tmp_path / "packet"
    packet.mkdir()
    (packet / "a.dcm").write_bytes(next(iter(MrSeries().files().values())))
    before = snapshot(imported.sessions)
    folder = imported.sessions / name
    for words in (["split", str(packet), f"--output={folder}"], ["demo", str(folder)]):
        run = run_main(*words)
        assert run.status == ExitStatus.USAGE, run.text
        assert WHY in run.text
    assert snapshot(imported.sessions) == before


@pytest.mark.parametrize("name", ["run.txt", "qxbatch/run.txt"])
def test_another_output_in_the_sessions_folder_is_written(imported: Study, name: str) -> None:
    path = imported.sessions / name
    assert imported.main(f"--log-file={path}", "--check=no").status == 0
    assert path.exists()
    assert run_main("verify", str(imported.sessions)).status == 0
