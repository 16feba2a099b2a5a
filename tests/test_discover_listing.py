"""File system cases of the inbox: links, pipes, clocks, changes."""

import errno
import os
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from qxbatch.discover import readiness
from qxbatch.discover.candidates import candidates
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.path_lengths import max_path_bytes
from qxbatch.model import Fingerprint, Verdict
from qxbatch.problems import Code, UsageError
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries
from tests.build.inbox import DummyStudy, sniff
from tests.build.packets import Kind
from tests.build.study import Study


@pytest.fixture
def dummy(tmp_path: Path) -> DummyStudy:
    """An empty inbox."""
    return DummyStudy(tmp_path)


def test_links_to_files_and_folders_are_followed_and_reported(dummy: DummyStudy, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far.zip").write_text("x")
    (dummy.inbox / "AP1").symlink_to(tmp_path / "far")
    (dummy.inbox / "AP2.zip").symlink_to(tmp_path / "far.zip")
    (dummy.inbox / "AP3.zip").symlink_to("nowhere")
    judged = {each.path.name: each for each in dummy.candidates()}
    assert [judged[name].verdict for name in ("AP1", "AP2.zip", "AP3.zip")] == [
        Verdict.READY,
        Verdict.READY,
        Verdict.STRAY,
    ]
    assert str(tmp_path / "far") in judged["AP1"].note
    assert "nowhere" in judged["AP3.zip"].note


def test_entries_that_are_neither_file_nor_folder_are_never_opened(dummy: DummyStudy) -> None:
    os.mkfifo(dummy.inbox / "AP1.zip")
    assert dummy.candidate().verdict is Verdict.STRAY


def test_a_loop_of_links_is_reported(dummy: DummyStudy) -> None:
    (dummy.inbox / "AP1").symlink_to("AP1")
    each = dummy.candidate()
    assert each.verdict is Verdict.REFUSED
    assert each.problem.code is Code.UNREADABLE
    assert each.problem.hint == ""


def test_the_advice_for_a_denied_access_is_about_permissions(
    dummy: DummyStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    dummy.put("AP1/")

    def denied(path: Path, longest: int) -> NoReturn:  # noqa: ARG001 - called by position
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(readiness, "fingerprint", denied)
    assert dummy.candidate().problem.hint == f"Give yourself access: chmod u+rwX {dummy.inbox / 'AP1'}"


def deep(folder: Path, name: str, levels: int) -> None:
    """Create nested folders of one name, whatever the length of their path, with a file in the lowest."""
    folder.mkdir(parents=True, exist_ok=True)
    current = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=current)
        lower = os.open(name, os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = lower
    os.close(os.open("notes", os.O_CREAT, dir_fd=current))
    os.close(current)


DEEP = pytest.mark.parametrize(
    ("name", "levels", "why"),
    [
        ("d", 300, "its folders are nested more than 256 deep"),
        ("n" * 200, 30, "the path of a file or folder in it is too long (more than 4,0"),
    ],
)


@DEEP
def test_the_command_for_folders_that_are_nested_too_deep_packs_them(
    study: Study, name: str, levels: int, why: str
) -> None:
    deep(study.put("S 1", MrSeries().files(), Kind.FOLDER), name, levels)
    [each] = candidates(parse({"sessionsfolder": str(study.sessions)}).settings)
    assert each.problem is not None
    assert why in each.problem.message
    assert len(each.problem.message) < 1000
    assert each.problem.hint == "Pack it (in an archive, folders can be nested deeper):"
    pack, _, again = each.problem.command.rpartition(" && ")
    assert again.startswith("qxbatch ")
    subprocess.run(pack, shell=True, check=True)
    assert study.main("--sessions=S 1").status == 0
    assert (study.session("S 1") / "session.txt").exists()


@DEEP
def test_the_advice_for_a_session_folder_is_to_pack_the_folders_in_its_inbox(
    dummy: DummyStudy, name: str, levels: int, why: str
) -> None:
    deep(dummy.sessions / "S1" / "inbox", name, levels)
    each = dummy.candidate(masterinbox="none", sessions="S1")
    assert why in each.problem.message
    assert each.problem.hint.startswith("Pack its folders (in an archive")
    assert each.problem.command.startswith("qxbatch ")


def long_path(folder: Path, size: int, data: bytes = b"notes") -> None:
    """Create a file in a folder, at a path of `size` bytes."""
    remaining = size - len(os.fsencode(folder)) - 3
    current = os.open(folder, os.O_RDONLY)
    while remaining:
        name = "n" * (remaining - 1 if remaining <= 201 else 150)  # never leaves room for only a slash
        remaining -= len(name) + 1
        os.mkdir(name, dir_fd=current)
        lower = os.open(name, os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = lower
    with os.fdopen(os.open("ab", os.O_CREAT | os.O_WRONLY, dir_fd=current), "wb") as file:
        file.write(data)
    os.close(current)


@pytest.mark.parametrize("mode", ["move", "copy", "delete"])
def test_a_path_that_gets_too_long_while_the_packet_is_archived_is_refused_with_a_command(
    study: Study, mode: str
) -> None:
    long_path(study.put("S1", MrSeries().files(), Kind.FOLDER), 4090)
    run = study.main("--check=no", f"--archive={mode}")
    assert run.status == 1, run.text
    assert "the path of a file or folder in it is too long (more than 4,0" in " ".join(run.text.split())
    assert not study.session("S1").exists()
    command = next(line.strip() for line in run.out.splitlines() if line.strip().startswith("tar -C "))
    subprocess.run(command.rpartition(" && ")[0], shell=True, check=True)
    assert study.main("--check=no", f"--archive={mode}").status == 0


def test_each_path_that_is_not_refused_can_be_archived(study: Study) -> None:
    packet = study.put("S1", MrSeries().files(), Kind.FOLDER)
    settings = parse({"sessionsfolder": str(study.sessions)}).settings
    long_path(packet, max_path_bytes(packet, settings))
    assert study.main("--check=no").status == 0
    assert (study.archive / "S1").is_dir()


def test_a_packet_that_is_left_in_place_may_have_the_longest_path(study: Study) -> None:
    long_path(study.put("S1", MrSeries().files(), Kind.FOLDER), 4095)
    assert study.main("--check=no", "--archive=leave").status == 0


def test_an_archive_in_a_session_folder_whose_path_gets_too_long_is_refused(study: Study) -> None:
    packet = study.put("S1", MrSeries().files())
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    long_path(inbox, 4090, packet.read_bytes())
    run = study.main("--check=no", "--masterinbox=none", "--sessions=S1")
    assert run.status == 1, run.text
    assert "shorten their paths:" in run.text
    assert not (study.session("S1") / "session.txt").exists()


@pytest.mark.parametrize(("given", "other"), [({"pattern": "(?P<packet_name>A.*)"}, ""), ({}, "A1.tar")])
def test_no_command_packs_a_folder_into_another_packet(dummy: DummyStudy, given: dict[str, str], other: str) -> None:
    deep(dummy.inbox / "A1", "d", 300)
    if other:
        dummy.put(other)
    each = next(each for each in dummy.candidates(None, on_same_session="merge", **given) if each.path.name == "A1")
    assert each.problem.hint.startswith("Pack its folders (in an archive")
    assert each.problem.command.startswith("qxbatch ")


def test_the_sessions_folder_inside_the_inbox_is_no_packet(tmp_path: Path) -> None:
    (tmp_path / "in/out").mkdir(parents=True)
    (tmp_path / "in/AP1").mkdir()
    settings = parse({"masterinbox": str(tmp_path / "in"), "sessionsfolder": str(tmp_path / "in/out")}).settings
    judged = {each.path.name: each for each in candidates(settings, sniff=sniff)}
    assert {name: each.verdict for name, each in judged.items()} == {"AP1": Verdict.READY, "out": Verdict.STRAY}
    assert judged["out"].note == f"it is {tmp_path / 'in/out'}, which this run writes to"


def test_a_folder_around_the_sessions_folder_is_no_packet(tmp_path: Path) -> None:
    (tmp_path / "in/study/sessions").mkdir(parents=True)
    sessions = tmp_path / "in/study/sessions"
    [each] = candidates(parse({"masterinbox": str(tmp_path / "in"), "sessionsfolder": str(sessions)}).settings)
    assert (each.verdict, each.note) == (Verdict.STRAY, f"it contains {sessions}, which this run writes to")


def test_an_inbox_that_is_a_file_is_a_usage_error(dummy: DummyStudy) -> None:
    dummy.inbox.rmdir()
    dummy.inbox.write_text("x")
    with pytest.raises(UsageError, match="cannot be listed"):
        dummy.candidates()


def test_a_name_that_is_not_valid_text_is_refused(dummy: DummyStudy) -> None:
    (dummy.inbox / "AP\udcff").mkdir()
    assert dummy.candidate().problem.code is Code.BAD_NAME


def test_a_packet_that_changed_recently_waits_for_a_later_run(dummy: DummyStudy) -> None:
    dummy.put("AP1/")
    newest = fingerprint(dummy.inbox / "AP1").mtime_ns
    waiting = dummy.candidate(settle="60", now_ns=newest + 59 * 10**9)
    assert (waiting.verdict, waiting.packet) == (Verdict.FILTERED, None)
    assert "--settle" in waiting.note
    assert dummy.candidate(settle="60", now_ns=newest + 61 * 10**9).verdict is Verdict.READY


@pytest.mark.parametrize("settle", ["0", "60"])
def test_a_clock_that_jumped_back_delays_no_packet(dummy: DummyStudy, settle: str) -> None:
    dummy.put("AP1/")
    newest = fingerprint(dummy.inbox / "AP1").mtime_ns
    assert dummy.candidate(settle=settle, now_ns=newest - 10**12).verdict is Verdict.READY


def test_the_fingerprint_of_a_file_has_its_count_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    os.utime(tmp_path / "a", ns=(5, 7))
    assert fingerprint(tmp_path / "a") == Fingerprint(1, 3, 7)


def test_the_fingerprint_of_a_folder_counts_all_files_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "p/sub").mkdir(parents=True)
    (tmp_path / "p/sub/a").write_text("abc")
    (tmp_path / "p/.b").write_text("de")
    (tmp_path / "p/link").symlink_to(tmp_path)
    for path, time in (("p/sub/a", 9), ("p/.b", 3), ("p/sub", 1), ("p", 2)):
        os.utime(tmp_path / path, ns=(time, time))
    os.utime(tmp_path / "p/link", ns=(4, 4), follow_symlinks=False)
    folder = fingerprint(tmp_path / "p")
    assert (folder.files, folder.size, folder.mtime_ns) == (3, 5 + len(str(tmp_path)), 9)


def test_replacing_an_older_file_by_one_of_equal_size_changes_the_fingerprint(tmp_path: Path) -> None:
    for name, time in (("a", 5), ("b", 9)):
        (tmp_path / name).write_text("abc")
        os.utime(tmp_path / name, ns=(time, time))
    os.utime(tmp_path, ns=(1, 1))
    before = fingerprint(tmp_path)
    (tmp_path / "a").write_text("xyz")
    os.utime(tmp_path / "a", ns=(6, 6))
    os.utime(tmp_path, ns=(1, 1))
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize("change", ["add", "remove", "rewrite", "touch", "rename"])
def test_any_change_changes_the_fingerprint(tmp_path: Path, change: str) -> None:
    file = tmp_path / "a"
    file.write_text("abc")
    os.utime(file, ns=(1, 1))
    os.utime(tmp_path, ns=(1, 1))
    before = fingerprint(tmp_path)
    if change == "add":
        (tmp_path / "b").touch()
    elif change == "remove":
        file.unlink()
    elif change == "rewrite":
        file.write_text("abd")
    elif change == "touch":
        os.utime(file, ns=(2, 2))
    else:
        file.rename(tmp_path / "c")
    assert fingerprint(tmp_path) != before
