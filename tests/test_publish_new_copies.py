"""A copy of a packet: only new files are written, whatever others put in the place of the copy."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from qxbatch.archive.packet import archive_packet as archive_packet_of
from qxbatch.discover.own_names import HiddenKind
from qxbatch.publish import transfer as transfer_module
from qxbatch.publish.durable import remove_tree
from qxbatch.settings.model import Archive

archive_packet = partial(archive_packet_of, tag="0123456789abcdef")


def make(path: Path, text: str = "dicom") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def after_the_first_file(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]) -> None:
    """Call `change` with the path of the first file of the hidden copy when its bytes are written."""
    copy_bytes = shutil.copyfileobj
    changes: list[object] = []

    def changed(source: IO[bytes], target: IO[bytes], at_once: int) -> None:
        file = Path(f"/proc/self/fd/{target.fileno()}").readlink()
        copy_bytes(source, target, at_once)
        if not changes:
            changes.append(change(file))

    monkeypatch.setattr("shutil.copyfileobj", changed)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_copy_is_not_written_through_a_link_that_others_make_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    thesis = make(tmp_path / "home" / "d" / "thesis.tex", "years of work")
    thesis.parent.chmod(0o700)
    before = (thesis.stat().st_mtime_ns, thesis.stat().st_mode, thesis.parent.stat().st_mode)
    packet = tmp_path / "inbox" / "P"
    make(packet / "1.dcm")
    make(packet / "d" / "thesis.tex")
    copies: list[Path] = []

    def planted(file: Path) -> None:
        top = next(path for path in file.parents if "-copy-" in path.name)
        if what == "folder":
            if (top / "d").exists():
                (top / "d").rename(top / "other")
            (top / "d").symlink_to(thesis.parent)
        else:
            (top / "d").mkdir(exist_ok=True)
            (top / "d" / "thesis.tex").symlink_to(thesis)
        copies.append(top)

    after_the_first_file(monkeypatch, planted)
    with pytest.raises(OSError, match=r"exist|link|Not a directory|cannot be copied"):
        archive_packet(packet, tmp_path / "archive", Archive.COPY)
    assert copies
    assert thesis.read_text() == "years of work"
    assert (thesis.stat().st_mtime_ns, thesis.stat().st_mode, thesis.parent.stat().st_mode) == before
    assert list((tmp_path / "archive").iterdir()) == []


def test_a_copy_of_a_file_is_not_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    thesis = make(tmp_path / "thesis.tex", "years of work")

    def planted(path: Path) -> None:
        remove_tree(path)
        if HiddenKind.COPY in path.name and not os.path.lexists(path):
            path.symlink_to(thesis)

    monkeypatch.setattr(transfer_module, "remove_tree", planted)
    with pytest.raises(FileExistsError):
        archive_packet(packet, tmp_path / "archive", Archive.COPY)
    assert thesis.read_text() == "years of work"


def test_a_copy_that_is_exchanged_for_a_fifo_while_it_is_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")

    def exchanged(file: Path) -> None:
        file.unlink()
        os.mkfifo(file)

    after_the_first_file(monkeypatch, exchanged)
    with pytest.raises(OSError, match="differs"):
        archive_packet(packet, tmp_path / "archive", Archive.COPY)
    assert list((tmp_path / "archive").iterdir()) == []


def test_a_copy_has_the_mode_and_the_times_of_its_packet(tmp_path: Path) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    packet.chmod(0o640)
    os.utime(packet, ns=(10**18, 10**18 + 5))
    copy = archive_packet(packet, tmp_path / "archive", Archive.COPY)
    assert copy is not None
    assert copy.stat().st_mode == packet.stat().st_mode
    assert copy.stat().st_mtime_ns == 10**18 + 5


@pytest.mark.parametrize("name", ["P.zip", "P/tool"])
def test_a_copy_gives_no_rights_of_the_user_of_the_run(tmp_path: Path, name: str) -> None:
    file = make(tmp_path / "inbox" / name)
    file.chmod(0o6755)
    packet = tmp_path / "inbox" / name.partition("/")[0]
    archive_packet(packet, tmp_path / "archive", Archive.COPY)
    assert (tmp_path / "archive" / name).stat().st_mode & 0o7777 == 0o755
