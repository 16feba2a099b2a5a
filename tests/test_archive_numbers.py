"""Folder mode: archives of one name are numbered in the order of their sessions, whichever is done first."""

import errno
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qxbatch.archive.numbers import choose_numbers
from qxbatch.archive.packet import free_name, settle_packet
from qxbatch.pipeline.finish import Ending, finish
from qxbatch.publish.journal import Journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Archive
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, write_folder
from tests.build.study import Study, snapshot
from tests.faults.stage import command
from tests.faults.victim import BELOW

NONE = ("--masterinbox=none", "--sessions=S*")


def inbox(top: Path, session: str, **files: str) -> Path:
    """Make a session's inbox; `a__b_zip` stands for a/b.zip."""
    for name, text in files.items():
        path = top / session / "inbox" / name.replace("__", "/").replace("_zip", ".zip")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top / session / "inbox"


def chosen(
    top: Path, *inboxes: Path, there: tuple[str, ...] = (), earlier: dict[Path, int] | None = None
) -> dict[str, int]:
    found = choose_numbers(inboxes, there, earlier or {})
    return {path.relative_to(top).as_posix().replace("/inbox", ""): k for path, k in found.items()}


def test_the_order_of_the_sessions_counts(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", scan_zip=f"{k}") for k in (1, 2, 3)]
    assert chosen(tmp_path, *inboxes) == {"S1/scan.zip": 1, "S2/scan.zip": 2, "S3/scan.zip": 3}


def test_a_name_that_is_nobody_elses_needs_no_number(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, "S1", a_zip="1", note="x"), inbox(tmp_path, "S2", b_zip="2", note="x")]
    assert chosen(tmp_path, *inboxes) == {}


def test_what_lies_in_the_archive_keeps_its_name(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", scan_zip=f"{k}") for k in (1, 2)]
    there = ("scan.zip", "scan_3.zip")
    assert chosen(tmp_path, *inboxes, there=there) == {"S1/scan.zip": 2, "S2/scan.zip": 4}
    assert chosen(tmp_path, inboxes[0], there=there) == {"S1/scan.zip": 2}


def test_archives_in_folders_count_and_names_that_look_numbered_are_left_to_their_owners(tmp_path: Path) -> None:
    one = inbox(tmp_path, "S1", scan_zip="1", deep__scan_zip="2")
    two = inbox(tmp_path, "S2", scan_zip="3")
    three = inbox(tmp_path, "S3")
    (tmp_path / "S3" / "inbox").mkdir(parents=True)
    (three / "scan_2.zip").write_text("4")
    assert chosen(tmp_path, one, two, three) == {"S1/scan.zip": 1, "S1/deep/scan.zip": 3, "S2/scan.zip": 4}


def test_the_same_bytes_get_the_same_number(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", scan_zip=text) for k, text in ((1, "x"), (2, "y"), (3, "x"), (4, "z"))]
    assert list(chosen(tmp_path, *inboxes).values()) == [1, 2, 1, 3]


def test_what_an_earlier_run_chose_holds_for_each_session_that_is_left(tmp_path: Path) -> None:
    inboxes = {k: inbox(tmp_path, f"S{k}", scan_zip=f"{k}") for k in (1, 2, 3, 4)}
    all_of_them = choose_numbers([*inboxes.values()], (), {})
    for left in itertools.chain.from_iterable(itertools.combinations(inboxes, n) for n in (1, 2, 3)):
        there = [f"scan{f'_{k}' * (k > 1)}.zip" for k in inboxes if k not in left]
        now = choose_numbers([inboxes[k] for k in left], there, all_of_them)
        assert [*now.values()] == [k for k in left if k > 1 or len(left) > 1], left


def test_a_free_name_is_never_below_the_number_and_gaps_do_not_hide_the_same_bytes(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    packet = tmp_path / "scan.zip"
    packet.write_text("mine")
    assert free_name(archive, packet, "scan.zip", 3).name == "scan_3.zip"
    (archive / "scan_3.zip").write_text("another")
    assert free_name(archive, packet, "scan.zip", 3).name == "scan_4.zip", "nothing is overwritten"
    (archive / "scan_7.zip").write_text("mine")
    assert free_name(archive, packet, "scan.zip", 1).name == "scan_7.zip"
    assert settle_packet(packet, archive, Archive.MOVE, number=1) == archive / "scan_7.zip"
    assert not packet.exists()
    assert settle_packet(packet, archive, Archive.MOVE, number=7) == archive / "scan_7.zip", "and again"


def fill(study: Study, count: int = 3) -> dict[str, str]:
    """Sessions with an archive of one name each, the last one the largest, which is begun first; what is to come of it."""
    for k in range(1, count + 1):
        folder = study.session(f"S{k}") / "inbox"
        folder.mkdir(parents=True)
        (folder / "scan.zip").write_bytes(packed(MrSeries(patient=f"P{k}", slices=2 + k).files(), Kind.ZIP))
    before = [snapshot(study.session(f"S{k}") / "inbox")["scan.zip"] for k in range(1, count + 1)]
    return {f"scan{f'_{k}' * (k > 1)}.zip": digest for k, digest in enumerate(before, start=1)}


@pytest.mark.parametrize("archive", ["move", "copy"])
def test_the_session_that_is_done_first_gets_no_other_number(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    wanted = fill(study)
    ended: list[str] = []

    def ending(journal: Journal, workspace: Workspace, locks: Locks) -> Ending:
        ended.append(journal.unit)
        return finish(journal, workspace, locks)

    monkeypatch.setattr("qxbatch.pipeline.deliver.finish", ending)
    run = study.main(*NONE, f"--archive={archive}", "--n-procs=1")
    assert run.status == 0, run.text
    assert ended == ["S3", "S2", "S1"], "the largest goes first"
    assert snapshot(study.archive) == wanted
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("fails", ["S1", "S2"])
def test_a_session_that_fails_leaves_its_number_free_until_it_is_mended(study: Study, fails: str) -> None:
    wanted = fill(study)
    packet = study.session(fails) / "inbox" / "scan.zip"
    whole = packet.read_bytes()
    packet.write_bytes(whole[:-300])
    assert study.main(*NONE).status == 1
    assert not (study.sessions / ".qxbatch").exists()
    packet.write_bytes(whole)
    assert study.main(*NONE).status == 0
    assert snapshot(study.archive) == wanted


def killed(study: Study, step: str, steps: Path) -> None:
    """Run until just before that step, one session after the other."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.victim", f"KILL@{step.format(study.sessions)}", str(steps), *words(study)],
        env={**os.environ, BELOW: str(study.sessions)},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9, done


def words(study: Study) -> list[str]:
    return [str(study.sessions), *NONE, "--check=no", "--n-procs=1"]


@pytest.mark.parametrize(
    "step", ["os.rename {}/S3/inbox/scan.zip", "os.rename {}/.qxbatch/work/S2/build/S2", "S1/scratch"]
)
def test_numbers_hold_for_the_run_after_one_that_was_killed(study: Study, step: str, tmp_path: Path) -> None:
    wanted = fill(study)
    killed(study, step, tmp_path / "steps")
    again = command(words(study), study.sessions)
    assert again.status == 0, again.text
    assert snapshot(study.archive) == wanted
    assert not (study.sessions / ".qxbatch").exists()


def test_they_hold_though_a_session_is_done_whose_archive_stays(study: Study, tmp_path: Path) -> None:
    wanted = fill(study)
    inbox = study.session("S1") / "inbox"
    (inbox / "scan.zip").write_bytes(packed({"words": b"no images"}, Kind.ZIP))
    write_folder(MrSeries(slices=20).files(), inbox)
    del wanted["scan.zip"]
    killed(study, "S2/scratch", tmp_path / "steps")
    assert (study.session("S1") / "session.txt").exists(), "it is the largest, and was done"
    again = command(words(study), study.sessions)
    assert again.status == 0, again.text
    assert snapshot(study.archive) == wanted, "as in a run that was not killed"
    assert not (study.sessions / ".qxbatch").exists()


def test_where_the_numbers_cannot_be_written_down_nothing_is_begun(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(study)
    before = snapshot(study.sessions)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.numbers.write_json", full)
        run = study.main(*NONE)
    assert run.status == 73
    assert "No space left" in run.text
    assert snapshot(study.sessions) == before
    assert study.main(*NONE).status == 0
    assert not (study.sessions / ".qxbatch").exists()
