"""Replaced files without another copy are archived once, also when a run is killed."""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch import large_files
from qxbatch.core import Monitor, hash_file
from qxbatch.publish import comparable, unique_files
from qxbatch.publish import replaced as module
from qxbatch.publish.durable import make_folder, remove_tree
from qxbatch.publish.replaced import keep_unique_files
from qxbatch.publish.transfer import try_rename
from qxbatch.session.ledger import COLUMNS
from qxbatch.session.page_checksum import with_checksum
from qxbatch.session.paths import SessionPaths
from qxbatch.session.sorted_sums import GENERATED_FILES, write_sums
from tests.build.becomes_link import becomes_link
from tests.build.packets import write_folder

TAG = "0123456789abcdef"


class KilledError(Exception):
    """Simulates a kill of the run."""


def sessions(top: Path) -> tuple[Path, Path]:
    """Return a new session and the remains of the old one: two notes, and a file that both contain."""
    session, old = top / "S1", top / "unit" / "old" / "S1"
    for folder in (session / "qxbatch", old / "inbox"):
        folder.mkdir(parents=True)
    (session / "qxbatch" / "ledger.tsv").write_text("\t".join(COLUMNS) + "\n")
    for name in ("a", "b"):
        (old / "inbox" / name).write_text(name)
    (old / "same").write_text("same")
    (session / "same").write_text("same")
    return session, old


def renamed_within_folder(source: Path, target: Path) -> bool:
    """Rename within a folder only, as if all other folders were on another disk."""
    return source.parent == target.parent and try_rename(source, target)


def kept(top: Path) -> dict[str, str]:
    return {str(p.relative_to(top)): p.read_text() for p in sorted(top.rglob("*")) if p.is_file()}


KEEP = """
import sys
from pathlib import Path
from qxbatch.publish.replaced import keep_unique_files
session, old, archive = map(Path, sys.argv[1:])
keep_unique_files(old, session, archive, None, "0123456789abcdef")
"""


@pytest.mark.parametrize("text", ["1" * 400_000, "1.1e" * 100_000, '<div class="volatile">' * 20_000])
@pytest.mark.parametrize("name", ["dicom/dcm2niix_30.log", "qxbatch/report.html"])
def test_a_long_text_is_compared_without_its_durations_in_a_time_proportional_to_its_length(
    tmp_path: Path, name: str, text: str
) -> None:
    session, old = sessions(tmp_path)
    for folder, end in ((session, " in 1.5 s"), (old, " in 12 s\nmy remark")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text + end)
    archive = tmp_path / "archive"
    # without the limits of the pattern this takes several minutes
    subprocess.run([sys.executable, "-c", KEEP, session, old, archive], check=True, timeout=60)
    assert name in {path.relative_to(archive / "S1-1").as_posix() for path in archive.rglob("*")}


@pytest.mark.parametrize(("one_disk", "depth"), [(True, 1200), (False, 400)], ids=["one disk", "two disks"])
def test_a_file_in_folders_deeper_than_the_interpreter_can_recurse_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_disk: bool, depth: int
) -> None:
    session, old = sessions(tmp_path)
    if not one_disk:
        monkeypatch.setattr(module, "try_rename", renamed_within_folder)
    place = Path("nii", *["d"] * depth, "mine.txt")
    make_folder(old / place.parent)
    (old / place).write_text("mine")
    keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert (tmp_path / "archive" / "S1-1" / place).read_text() == "mine"
    assert not old.exists()
    remove_tree(tmp_path / "archive")  # pytest cannot


def open_deep(top: Path, flags: int) -> int:
    """Open a file whose path is longer than the kernel accepts, and create its folders."""
    folder = os.open(top, os.O_RDONLY)
    for _ in range(20):
        with contextlib.suppress(FileExistsError):
            os.mkdir("d" * 250, dir_fd=folder)
        folder, parent = os.open("d" * 250, os.O_RDONLY, dir_fd=folder), folder
        os.close(parent)
    file = os.open("mine", flags, dir_fd=folder)
    os.close(folder)
    return file


def test_files_whose_path_is_longer_than_the_kernel_accepts_are_kept(tmp_path: Path) -> None:
    session, old = sessions(tmp_path)
    for k, text in enumerate((b"first", b"other"), start=1):
        make_folder(old)
        with open(open_deep(old, os.O_WRONLY | os.O_CREAT), "wb") as mine:
            mine.write(text)
        archived = tmp_path / "archive" / f"S1-{k}"
        assert keep_unique_files(old, session, tmp_path / "archive", None, TAG) == archived
        assert not old.exists()
        with open(open_deep(archived, os.O_RDONLY), "rb") as mine:
            assert mine.read() == text
    remove_tree(tmp_path / "archive")  # pytest cannot


def test_a_file_that_does_not_fit_into_memory_is_compared_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, old = sessions(tmp_path)
    names = ("session.txt", "qxbatch/summary.json", "qxbatch/report.html", "dicom/dcm2niix_30.log")
    for folder, text in ((session, "new"), (old, "old")):
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
    monkeypatch.setattr(comparable, "MOST_BYTES_IN_MEMORY", 2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} is read at once"))
        keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert {*names} < kept(tmp_path / "archive" / "S1-1").keys()


@pytest.mark.parametrize("folder", ["inbox", "inbox/notes", "dicom/log", "dicom/30", "nii"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dcm2niix_30.log", "the scan took {} seconds\n"),
        ("session.txt", "# Generated by qxbatch 1 on 2026-01-0{}_10.00.00.000000\nid: S1\n"),
        ("summary.json", '{{"host": {{"name": "scanner {}"}}}}'),
        ("report.html", '<div class="volatile"><!-- checksum %s --></div>\n<p>{} s</p>\n' % ("0" * 64)),
    ],
)
def test_a_file_of_a_packet_that_is_named_like_one_of_qxbatch_is_kept(
    tmp_path: Path, folder: str, name: str, text: str
) -> None:
    session, old = sessions(tmp_path)
    for top, number in ((session, 6), (old, 5)):
        make_folder(top / folder)
        (top / folder / name).write_text(with_checksum(text.format(number)))
    keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert kept(tmp_path / "archive" / "S1-1")[f"{folder}/{name}"] == with_checksum(text.format(5))


@pytest.mark.parametrize("stop", range(12))
@pytest.mark.parametrize("one_disk", [True, False], ids=["one disk", "two disks"])
def test_a_killed_run_leaves_no_second_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_disk: bool, stop: int
) -> None:
    session, old = sessions(tmp_path)
    archive = tmp_path / "archive" / "replaced"
    if not one_disk:
        monkeypatch.setattr(module, "try_rename", renamed_within_folder)
    done = 0

    def counted(original):
        def call(*args, **kwargs):
            nonlocal done
            done += 1
            if done > stop:
                raise KilledError
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", counted(os.rename))
        patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
        patch.setattr(os, "unlink", counted(os.unlink))
        patch.setattr(os, "rmdir", counted(os.rmdir))
        with contextlib.suppress(KilledError):
            keep_unique_files(old, session, archive, None, TAG)
    keep_unique_files(old, session, archive, None, TAG)
    assert kept(archive) == {"S1-1/inbox/a": "a", "S1-1/inbox/b": "b"}
    assert [p.name for p in archive.iterdir()] == ["S1-1"]


@pytest.mark.parametrize("stop", range(6))
def test_only_the_edited_files_of_a_sorted_session_are_kept_also_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    session, old = sessions(tmp_path)
    for folder, text in ((session, "new"), (old, "sorted")):
        for name in GENERATED_FILES:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
    (session / "qxbatch" / "ledger.tsv").write_text("\t".join(COLUMNS) + "\n")
    write_sums(SessionPaths(old))
    for name in ("qxbatch/summary.json", "dicom/DICOM-Report.txt"):
        (old / name).write_text("mine")
    done = 0
    rename = os.rename

    def stopped(*names: Any, **folders: Any) -> None:
        nonlocal done
        done += 1
        if done > stop:
            raise KilledError
        rename(*names, **folders)

    archive = tmp_path / "archive" / "replaced"
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", stopped)
        with contextlib.suppress(KilledError):
            keep_unique_files(old, session, archive, None, TAG)
    keep_unique_files(old, session, archive, None, TAG)
    assert kept(archive) == {
        "S1-1/dicom/DICOM-Report.txt": "mine",
        "S1-1/inbox/a": "a",
        "S1-1/inbox/b": "b",
        "S1-1/qxbatch/summary.json": "mine",
    }


def test_an_interrupted_removal_makes_no_second_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, old = sessions(tmp_path)
    archive = tmp_path / "archive" / "replaced"
    monkeypatch.setattr(module, "try_rename", renamed_within_folder)
    discard = module._discard

    def interrupted(kept: Path, remaining: Path) -> None:
        kept.rename(remaining)
        raise KilledError

    monkeypatch.setattr(module, "_discard", interrupted)
    with pytest.raises(KilledError):
        keep_unique_files(old, session, archive, None, TAG)
    monkeypatch.setattr(module, "_discard", discard)
    keep_unique_files(old, session, archive, None, TAG)
    assert [p.name for p in archive.iterdir()] == ["S1-1"]


def written_late(old: Path) -> None:
    (old / "nii" / "result.txt").write_text("mine")


def changed_late(old: Path) -> None:
    with (old / "nii" / "31.json").open("r+") as file:
        file.write("mine")


def replaced_late(old: Path) -> None:
    (old / "nii" / "new").write_text("mine")
    (old / "nii" / "new").rename(old / "nii" / "31.json")


def made_late_in_a_new_folder(old: Path) -> None:
    (old / "nii" / "stats").mkdir()
    (old / "nii" / "stats" / "result.txt").write_text("mine")


@pytest.mark.parametrize("write", [written_late, changed_late, replaced_late, made_late_in_a_new_folder])
@pytest.mark.parametrize("step", ["_unique_files", "_remove_unchanged"])
def test_what_a_program_writes_to_a_session_while_it_is_taken_apart_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], step: str
) -> None:
    session, old = sessions(tmp_path)
    for folder in (session, old):
        (folder / "nii").mkdir()
        (folder / "nii" / "31.json").write_text("text")
    original = getattr(unique_files, step)
    written: list[Path] = []

    def disturbed(*args: object) -> object:
        result = original(*args) if step == "_unique_files" else None
        if not written:
            write(old)
            written.append(old)
        return result if step == "_unique_files" else original(*args)

    monkeypatch.setattr(unique_files, step, disturbed)
    keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert "mine" in kept(tmp_path / "archive").values()
    assert not old.exists()


def test_a_file_that_a_program_writes_again_after_it_was_archived_gets_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, old = sessions(tmp_path)
    move = unique_files._move

    def written_again(place: Path, *args: Any) -> None:
        move(place, *args)
        if place.name == "a" and not again:
            again.append(place)
            (old / place).write_text("mine")

    again: list[Path] = []
    monkeypatch.setattr(unique_files, "_move", written_again)
    keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert kept(tmp_path / "archive" / "S1-1") == {"inbox/a": "a", "inbox/a_2": "mine", "inbox/b": "b"}


def test_two_names_of_one_file_that_the_new_session_contains_are_both_removed(tmp_path: Path) -> None:
    session, old = sessions(tmp_path)
    (old / "nii").mkdir()
    (old / "nii" / "same").hardlink_to(old / "same")
    (session / "nii").mkdir()
    (session / "nii" / "same").write_text("same")
    keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert kept(tmp_path / "archive") == {"S1-1/inbox/a": "a", "S1-1/inbox/b": "b"}


def test_an_edit_of_a_file_with_two_names_is_noticed_by_its_change_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, old = sessions(tmp_path)
    (old / "other").hardlink_to(old / "same")
    (session / "other").write_text("same")
    compared = unique_files._unique_files

    def edited(*args: Any) -> object:
        result = compared(*args)
        state = (old / "same").stat()
        (old / "same").write_text("mine")
        os.utime(old / "same", ns=(state.st_atime_ns, state.st_mtime_ns))
        return result

    monkeypatch.setattr(unique_files, "_unique_files", edited)
    keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert [*kept(tmp_path / "archive").values()].count("mine") == 2


def test_a_program_that_never_stops_writing_ends_the_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, old = sessions(tmp_path)
    remove = unique_files._remove_unchanged

    def removed(*args: Any) -> None:
        remove(*args)
        (old / "inbox").mkdir(parents=True, exist_ok=True)
        (old / "inbox" / "again").write_text("mine")

    with monkeypatch.context() as patch:
        patch.setattr(unique_files, "_remove_unchanged", removed)
        with pytest.raises(OSError, match="another program writes to it"):
            keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    keep_unique_files(old, session, tmp_path / "archive", None, TAG)
    assert [*kept(tmp_path / "archive").values()].count("mine") == unique_files._TRIES + 2
    assert not old.exists()


@pytest.mark.parametrize("stop", range(9))
def test_the_records_that_name_archived_packets_exist_as_long_as_a_killed_run_needs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    session, old = sessions(tmp_path)
    (old / "qxbatch").mkdir()
    for name in ("summary.json", "report.html"):
        (old / "qxbatch" / name).write_text("of the replaced session")
    monkeypatch.setattr(
        unique_files,
        "archived_hashes",
        lambda *_: {hash_file(str(path))[1] for path in (old / "inbox").glob("*") if (old / "qxbatch").exists()},
    )
    remaining_calls = stop

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def call(*args: Any, **options: Any) -> object:
            nonlocal remaining_calls
            remaining_calls -= 1
            if remaining_calls < 0:
                raise KilledError
            return original(*args, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", counted(os.rename))
        patch.setattr(os, "unlink", counted(os.unlink))
        with contextlib.suppress(KilledError):
            keep_unique_files(old, session, tmp_path / "archive", tmp_path, TAG)
    keep_unique_files(old, session, tmp_path / "archive", tmp_path, TAG)
    assert kept(tmp_path / "archive" / "S1-1").keys() == {"qxbatch/report.html", "qxbatch/summary.json"}


@pytest.mark.parametrize(
    "folder", ["unit/old", "unit/old/S1", "unit/old/S1/inbox", "unit/old/S1.kept", "unit/old/S1.kept/inbox"]
)
def test_nothing_is_moved_through_a_folder_that_becomes_a_link_at_any_step(tmp_path: Path, folder: str) -> None:
    before = {"a": "x", "inbox/a": "x", "S1/inbox/a": "x", "S1.kept/a": "x", "S1.kept/inbox/a": "x"}
    ends = set()
    for step in itertools.count(1):
        top, outside = tmp_path / str(step), tmp_path / f"outside-{step}"
        session, old = sessions(top)
        write_folder({name: text.encode() for name, text in before.items()}, outside)
        with becomes_link(top / folder, outside, step) as exchanged:
            try:
                keep_unique_files(old, session, top / "archive", None, TAG)
                ends.add("kept")
            except OSError:
                ends.add("refused")
        assert kept(outside) == before
        assert sorted(kept(top).values()).count("a") == 1
        if not exchanged:
            break
    assert "kept" in ends


def test_large_files_are_kept_without_a_comparison_after_a_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, old = sessions(tmp_path)
    for top in (session, old):
        (top / "nii").mkdir(exist_ok=True)
        (top / "nii" / "small.json").write_text("same")
        (top / "nii" / "large.nii").write_text("the same, too")
    monkeypatch.setattr(large_files, "LARGE_BYTES", 5)
    monitor = Monitor()
    monitor.cancel()
    keep_unique_files(old, session, tmp_path / "archive", None, TAG, monitor=monitor)
    files = kept(tmp_path / "archive" / "S1-1")
    assert files == {"inbox/a": "a", "inbox/b": "b", "nii/large.nii": "the same, too"}
    assert not old.exists()
