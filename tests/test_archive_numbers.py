"""Folder mode: archives with the same name are numbered in the order of their sessions, not in the order they finish."""

import itertools
import os
from pathlib import Path

from qxbatch.archive.content_keys import archive_keys
from qxbatch.archive.numbers import archives_in, choose_numbers
from qxbatch.core import Monitor


def inbox(top: Path, session: str, **files: str) -> Path:
    """Create a session's inbox; the keyword `a__b_zip` creates a/b.zip."""
    for name, text in files.items():
        path = top / session / "inbox" / name.replace("__", "/").replace("_zip", ".zip")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top / session / "inbox"


def numbers(*inboxes: Path, archived: tuple[str, ...] = (), previous: dict[Path, int] | None = None) -> dict[Path, int]:
    contents = archive_keys(archives_in(inboxes), Monitor(), lambda _: None)
    return choose_numbers(contents, archived, previous or {})


def chosen(top: Path, *inboxes: Path, archived: tuple[str, ...] = ()) -> dict[str, int]:
    chosen_numbers = numbers(*inboxes, archived=archived)
    return {path.relative_to(top).as_posix().replace("/inbox", ""): k for path, k in chosen_numbers.items()}


def test_numbers_follow_the_order_of_the_sessions(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", scan_zip=f"{k}") for k in (1, 2, 3)]
    assert chosen(tmp_path, *inboxes) == {"S1/scan.zip": 1, "S2/scan.zip": 2, "S3/scan.zip": 3}


def test_a_unique_name_gets_no_number(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, "S1", a_zip="1", note="x"), inbox(tmp_path, "S2", b_zip="2", note="x")]
    assert chosen(tmp_path, *inboxes) == {}


def test_archived_packets_keep_their_names(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", scan_zip=f"{k}") for k in (1, 2)]
    archived = ("scan.zip", "scan_3.zip")
    assert chosen(tmp_path, *inboxes, archived=archived) == {"S1/scan.zip": 2, "S2/scan.zip": 4}
    assert chosen(tmp_path, inboxes[0], archived=archived) == {"S1/scan.zip": 2}


def test_archives_in_subfolders_are_numbered_and_names_with_a_number_are_not_reused(tmp_path: Path) -> None:
    first = inbox(tmp_path, "S1", scan_zip="1", deep__scan_zip="2")
    second = inbox(tmp_path, "S2", scan_zip="3")
    third = inbox(tmp_path, "S3")
    (tmp_path / "S3" / "inbox").mkdir(parents=True)
    (third / "scan_2.zip").write_text("4")
    assert chosen(tmp_path, first, second, third) == {"S1/scan.zip": 1, "S1/deep/scan.zip": 3, "S2/scan.zip": 4}


def test_archives_in_several_subfolders_are_numbered_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = [f"u{k}" for k in range(1, 10)]
    for session, order in (("S1", names), ("S2", names[::-1])):
        folder = inbox(tmp_path, session, **{f"{name}__scan_zip": name for name in order})
        assert chosen(tmp_path, folder) == {f"{session}/{name}/scan.zip": k for k, name in enumerate(names, 1)}


def test_the_same_bytes_get_the_same_number(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", scan_zip=text) for k, text in ((1, "x"), (2, "y"), (3, "x"), (4, "z"))]
    assert list(chosen(tmp_path, *inboxes).values()) == [1, 2, 1, 3]


def test_remaining_sessions_keep_the_numbers_of_the_previous_run(tmp_path: Path) -> None:
    inboxes = {k: inbox(tmp_path, f"S{k}", scan_zip=f"{k}") for k in (1, 2, 3, 4)}
    all_numbers = numbers(*inboxes.values())
    for remaining in itertools.chain.from_iterable(itertools.combinations(inboxes, n) for n in (1, 2, 3)):
        archived = tuple(f"scan{f'_{k}' * (k > 1)}.zip" for k in inboxes if k not in remaining)
        now = numbers(*(inboxes[k] for k in remaining), archived=archived, previous=all_numbers)
        assert [*now.values()] == list(remaining)


def test_a_name_with_archived_numbers_gets_the_free_number(tmp_path: Path) -> None:
    folder = inbox(tmp_path, "S1", scan_zip="1", other_zip="2")
    assert chosen(tmp_path, folder, archived=("scan_2.zip", "other_2.tar")) == {"S1/scan.zip": 1}


def test_only_regular_files_get_a_number(tmp_path: Path) -> None:
    inboxes = [inbox(tmp_path, f"S{k}", note="x") for k in (1, 2)]
    for folder in inboxes:
        os.mkfifo(folder / "pipe.zip")
        (folder / "zero.tar").symlink_to("/dev/zero")
        (folder / "lost.zip").symlink_to("nowhere")
        (folder / "folder.zip").mkdir()
    assert chosen(tmp_path, *inboxes) == {}
