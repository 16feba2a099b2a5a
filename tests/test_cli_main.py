"""The command line as a whole: the first word selects a command, and each outcome has an exit status."""

import errno
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
    """Return the list of settings that reach the pipeline."""
    passed = []

    class Pipeline:
        @staticmethod
        def run(settings: Settings) -> int:
            passed.append(settings)
            return 0

    monkeypatch.setattr(start, "import_module", lambda _name: Pipeline)
    return passed


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    folder = tmp_path / "sessions"
    (folder / "inbox/MR").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("first", [[], ["import_dicom"], ["import-dicom"]])
def test_the_command_name_import_dicom_is_optional(first: list[str], runs: list[Settings], sessions: Path) -> None:
    assert main([*first, str(sessions)]) == 0
    assert runs[0].sessionsfolder == sessions


def test_the_default_sessions_folder_is_the_current_folder(
    runs: list[Settings], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sessions)
    assert main([]) == 0
    assert runs[0].masterinbox == sessions / "inbox/MR"


def test_a_folder_with_the_name_of_a_command_is_selected_by_its_path(
    runs: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scan/inbox/MR").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert main(["./scan"]) == 0
    assert runs[0].sessionsfolder == tmp_path / "scan"


def test_a_command_that_does_not_exist_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["regress", "x"]) == 64
    assert "regress" in capsys.readouterr().err


def test_wrong_usage_is_reported_on_standard_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--arch=copy"]) == 64
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--arch" in printed.err
    assert "--archive" in printed.err


def test_a_question_needs_a_terminal(
    sessions: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "has_terminal", lambda: False)
    assert main([str(sessions), "--check=yes"]) == 64
    assert "--check=any" in capsys.readouterr().err


def test_a_run_with_a_terminal_is_allowed_to_ask(
    runs: list[Settings], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "has_terminal", lambda: True)
    assert main([str(sessions), "--check=yes"]) == 0
    assert len(runs) == 1


def test_the_command_line_overrides_the_config_file(runs: list[Settings], sessions: Path, tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text('archive = "copy"\ngzip = "file"\n')
    assert main([str(sessions), f"--config={config}", "--archive=leave"]) == 0
    assert (runs[0].archive, runs[0].gzip) == ("leave", "file")


def test_a_study_folder_selects_its_sessions_folder_with_a_message(
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


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupt_exits_with_130(
    interrupt: Any, monkeypatch: pytest.MonkeyPatch, sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_settings: Settings) -> int:
        if interrupt is KeyboardInterrupt:
            raise KeyboardInterrupt
        signal.raise_signal(interrupt)
        return 0

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    before = signal.getsignal(signal.SIGTERM)
    assert main([str(sessions)]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("module", ["qxbatch.exits", "qxbatch.cli.commands", "qxbatch.cli.run_command"])
def test_ctrl_c_while_modules_are_imported_is_no_traceback(module: str) -> None:
    code = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r} and self in sys.meta_path:\n"
        "            sys.meta_path.remove(self)\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from qxbatch.cli.main import main\n"
        "sys.argv = ['qxbatch', 'doctor']\n"
        "sys.exit(main())\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 130, run.stderr
    assert run.stderr.splitlines() == ["qxbatch: interrupted; the next run clears or finishes what this one left."]


def test_a_usage_error_of_the_pipeline_keeps_its_exit_status(
    monkeypatch: pytest.MonkeyPatch, sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_settings: Settings) -> int:
        raise UsageError("dcm2nii was not found.", "Use --tool=auto.", ExitStatus.UNAVAILABLE)

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    assert main([str(sessions)]) == 69
    assert "Use --tool=auto." in capsys.readouterr().err


def test_a_bug_raises_its_exception(monkeypatch: pytest.MonkeyPatch, sessions: Path) -> None:
    def run(_settings: Settings) -> int:
        raise ValueError("a bug")

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    with pytest.raises(ValueError, match="a bug"):
        main([str(sessions)])


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.EMFILE])
def test_an_error_of_the_machine_exits_with_73(
    monkeypatch: pytest.MonkeyPatch, sessions: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def run(_settings: Settings) -> int:
        raise OSError(number, os.strerror(number), str(sessions))

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    assert main([str(sessions)]) == 73
    assert f"qxbatch: {sessions}: {os.strerror(number)}".lower() in capsys.readouterr().err.lower()


def test_an_unwritable_log_file_exits_with_73(
    runs: list[Settings], sessions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(sessions), f"--log-file={tmp_path / 'none/log'}"]) == 73
    assert "--log-file" in capsys.readouterr().err
    assert not runs


@pytest.mark.usefixtures("runs")
def test_the_log_file_contains_the_messages(sessions: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert main([str(sessions.parent), f"--log-file={log}", "--quiet"]) == 0
    assert "study folder" in log.read_text()


def test_a_closed_pipe_does_not_change_the_exit_status(sessions: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "qxbatch", str(sessions), "--test", "--check=no"]
    result = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_sessions_folder_that_session_txt_cannot_contain_is_wrong_usage(
    runs: list[Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a:b/inbox/MR").mkdir(parents=True)
    assert main([str(tmp_path / "a:b")]) == 64
    assert "--path-map" in capsys.readouterr().err
    assert main([str(tmp_path / "a:b"), f"--path-map={tmp_path / 'a:b'}=/mnt/study"]) == 0
    assert len(runs) == 1


def test_an_output_folder_that_cannot_be_created_exits_with_73(
    runs: list[Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main([str(tmp_path), str(tmp_path / "file/out"), "participant"]) == 73
    assert "file/out" in capsys.readouterr().err
    assert not runs


@pytest.mark.parametrize(("words", "created"), [([], True), (["--test"], False)])
def test_an_output_folder_is_created_except_in_a_dry_run(
    runs: list[Settings], tmp_path: Path, words: list[str], created: bool
) -> None:
    assert main([str(tmp_path), str(tmp_path / "new/out"), "participant", *words]) == 0
    assert (tmp_path / "new/out").is_dir() is created
    assert len(runs) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output_is_reported_and_does_not_fail_the_run(sessions: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "qxbatch", str(sessions), "--test", "--check=no"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 0
    assert "standard output" in result.stderr
