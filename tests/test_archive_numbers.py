"""Folder mode: archives of one name are numbered in the order of their sessions, whichever is done first."""

import itertools
import os
from pathlib import Path

from qxbatch.archive.alike import contents_of
from qxbatch.archive.numbers import archives_in, choose_numbers
from qxbatch.core import Monitor


def inbox(top: Path, session: str, **files: str) -> Path:
    """Make a session's inbox; `a__b_zip` stands for a/b.zip."""
    for name, text in files.items():
        path = top / session / "inbox" / name.replace("__", "/").replace("_zip", ".zip")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top / session / "inbox"


def numbers(*inboxes: Path, there: tuple[str, ...] = (), earlier: dict[Path, int] | None = None) -> dict[Path, int]:
    contents = contents_of(archives_in(inboxes), Monitor(), lambda _: None)
    return choose_numbers(contents, there, earlier or {})


def chosen(top: Path, *inboxes: Path, there: tuple[str, ...] = ()) -> dict[str, int]:
    found = numbers(*inboxes, there=there)
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
    all_of_them = numbers(*inboxes.values())
    for left in itertools.chain.from_iterable(itertools.combinations(inboxes, n) for n in (1, 2, 3)):
        there = tuple(f"scan{f'_{k}' * (k > 1)}.zip" for k in inboxes if k not in left)
        now = numbers(*(inboxes[k] for k in left), there=there, earlier=all_of_them)
        assert [*now.values()] == list(left)


def test_a_name_of_which_the_archive_holds_numbered_ones_is_told_which_it_is(tmp_path: Path) -> None:
    one = inbox(tmp_path, "S1", scan_zip="1", other_zip="2")
    assert chosen(tmp_path, one, there=("scan_2.zip", "other_2.tar")) == {"S1/scan.zip": 1}


def test_what_is_no_file_gets_no_number(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", note="x") for k in (1, 2)]
    for folder in inboxes:
        os.mkfifo(folder / "pipe.zip")
        (folder / "zero.tar").symlink_to("/dev/zero")
        (folder / "lost.zip").symlink_to("nowhere")
        (folder / "folder.zip").mkdir()
    assert chosen(tmp_path, *inboxes) == {}
