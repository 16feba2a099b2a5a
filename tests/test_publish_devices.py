"""Devices in a packet are neither opened nor copied."""

import os
import stat
from pathlib import Path

import pytest

from qxbatch.archive import packet as module
from qxbatch.publish.devices import devices_in
from qxbatch.publish.new_copies import copy_file_or_link
from qxbatch.publish.same_content import same_content
from qxbatch.publish.transfer import copy_verified, try_rename
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.study import Study

NULL = os.makedev(1, 3)


def make_device(path: Path, kind: int = stat.S_IFCHR, number: int = NULL) -> None:
    """Create a device, by default one like /dev/null."""
    try:
        os.mknod(path, kind | 0o600, number)
    except PermissionError:
        pytest.skip("no device can be created here")


@pytest.fixture
def packet(study: Study) -> Path:
    """A folder packet with two devices, a FIFO and a link."""
    folder = study.put("S1", under("a", MrSeries().files()), Kind.FOLDER)
    make_device(folder / "tape")
    make_device(folder / "a" / "disk", stat.S_IFBLK, os.makedev(7, 200))
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("tape")
    return folder


@pytest.fixture
def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened."""
    names: list[str] = []
    open_file = os.open

    def recorded(path: str, *args: int, **kwargs: int) -> int:
        names.append(os.path.basename(path))  # noqa: PTH119 - a path of any kind
        return open_file(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", recorded)
    return names


def test_a_copy_in_the_archive_has_no_devices(study: Study, packet: Path, opened_files: list[str]) -> None:
    for overwrite in ("no", "yes"):
        run = study.main("--check=no", "--archive=copy", f"--overwrite={overwrite}")
        assert run.status == 0, run.text
        assert f"{packet}: was copied to the archive without 2 devices: a/disk, ..." in " ".join(run.text.split())
    assert [path.name for path in study.archive.iterdir()] == ["S1"], "the same packet"
    copy = study.archive / "S1"
    assert not (copy / "tape").exists()
    assert not (copy / "a" / "disk").exists()
    assert (copy / "pipe").is_fifo()
    assert (copy / "link").is_symlink()
    assert not {"tape", "disk"}.intersection(opened_files)
    assert stat.S_ISCHR((packet / "tape").stat().st_mode)
    assert not (study.sessions / ".qxbatch").exists()


def test_a_packet_with_devices_is_moved_to_another_disk(
    study: Study, packet: Path, opened_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "try_rename", lambda source, to: source.parent == to.parent and try_rename(source, to))
    run = study.main("--check=no", "--archive=move")
    assert run.status == 0, run.text
    assert "without 2 devices" in " ".join(run.text.split())
    assert not packet.exists()
    assert sorted(path.name for path in (study.archive / "S1").iterdir()) == ["a", "link", "pipe"]
    assert not {"tape", "disk"}.intersection(opened_files)


def test_a_packet_with_devices_keeps_them_if_it_is_renamed(study: Study, packet: Path) -> None:
    run = study.main("--check=no", "--archive=move")
    assert (run.status, packet.exists(), "without" in run.text) == (0, False, False), run.text
    assert sorted(map(str, devices_in(study.archive / "S1"))) == ["a/disk", "tape"]


def test_a_device_is_not_opened_for_a_copy(tmp_path: Path, opened_files: list[str]) -> None:
    make_device(tmp_path / "tape")
    for copy in (copy_file_or_link, copy_verified):
        with pytest.raises(OSError, match="is not a regular file"):
            copy(tmp_path / "tape", tmp_path / "copy")
    assert "tape" not in opened_files
    assert not (tmp_path / "copy").exists()


def test_folders_that_differ_only_in_devices_have_the_same_content(tmp_path: Path) -> None:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    make_device(tmp_path / "left" / "tape")
    assert same_content(tmp_path / "left", tmp_path / "right")
    (tmp_path / "right" / "tape").write_text("")
    assert not same_content(tmp_path / "left", tmp_path / "right")
