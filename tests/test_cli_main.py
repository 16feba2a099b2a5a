"""The command as a whole: what the first word chooses, and what each end becomes."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qxbatch.cli import start
from qxbatch.cli.main import main
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.settings.model import Settings


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Settings that reached the pipeline."""
    seen = []

    class Pipeline:
        @staticmethod
        def run(settings: Settings) -> int:
            seen.append(settings)
            return 0

    monkeypatch.setattr(start, "import_module", lambda _name: Pipeline)
    return seen


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    folder = tmp_path / "sessions"
    (folder / "inbox/MR").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("first", [[], ["import_dicom"], ["import-dicom"]])
def test_the_references_command_name_is_dropped(first: list[str], runs: list[Settings], sessions: Path) -> None:
    assert main([*first, str(sessions)]) == 0
    assert runs[0].sessionsfolder == sessions


def test_the_current_folder_is_taken_when_none_is_given(
    runs: list[Settings], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sessions)
    assert main([]) == 0
    assert runs[0].masterinbox == sessions / "inbox/MR"


def test_a_folder_named_like_a_part_is_reached_by_its_path(
    runs: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scan/inbox/MR").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert main(["./scan"]) == 0
    assert runs[0].sessionsfolder == tmp_path / "scan"


def test_a_part_that_this_version_lacks_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["regress", "x"]) == 64
    assert "regress" in capsys.readouterr().err


def test_misuse_goes_to_standard_error_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--arch=copy"]) == 64
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--arch" in printed.err
    assert "--archive" in printed.err


def test_a_question_needs_a_terminal(
    sessions: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "terminal", lambda: False)
    assert main([str(sessions), "--check=yes"]) == 64
    assert "--check=any" in capsys.readouterr().err


def test_with_a_terminal_the_question_is_left_to_the_run(
    runs: list[Settings], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "terminal", lambda: True)
    assert main([str(sessions), "--check=yes"]) == 0
    assert len(runs) == 1


def test_the_command_line_wins_over_the_config_file(runs: list[Settings], sessions: Path, tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text('archive = "copy"\ngzip = "file"\n')
    assert main([str(sessions), f"--config={config}", "--archive=leave"]) == 0
    assert (runs[0].archive, runs[0].gzip) == ("leave", "file")


def test_a_study_folder_is_taken_for_its_sessions_and_said_so(
    runs: list[Settings], sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(sessions.parent)]) == 0
    assert runs[0].sessionsfolder == sessions
    assert str(sessions) in capsys.readouterr().err


def test_the_bids_app_form_leaves_packets_where_they_are(runs: list[Settings], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert main([str(tmp_path / "in"), str(tmp_path / "out"), "participant"]) == 0
    assert (runs[0].archive, runs[0].masterinbox, runs[0].bids_app) == ("leave", tmp_path / "in", True)
    assert runs[0].sessionsfolder == tmp_path / "out"


@pytest.mark.parametrize("ending", [KeyboardInterrupt, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupt_is_130(
    ending: Any, monkeypatch: pytest.MonkeyPatch, sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_settings: Settings) -> int:
        if ending is KeyboardInterrupt:
            raise KeyboardInterrupt
        signal.raise_signal(ending)
        return 0

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    before = signal.getsignal(signal.SIGTERM)
    assert main([str(sessions)]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_usage_error_of_a_later_stage_keeps_its_status(
    monkeypatch: pytest.MonkeyPatch, sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_settings: Settings) -> int:
        raise UsageError("dcm2nii is not there.", "Use --tool=auto.", ExitStatus.NO_CONVERTER)

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    assert main([str(sessions)]) == 69
    assert "Use --tool=auto." in capsys.readouterr().err


def test_a_bug_is_a_traceback(monkeypatch: pytest.MonkeyPatch, sessions: Path) -> None:
    def run(_settings: Settings) -> int:
        raise ValueError("a bug")

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    with pytest.raises(ValueError, match="a bug"):
        main([str(sessions)])


def test_a_log_file_that_cannot_be_written_is_73(
    runs: list[Settings], sessions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(sessions), f"--log-file={tmp_path / 'none/log'}"]) == 73
    assert "--log-file" in capsys.readouterr().err
    assert not runs


@pytest.mark.usefixtures("runs")
def test_the_log_file_holds_what_was_said(sessions: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert main([str(sessions.parent), f"--log-file={log}", "--quiet"]) == 0
    assert "study folder" in log.read_text()


def test_a_reader_that_stops_reading_changes_no_status(sessions: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "qxbatch", str(sessions), "--test", "--check=no"]
    done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_sessions_folder_that_session_txt_cannot_name_is_wrong_usage(
    runs: list[Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a:b/inbox/MR").mkdir(parents=True)
    assert main([str(tmp_path / "a:b")]) == 64
    assert "--path-map" in capsys.readouterr().err
    assert main([str(tmp_path / "a:b"), f"--path-map={tmp_path / 'a:b'}=/mnt/study"]) == 0
    assert len(runs) == 1


def test_an_output_folder_that_cannot_be_made_is_73(
    runs: list[Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main([str(tmp_path), str(tmp_path / "file/out"), "participant"]) == 73
    assert "file/out" in capsys.readouterr().err
    assert not runs


@pytest.mark.parametrize(("words", "made"), [([], True), (["--test"], False)])
def test_an_output_folder_is_made_unless_nothing_may_be_written(
    runs: list[Settings], tmp_path: Path, words: list[str], made: bool
) -> None:
    assert main([str(tmp_path), str(tmp_path / "new/out"), "participant", *words]) == 0
    assert (tmp_path / "new/out").is_dir() is made
    assert len(runs) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output_stops_nothing_and_is_said(sessions: Path) -> None:
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "qxbatch", str(sessions), "--test", "--check=no"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert "standard output" in done.stderr
