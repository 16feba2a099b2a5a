"""The command as a whole: what the first word chooses, and what each end becomes."""

import signal

import pytest

from qxbatch.cli import start
from qxbatch.cli.main import main
from qxbatch.problems import UsageError


@pytest.fixture
def runs(monkeypatch):
    """Settings that reached the pipeline."""
    seen = []

    class Pipeline:
        @staticmethod
        def run(settings):
            seen.append(settings)
            return 0

    monkeypatch.setattr(start, "import_module", lambda _name: Pipeline)
    return seen


@pytest.fixture
def sessions(tmp_path):
    folder = tmp_path / "sessions"
    (folder / "inbox/MR").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("first", [[], ["import_dicom"], ["import-dicom"]])
def test_the_references_command_name_is_dropped(first, runs, sessions):
    assert main([*first, str(sessions)]) == 0
    assert runs[0].sessionsfolder == sessions


def test_the_current_folder_is_taken_when_none_is_given(runs, sessions, monkeypatch):
    monkeypatch.chdir(sessions)
    assert main([]) == 0
    assert runs[0].masterinbox == sessions / "inbox/MR"


def test_a_folder_named_like_a_part_is_reached_by_its_path(runs, tmp_path, monkeypatch):
    (tmp_path / "scan/inbox/MR").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert main(["./scan"]) == 0
    assert runs[0].sessionsfolder == tmp_path / "scan"


def test_a_part_that_this_version_lacks_is_wrong_usage(capsys):
    assert main(["regress", "x"]) == 64
    assert "regress" in capsys.readouterr().err


def test_misuse_goes_to_standard_error_with_its_hint(capsys):
    assert main(["--arch=copy"]) == 64
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--arch" in printed.err
    assert "--archive" in printed.err


def test_a_question_needs_a_terminal(sessions, capsys, monkeypatch):
    monkeypatch.setattr(start, "terminal", lambda: False)
    assert main([str(sessions), "--check=yes"]) == 64
    assert "--check=any" in capsys.readouterr().err


def test_with_a_terminal_the_question_is_left_to_the_run(runs, sessions, monkeypatch):
    monkeypatch.setattr(start, "terminal", lambda: True)
    assert main([str(sessions), "--check=yes"]) == 0
    assert len(runs) == 1


def test_the_command_line_wins_over_the_config_file(runs, sessions, tmp_path):
    config = tmp_path / "study.toml"
    config.write_text('archive = "copy"\ngzip = "file"\n')
    assert main([str(sessions), f"--config={config}", "--archive=leave"]) == 0
    assert (runs[0].archive, runs[0].gzip) == ("leave", "file")


def test_a_study_folder_is_taken_for_its_sessions_and_said_so(runs, sessions, capsys):
    assert main([str(sessions.parent)]) == 0
    assert runs[0].sessionsfolder == sessions
    assert str(sessions) in capsys.readouterr().err


def test_the_bids_app_form_leaves_packets_where_they_are(runs, tmp_path):
    (tmp_path / "in").mkdir()
    assert main([str(tmp_path / "in"), str(tmp_path / "out"), "participant"]) == 0
    assert (runs[0].archive, runs[0].masterinbox, runs[0].bids_app) == ("leave", tmp_path / "in", True)
    assert runs[0].sessionsfolder == tmp_path / "out"


@pytest.mark.parametrize("ending", [KeyboardInterrupt, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupt_is_130(ending, monkeypatch, sessions, capsys):
    def run(_settings):
        if ending is KeyboardInterrupt:
            raise KeyboardInterrupt
        signal.raise_signal(ending)
        return 0

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    before = signal.getsignal(signal.SIGTERM)
    assert main([str(sessions)]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_usage_error_of_a_later_stage_keeps_its_status(monkeypatch, sessions, capsys):
    def run(_settings):
        raise UsageError("dcm2nii is not there.", "Use --tool=auto.", 69)

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    assert main([str(sessions)]) == 69
    assert "Use --tool=auto." in capsys.readouterr().err


def test_a_bug_is_a_traceback(monkeypatch, sessions):
    def run(_settings):
        raise ValueError("a bug")

    monkeypatch.setattr(start, "import_module", lambda _name: type("Pipeline", (), {"run": staticmethod(run)}))
    with pytest.raises(ValueError, match="a bug"):
        main([str(sessions)])


def test_a_log_file_that_cannot_be_written_is_73(runs, sessions, tmp_path, capsys):
    assert main([str(sessions), f"--log-file={tmp_path / 'none/log'}"]) == 73
    assert "--log-file" in capsys.readouterr().err
    assert not runs


def test_the_log_file_holds_what_was_said(runs, sessions, tmp_path):
    log = tmp_path / "log.txt"
    assert main([str(sessions.parent), f"--log-file={log}", "--quiet"]) == 0
    assert "study folder" in log.read_text()
