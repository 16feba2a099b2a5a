"""Files and folders that options name as outputs: writing them neither overwrites nor changes data."""

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import qxbatch
from qxbatch.cli.commands import COMMANDS
from qxbatch.exits import ExitStatus
from qxbatch.model import Report
from qxbatch.report import json_file
from qxbatch.report.output_files import why_json_file_refused
from qxbatch.settings.model import Settings
from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study, run_main, snapshot

OPTIONS = pytest.mark.parametrize("option", ["--json-file", "--log-file"])
FILES = MrSeries().files()


@OPTIONS
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("study.json", "a file that the import itself writes"),
        ("report.html.1", "a file that the import itself writes"),
        ("study.tsv.2", "a file that the import itself writes"),
        ("archive/MR/S1.zip", "in the archive"),
        ("inbox/MR/S2.zip", "in the master inbox"),
        ("inbox/MR/new.log", "in the master inbox"),
        ("S1/session.txt", "in the session folder S1"),
        ("S1/nii/new.log", "in the session folder S1"),
        (".qxbatch/new.log", "in the folder of qxbatch's own records"),
    ],
)
def test_an_output_cannot_be_a_file_of_the_study(study: Study, option: str, name: str, what: str) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    study.put("S2", FILES)
    path = study.sessions / name
    before = path.read_bytes() if path.exists() else None
    run = study.main(f"{option}={path}", "--overwrite=yes", "--archive=leave")
    assert run.status == ExitStatus.USAGE
    assert f"{option}={path} is {what}" in run.text
    assert (path.read_bytes() if path.exists() else None) == before


@OPTIONS
@pytest.mark.parametrize("name", ["nii/run", "dicom/run", "dicom/log/run", "qxbatch/run", "inbox/run", "session.txt"])
def test_an_output_is_not_taken_for_a_session(study: Study, option: str, name: str) -> None:
    study.put("S1", FILES)
    path = study.session("S2") / name
    if path.parent.name != "inbox":
        path.parent.mkdir(parents=True)
    run = study.main(f"{option}={path}")
    assert run.status == ExitStatus.USAGE
    assert f"{option}={path} is in the session folder S2" in run.text
    assert not path.exists()
    beside = study.session("S2") / "hcp" / "run"
    beside.parent.mkdir(parents=True)
    assert study.main(f"{option}={beside}").status == 0
    study.put("S2", FILES)
    assert study.main().status == 0
    assert (study.session("S2") / "session.txt").exists()
    assert beside.exists()


@OPTIONS
def test_an_output_cannot_be_a_link_into_the_archive(study: Study, option: str, tmp_path: Path) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    archived = study.archive / "S1.zip"
    before = archived.read_bytes()
    link = tmp_path / "run.log"
    link.symlink_to(archived)
    assert study.main(f"{option}={link}", "--check=no").status == ExitStatus.USAGE
    assert archived.read_bytes() == before


@OPTIONS
def test_an_output_can_be_beside_the_sessions_in_an_inbox_around_them(study: Study, option: str) -> None:
    path = study.sessions.parent / "run.log"
    assert study.main(f"--masterinbox={study.sessions.parent}", "--check=no", f"{option}={path}").status == 0
    assert path.exists()


def test_a_summary_replaces_only_a_summary(study: Study, tmp_path: Path) -> None:
    study.put("S1", FILES)
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    run = study.main(f"--json-file={path}")
    assert run.status == ExitStatus.USAGE
    assert f"--json-file={path} exists and is not the summary of a run" in run.text
    assert path.read_text() == "my notes"
    path.write_text("")
    assert study.main(f"--json-file={path}").status == 0
    path.write_text(json.dumps(json.loads(path.read_bytes())))  # as another program formats it
    assert study.main(f"--json-file={path}", "--check=no").status == 0
    assert json.loads(path.read_bytes())["exit_status"] == 0


def test_the_summary_of_a_worker_replaces_only_a_summary(study: Study, tmp_path: Path) -> None:
    packet = study.put("S1", FILES)
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    run = run_main("worker", str(study.sessions), f"--packet={packet.name}", f"--json-file={path}")
    assert run.status == ExitStatus.USAGE
    assert "exists and is not the summary of a run" in run.text
    assert path.read_text() == "my notes"


@OPTIONS
def test_an_output_can_be_a_standard_stream(study: Study, option: str) -> None:
    assert study.run(f"{option}=/dev/stdout", "--check=no").status == 0


@OPTIONS
def test_a_study_in_shared_memory_is_protected_too(option: str) -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        study = Study(Path(folder))
        study.put("S1", FILES)
        assert study.main().status == 0
        packet = study.archive / "S1.zip"
        before = packet.read_bytes()
        for path in (packet, f"/proc/self/root{packet}"):
            run = study.main(f"{option}={path}", "--check=no")
            assert run.status == ExitStatus.USAGE, run.text
        assert packet.read_bytes() == before


def command_line(command: str, option: str, study: Study, tmp_path: Path) -> list[str]:
    """Return a call of a command that has outputs."""
    session = study.session("S1")
    bids = ["--rules=rules.toml", "--shift-dates"] if option == "--shift-table" else []
    return {
        "import": [str(study.sessions), "--check=no"],
        "sort": ["sort", str(session)],
        "convert": ["convert", str(session)],
        "demo": ["demo", str(tmp_path / "demo"), "--packets-only"],
        "worker": ["worker", str(study.sessions), "--packet=S1"],
        "protocol": ["protocol", "learn", str(study.sessions), "--overwrite=yes"],
        "bids": ["bids", str(study.sessions), str(tmp_path / "bids"), "--overwrite=yes", *bids],
    }[command]


def outputs() -> list[tuple[str, str]]:
    """Return each command with each of its outputs."""
    of_commands = [
        (name, parameter.option)
        for name, command in COMMANDS.items()
        for parameter in command.parameters
        if parameter.option in ("--log-file", "--json-file") or (name, parameter.name) in MORE_OUTPUTS
    ]
    return [("import", "--log-file"), ("import", "--json-file"), *of_commands]


MORE_OUTPUTS = (("protocol", "output"), ("bids", "init"), ("bids", "shift_table"))
"""Commands, each with a parameter that names an output besides the log and the summary."""
EVERY_OUTPUT = pytest.mark.parametrize(("command", "option"), outputs())


def test_the_commands_with_outputs_are_known() -> None:
    assert {command for command, _ in outputs()} == {
        *("import", "sort", "convert", "demo", "worker", "protocol", "bids")
    }


@EVERY_OUTPUT
def test_no_output_of_a_command_changes_a_packet(study: Study, tmp_path: Path, command: str, option: str) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    packet = study.archive / "S1.zip"
    before = packet.read_bytes()
    link = tmp_path / "link.log"
    link.symlink_to(packet)
    for path in (packet, link, Path(f"/proc/self/root{packet}")):
        run = run_main(*command_line(command, option, study, tmp_path), f"{option}={path}")
        assert run.status == ExitStatus.USAGE, run.text
        assert f"{option}={path} " in run.text
        assert packet.read_bytes() == before


@EVERY_OUTPUT
def test_no_output_of_a_command_is_in_another_study(study: Study, tmp_path: Path, command: str, option: str) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    other = Study(tmp_path / "other")
    other.put("S1", FILES)
    assert other.main().status == 0
    before = snapshot(other.sessions)
    for name in ("archive/MR/new", "inbox/MR/new", "S1/nii/new", "S1/qxbatch/summary.json", "report.html.1"):
        run = run_main(*command_line(command, option, study, tmp_path), f"{option}={other.sessions / name}")
        assert run.status == ExitStatus.USAGE, run.text
    assert snapshot(other.sessions) == before


@pytest.mark.parametrize(("command", "option"), [output for output in outputs() if output[1] != "--shift-table"])
def test_no_output_of_a_command_changes_other_files(study: Study, tmp_path: Path, command: str, option: str) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    inside = study.session("S9") / "hcp"  # a folder of another step, without results
    inside.mkdir(parents=True)
    hard_link = tmp_path / "packet"
    hard_link.hardlink_to(study.archive / "S1.zip")
    (tmp_path / "notes.txt").write_text("my notes")
    (inside / "notes.txt").write_text("my notes")
    for path in (tmp_path / "notes.txt", inside / "notes.txt", hard_link):
        before = path.read_bytes()
        run = run_main(*command_line(command, option, study, tmp_path), f"{option}={path}")
        assert run.status == ExitStatus.USAGE
        assert f"{option}={path} exists and is not " in run.text
        assert path.read_bytes() == before


@OPTIONS
def test_an_output_is_not_in_a_linked_inbox(study: Study, tmp_path: Path, option: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    session = study.session("S1")
    session.mkdir()
    (session / "inbox").symlink_to(elsewhere)
    for command in (["--masterinbox=none", "--sessions=S1"], []):
        run = study.main(*command, f"{option}={session}/inbox/new.log", "--check=no")
        assert run.status == ExitStatus.USAGE
        assert "is in the session folder S1" in run.text
    assert run_main("sort", str(session), f"{option}={session}/inbox/new.log").status == ExitStatus.USAGE
    assert list(elsewhere.iterdir()) == []


def test_a_log_is_continued(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    for number in (1, 2):
        assert study.main(f"--log-file={path}", "--check=no").status == 0
        assert path.read_text().count("command: ") == number


def test_the_log_of_another_program_is_not_continued(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_text("2026-01-02 03:04:05,678 INFO another program\n")
    run = study.main(f"--log-file={path}", "--check=no")
    assert run.status == ExitStatus.USAGE
    assert f"--log-file={path} exists and is not " in run.text


def test_a_log_that_begins_with_a_note_is_continued(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    for number in (1, 2):
        assert study.main(f"--log-file={path}", "--check=no", "--existing-structure=yes").status == 0
        assert path.read_text().count("command: ") == number


def test_the_summary_of_a_script_does_not_change_a_packet(study: Study) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    packet = study.archive / "S1.zip"
    before = packet.read_bytes()
    with pytest.raises(qxbatch.UsageError, match="in the archive"):
        qxbatch.import_packets(study.sessions, json_file=packet)
    assert packet.read_bytes() == before


STUDY_PATHS = (
    ".qxbatch/work/ds",
    ".qxbatch",
    "archive/MR/ds",
    "archive/bids",
    "S1",
    "S1/ds",
    "S1/nii/ds",
    "report.html",
)


def folder_command(command: str, study: Study, folder: Path, tmp_path: Path) -> list[str]:
    """Return a call of a command that writes a folder."""
    (tmp_path / "rules.toml").write_text('[[rule]]\nmatch = {}\nexclude = "none"\n')
    return {
        "bids": ["bids", str(study.sessions), str(folder), f"--rules={tmp_path / 'rules.toml'}"],
        "split": ["split", str(study.archive / "S1.zip"), f"--output={folder}"],
        "demo": ["demo", str(folder), "--packets-only"],
    }[command]


@pytest.mark.parametrize("command", ["bids", "split", "demo"])
def test_no_folder_that_a_command_writes_is_in_a_study(study: Study, tmp_path: Path, command: str) -> None:
    other = Study(tmp_path / "other")
    for each in (study, other):
        each.put("S1", FILES)
        assert each.main().status == 0
        (each.sessions / ".qxbatch").mkdir(exist_ok=True)
    before = snapshot(study.sessions), snapshot(other.sessions)
    names = STUDY_PATHS if command == "split" else (*STUDY_PATHS, "inbox/MR", "inbox/MR/ds")
    link = tmp_path / "link"
    link.symlink_to(study.sessions / "archive")
    for path in (link / "ds", *(each.sessions / name for each in (study, other) for name in names)):
        run = run_main(*folder_command(command, study, path, tmp_path))
        assert run.status == ExitStatus.USAGE, (path, run.text)
    assert (snapshot(study.sessions), snapshot(other.sessions)) == before


def test_a_packet_can_be_split_into_the_inbox(study: Study) -> None:
    packet = study.put("S1", FILES)
    assert run_main("split", str(packet), f"--output={study.inbox / 'parts'}").status == 0
    assert run_main("split", str(packet)).status == 0
    assert (study.inbox / "S1_split").is_dir()


def at_the_end(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Call `change` at the end of the run, after the path of the summary is checked and before it is written."""

    def changed(report: Report, status: int) -> dict[str, object]:
        change()
        return as_json(report, status)

    as_json = json_file.as_json
    monkeypatch.setattr(json_file, "as_json", changed)


def before_the_check(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Call `change` at the end of the run, before the path of the summary is checked again."""

    def changed(path: Path, settings: Settings) -> str:
        change()
        return why_json_file_refused(path, settings)

    monkeypatch.setattr(json_file, "why_json_file_refused", changed)


@pytest.mark.parametrize("when", [before_the_check, at_the_end])
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_that_appears_during_the_run_is_not_followed(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: Callable[..., None], exists: bool
) -> None:
    study.put("S1", FILES)
    victim, path = tmp_path / "victim", tmp_path / "run.json"
    if exists:
        victim.touch()
    when(monkeypatch, lambda: path.symlink_to(victim))
    assert study.main(f"--json-file={path}").status == 0
    assert victim.exists() == exists
    assert not exists or victim.read_bytes() == b""
    assert json.loads(path.read_bytes())["exit_status"] == 0
    assert not path.is_symlink()


def test_a_link_into_a_session_that_appears_during_the_run_is_reported(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", FILES)
    path = tmp_path / "run.json"
    before_the_check(monkeypatch, lambda: path.symlink_to(study.session("S1") / "nii" / "remark.txt"))
    run = study.main(f"--json-file={path}")
    assert run.status == ExitStatus.CANNOT_WRITE
    assert f"--json-file={path} cannot be written: it is in the session folder S1" in run.err
    assert not (study.session("S1") / "nii" / "remark.txt").exists()


def test_the_link_of_a_user_to_a_summary_stays(study: Study, tmp_path: Path) -> None:
    path, target = tmp_path / "link.json", tmp_path / "run.json"
    path.symlink_to(target)
    assert study.main(f"--json-file={path}", "--check=no").status == 0
    assert path.is_symlink()
    assert json.loads(target.read_bytes())["exit_status"] == 0


def test_an_old_summary_stays_if_the_disk_is_full(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    assert study.main(f"--json-file={path}", "--check=no").status == 0
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    run = study.main(f"--json-file={path}", "--check=no")
    assert run.status == ExitStatus.CANNOT_WRITE
    assert "no space left" in run.err
    assert [each.name for each in tmp_path.iterdir() if "run.json" in each.name] == ["run.json"]
    assert path.read_bytes() == before


def test_a_summary_that_cannot_be_replaced_is_written_in_place(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    path.touch()

    def busy(*_: object) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))  # as for a file that is bound into a container

    monkeypatch.setattr(json_file, "replace_text", busy)
    assert study.main(f"--json-file={path}", "--check=no").status == 0
    assert json.loads(path.read_bytes())["exit_status"] == 0


@OPTIONS
def test_a_fifo_without_a_reader_is_reported_at_once(study: Study, tmp_path: Path, option: str) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    run = study.run(f"{option}={path}", "--check=no")
    assert run.status == ExitStatus.CANNOT_WRITE
    assert f"{option}={path} cannot be written: no program reads this FIFO" in run.err


@OPTIONS
def test_a_fifo_with_a_reader_gets_the_output(study: Study, tmp_path: Path, option: str) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert study.main(f"{option}={path}", "--check=no").status == 0
        assert b"exit" in os.read(reader, 1 << 16)
    finally:
        os.close(reader)


@OPTIONS
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_an_output_does_not_take_the_name_of_a_waiting_session(study: Study, option: str, kind: Kind) -> None:
    study.put("S1", FILES, kind)
    run = study.main(f"{option}={study.sessions / 'S1'}")
    assert run.status == ExitStatus.USAGE
    assert "is the session folder of a packet that waits in the master inbox" in run.text
    assert study.main(f"{option}={study.sessions / 'run.log'}").status == 0
    assert study.session("S1").is_dir()


@OPTIONS
def test_an_output_is_not_a_disk(study: Study, tmp_path: Path, option: str) -> None:
    disk = tmp_path / "disk"
    try:
        os.mknod(disk, stat.S_IFBLK | 0o600, os.makedev(0, 0))  # no driver has this number
    except PermissionError:
        pytest.skip("needs root to create a device")
    study.put("S1", MrSeries().files())
    run = study.main(f"{option}={disk}")
    assert run.status == ExitStatus.USAGE, run.text
    assert f"{option}={disk} exists and is not" in run.err
    assert study.session_names() == []
