"""Folders without permissions, full and read-only disks, missing files: each gives a clear message and the correct exit status."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import Study, run_command
from tests.faults.unprivileged import unprivileged

FILES = under("x", MrSeries(number=3, description="T1w").files())


@pytest.fixture
def two_packets(study: Study) -> Iterator[Study]:
    """A study with two packets; permissions that a test removes are restored."""
    study.put("A", FILES, Kind.FOLDER)
    study.put("B", FILES, Kind.ZIP)
    yield study
    subprocess.run(["chmod", "-R", "u+rwX", study.sessions.parents[1]], check=True)


def close(study: Study, relative: str) -> Path:
    """Remove all permissions of a file or folder, and return its path; a missing folder is created."""
    path = study.sessions / relative
    if not path.exists():
        path.mkdir(parents=True)
    path.chmod(0)
    return path


IMPORT = [
    ("inbox/MR", 64, ()),
    ("inbox", 64, ()),
    ("inbox/MR/A", 1, ()),
    ("inbox/MR/A/x", 1, ()),
    ("inbox/MR/B.zip", 1, ()),
    ("A", 1, ()),
    ("A", 1, ("--overwrite",)),
    ("archive/MR", 73, ()),
    ("archive", 73, ()),
    ("", 73, ()),
    ("..", 73, ()),
    (".qxbatch", 73, ()),
    ("../w", 73, ("--work-dir={s}/../w",)),
    ("A", 1, ("--masterinbox=none", "--sessions=*")),
    ("A/inbox", 1, ("--masterinbox=none", "--sessions=*")),
    ("../l", 64, ("--logfile=path:{s}/../l/x.csv|packet_name:1|subject_id:2",)),
    ("../l", 64, ("--config={s}/../l/x.toml",)),
    ("../l", 64, ("--password-file={s}/../l/x",)),
    ("../l", 73, ("--log-file={s}/../l/x",)),
    ("../l", 73, ("--json-file={s}/../l/x",)),
]
COMMANDS = [
    ("A", 1, ("verify", "{s}")),
    ("", 1, ("verify", "{s}")),
    ("A", 1, ("report", "{s}")),
    ("A", 64, ("sort", "{s}/A")),
    ("A", 64, ("convert", "{s}/A")),
    ("inbox/MR", 1, ("scan", "{s}/inbox/MR")),
    ("A", 1, ("inspect", "{s}")),
    ("", 1, ("inspect", "{s}")),
    ("inbox/MR", 1, ("inspect", "{s}/inbox/MR")),
    ("inbox/MR/A/x", 1, ("inspect", "{s}/inbox/MR/A")),
    ("inbox/MR/B.zip", 1, ("inspect", "{s}/inbox/MR/B.zip")),
    ("../w", 73, ("inspect", "{s}/inbox/MR/B.zip", "--work-dir={s}/../w")),
    ("A", 1, ("inspect", "--update", "{s}/A")),
    ("inbox/MR", 64, ("split", "{s}/inbox/MR")),
    ("../o", 73, ("split", "{s}/inbox/MR", "--output={s}/../o")),
    ("A", 73, ("regress", "{s}/A")),
    ("../o", 73, ("{s}/inbox/MR", "{s}/../o", "participant")),
]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [*((path, status, ("{s}", *more)) for path, status, more in IMPORT), *COMMANDS],
    ids=str,
)
def test_a_closed_folder_gives_a_message_with_its_path_and_the_reason(
    two_packets: Study, path: str, status: int, words: tuple[str, ...]
) -> None:
    closed = close(two_packets, path)
    run = unprivileged(*(word.replace("{s}", str(two_packets.sessions)) for word in words))
    text = run.text
    assert run.status == status, text
    assert "Traceback" not in text
    assert "[Errno" not in text
    assert "permission denied" in text
    assert str(closed.resolve() if path != ".." else two_packets.sessions) in text.replace("/sessions/../", "/")


@pytest.mark.parametrize("folder", ["", "A/qxbatch", "A/dicom"])
def test_facts_that_cannot_be_stored_are_reported(two_packets: Study, folder: str) -> None:
    assert unprivileged(str(two_packets.sessions)).status == 0
    report = two_packets.sessions / "A" / "dicom" / "DICOM-Report.txt"
    head, _, table = report.read_text().partition("\n\n")
    rows = [row.rpartition("  ")[0].rstrip() for row in table.splitlines()]  # an older report has no last column
    report.write_text("\n".join([head, "", *rows]) + "\n")
    summary = two_packets.sessions / "A" / "qxbatch" / "summary.json"
    before = summary.read_text().replace('"verdict": "complete"', '"verdict": "incomplete"')
    summary.write_text(before)
    (two_packets.sessions / folder).chmod(0o555)
    run = unprivileged("inspect", "--update", str(two_packets.sessions / "A"))
    assert run.status == 73, run.text
    assert "permission denied" in run.text
    assert "[Errno" not in run.text
    assert (summary.read_text() == before) is (folder != "A/dicom")


def test_a_closed_packet_does_not_stop_the_others(two_packets: Study) -> None:
    close(two_packets, "inbox/MR/A")
    assert unprivileged(str(two_packets.sessions)).status == 1
    assert (two_packets.sessions / "B" / "session.txt").exists()


@pytest.mark.parametrize(
    ("folder", "without_summary", "words"),
    [
        ("A/qxbatch", False, ("inspect", "{s}")),
        ("A/dicom", True, ("inspect", "{s}")),
        ("A/dicom", False, ("inspect", "--update", "{s}")),
        ("A/dicom", False, ("convert", "--overwrite=yes", "{s}/A", "{s}/B")),
    ],
    ids=str,
)
def test_a_closed_folder_of_a_session_does_not_stop_the_command_for_others(
    two_packets: Study, folder: str, without_summary: bool, words: tuple[str, ...]
) -> None:
    sessions = two_packets.sessions
    assert unprivileged(str(sessions)).status == 0
    if without_summary:
        (sessions / "A" / "qxbatch" / "summary.json").unlink()
    close(two_packets, folder)
    run = unprivileged(*(word.replace("{s}", str(sessions)) for word in words))
    assert run.status == 1, run.text
    assert "permission denied" in run.text
    assert "B: 1 series" in run.text, run.text


def mount_tmpfs(folder: Path, *options: str) -> None:
    process = subprocess.run(["mount", *options, "tmpfs", folder], capture_output=True, check=False)
    if process.returncode != 0:
        pytest.skip("a file system cannot be mounted here (no right to mount): full disks are not tested")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of 300 KB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount_tmpfs(folder, "-t", "tmpfs", "-o", "size=300k")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("more", [["--archive=leave"], ["--archive=leave", "--work-dir={small}"]])
def test_the_message_about_a_full_disk_has_the_free_space_and_what_is_needed(
    small: Path, tmp_path: Path, more: list[str]
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write_packet(under("x", MrSeries(number=3, rows=128, columns=128, slices=20).files()), inbox, "A", Kind.FOLDER)
    run = run_command(
        str(small / "s"), f"--masterinbox={inbox}", *(word.replace("{small}", str(small)) for word in more)
    )
    text = run.text
    assert run.status == 1, text
    assert "no space left" in text
    assert "free on the file system of" in text
    assert "three times its unpacked size" in text
    assert str(small) in text
    assert "[Errno" not in text


def test_a_read_only_disk_is_reported_before_anything_is_read(small: Path) -> None:
    (small / "inbox/MR").mkdir(parents=True)
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    run = run_command(str(small / "new"), f"--masterinbox={small / 'inbox/MR'}")
    assert run.status == 73, run.text
    assert "read-only file system" in run.text
    assert "[Errno" not in run.text


def test_a_missing_file_is_reported_without_an_errno(tmp_path: Path) -> None:
    missing = str(tmp_path / "x")
    for words in (["scan", missing], [missing], [str(tmp_path), f"--config={missing}"]):
        run = run_command(*words)
        assert run.status == 64, run.text
        assert missing in run.text
        assert "[Errno" not in run.text
