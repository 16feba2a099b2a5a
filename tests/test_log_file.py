"""The contents of the file written by `--log-file`."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qxbatch.core import VERSION
from qxbatch.settings.parameters import PARAMETERS
from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study, run_main
from tests.build.terminal import Gate, Terminal

TREE = {**under("a", MrSeries(number=3).files()), **under("b", MrSeries(number=4).files())}
TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


def messages(log: Path) -> list[str]:
    """Return the lines of a log without their timestamps; each line must have one."""
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(TIME.match(line) for line in lines), lines
    return [TIME.sub("", line) for line in lines]


def test_the_log_has_command_options_packets_stages_and_problems(study: Study, log: Path) -> None:
    study.put("S1", TREE)
    packet = study.put_bytes("S2.zip", b"PK\x03\x04" + bytes(500))
    study.put_bytes("README", b"stray")
    assert study.run("--gzip=file", f"--log-file={log}").status == 1
    lines = messages(log)
    assert lines[0].startswith(f"qxbatch {VERSION}, Python ")
    assert lines[1] == f"command: qxbatch {study.sessions} --gzip=file --log-file={log}"
    assert "option: --gzip=file" in lines
    assert "option: --archive=move (default)" in lines
    assert "option: --mem is not given" in lines
    assert {line.split()[1].partition("=")[0] for line in lines if line.startswith("option: ")} == {
        each.option for each in PARAMETERS
    }
    assert f"found: {packet} -> S2: ready, 504 bytes" in lines
    assert any(line.startswith(f"found: {study.inbox / 'README'}: stray") for line in lines)
    stages = [line for line in lines if line.startswith("S1: ") and "took" in line]
    assert [line.split()[1] for line in stages] == ["reading", "converting", "recording", "verifying", "publishing"]
    assert any(re.fullmatch(r"S1: series 30: dcm2niix [\d.]+: dcm2niix .*", line) for line in lines)
    assert "S1: series 30: exit status: 0" in lines
    assert any(line.startswith("S2: error (damaged): S2.zip: ") and "Get a sound copy" in line for line in lines)
    assert "3 entries:" in lines
    assert lines[-1] == "exit status 1"


def test_a_log_that_cannot_be_written_is_reported_once_and_the_run_continues(study: Study) -> None:
    study.put("S1", TREE)
    run = study.run("--log-file=/dev/full")
    assert run.status == 0
    assert run.err.count("--log-file=/dev/full lacks lines: no space left on device") == 1
    assert "Traceback" not in run.text
    assert study.session_names() == ["S1"]


def test_the_log_lists_problems_that_the_report_groups(study: Study, log: Path) -> None:
    for k in range(17):
        study.put_bytes(f"P{k}.zip", b"PK\x03\x04" + bytes(500 + k))
    run = study.run(f"--log-file={log}", env={"COLUMNS": "80"})
    assert "17 damaged: " in run.out
    assert all(any(f"P{k}.zip: " in line for line in messages(log) if line.startswith("  ")) for k in range(17))


def test_a_password_is_never_in_the_log(study: Study, log: Path, tmp_path: Path) -> None:
    study.put("S1", TREE)
    passwords = tmp_path / "passwords"
    passwords.write_text("hunter2\n")
    assert study.run(f"--password-file={passwords}", f"--log-file={log}").status == 0
    assert f"option: --password-file={passwords}" in messages(log)
    assert "hunter2" not in log.read_text()


def test_the_log_is_complete_after_ctrl_c(study: Study, log: Path, tmp_path: Path) -> None:
    study.put("S1", TREE)
    with Terminal(str(study.sessions), f"--log-file={log}", env=Gate(tmp_path).env) as terminal:
        terminal.until(lambda screen: "converting" in screen)
        terminal.press_ctrl_c()
        assert terminal.wait() == 130
    lines = messages(log)
    assert "S1: stopped; no session was written" in lines
    assert lines[-2:] == ["interrupted", "exit status 130"]


def test_the_log_is_complete_until_the_run_is_killed(study: Study, log: Path, tmp_path: Path) -> None:
    study.put("S1", TREE)
    with Terminal(str(study.sessions), f"--log-file={log}", env=Gate(tmp_path).env) as terminal:
        terminal.until(lambda screen: "converting" in screen)
        terminal.process.send_signal(signal.SIGKILL)
        assert terminal.wait() == -signal.SIGKILL
    assert messages(log)[-1] == "S1: converting"


def test_a_deidentified_log_contains_no_patient(study: Study, log: Path) -> None:
    study.put("X1_Doe_Jane", MrSeries(number=3, patient="SECRET77", name="Doe^Jane").files())
    study.put_bytes("Doe_Jane.txt", b"stray")
    study.put_bytes("X2_Doe_Jane.zip", b"PK\x03\x04" + bytes(500))
    names = "--nameformat=(?P<subject_id>X[0-9]+).*"
    run = study.run("--deidentify-logs", names, "--sessions=.*Doe.*,X1", f"--log-file={log}")
    assert run.status == 1, run.text
    text = log.read_text()
    assert not re.search("doe|jane|secret77", text, re.IGNORECASE), text
    assert f"found: {study.inbox}/(name left out) -> X1: ready" in text
    assert "X1: converting took" in text


@pytest.mark.parametrize("source", ["switch", "logfile", "config"])
def test_a_deidentified_log_of_a_worker_contains_no_packet_name(
    study: Study, log: Path, tmp_path: Path, source: str
) -> None:
    study.put("X1_Doe_Jane", MrSeries(number=3, patient="SECRET77", name="Doe^Jane").files())
    (tmp_path / "table.csv").write_text("packet,subject\nX1_Doe_Jane,X1\n")
    config = tmp_path / "config.toml"
    config.write_text("deidentify-logs = true\n")
    option = {
        "switch": "--deidentify-logs",
        "logfile": f"--logfile=path:{tmp_path / 'table.csv'}|packet_name:packet|subject_id:subject",
        "config": f"--config={config}",
    }[source]
    names = "--nameformat=(?P<subject_id>X[0-9]+).*"
    run = run_main("worker", str(study.sessions), "--packet=X1_Doe_Jane.zip", names, option, f"--log-file={log}")
    assert run.status == 0, run.text
    assert not re.search("doe|jane|secret77", log.read_text(), re.IGNORECASE), log.read_text()


def test_a_usage_error_is_in_the_log(study: Study, log: Path) -> None:
    study.put("S1", TREE)
    run = study.run("--tool=dcm2nii", f"--log-file={log}", env={"QXBATCH_DCM2NII": "/no/such/program"})
    assert run.status == 69
    assert "dcm2nii" in messages(log)[-2]
    assert messages(log)[-1] == "exit status 69"


def test_the_log_of_convert_has_its_command_and_options(study: Study, log: Path) -> None:
    study.put("S1", TREE)
    assert study.run().status == 0
    arguments = ["convert", str(study.session("S1")), "--overwrite", f"--log-file={log}"]
    process = subprocess.run([sys.executable, "-m", "qxbatch", *arguments], capture_output=True, check=False)
    assert process.returncode == 0
    lines = messages(log)
    assert lines[1] == f"command: qxbatch {' '.join(arguments)}"
    assert "option: --overwrite=yes" in lines
    assert any("S1: series 30: dcm2niix" in line for line in lines)
