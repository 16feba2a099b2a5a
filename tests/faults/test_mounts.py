"""Mount points, such as volumes of a container.

One in a session cannot be replaced: it is refused before anything changes. A packet that is or has one is imported and stays.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qxbatch.pipeline import archiving
from qxbatch.publish.below import remove_below
from qxbatch.publish.durable import remove_tree
from qxbatch.publish.exchange import publish
from qxbatch.publish.file_states import file_states_in, remove_unchanged
from qxbatch.publish.mounts import is_mounted, mount_in
from qxbatch.publish.open_folders import opened_folder, opened_in
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, write_packet
from tests.build.study import Study, snapshot

TREE = under("T1", MrSeries(patient="P1").files())
AGAIN = ("--check=no", "--archive=copy", "--overwrite=yes")
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1", "--check=no", "--archive=delete")
Mount = Callable[[Path, str], None]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Return a function that mounts something with the same content over a file or folder, by `tmpfs` or `bind`."""
    mounted: list[Path] = []

    def mount(place: Path, kind: str) -> None:
        copy = tmp_path / f"volume{len(mounted)}"
        subprocess.run(["cp", "-a", place, copy], check=True)
        words = ["-t", "tmpfs", "tmpfs"] if kind == "tmpfs" else ["--bind", str(copy)]
        if subprocess.run(["mount", *words, place], capture_output=True, check=False).returncode != 0:
            pytest.skip("nothing can be mounted here (no right to mount)")
        mounted.append(place)
        if kind == "tmpfs":
            subprocess.run(["cp", "-a", f"{copy}/.", place], check=True)

    yield mount
    for place in reversed(mounted):
        subprocess.run(["umount", "-l", place], check=True)


def test_mount_points_are_recognised(tmp_path: Path, mount: Mount) -> None:
    for name in ("plain", "tmpfs", "bind"):
        (tmp_path / name / "in").mkdir(parents=True)
    (tmp_path / "file").write_text("bind")
    (tmp_path / "link").symlink_to("tmpfs")
    for name, kind in (("tmpfs", "tmpfs"), ("bind", "bind"), ("file", "bind")):
        assert not is_mounted(tmp_path / name)
        mount(tmp_path / name, kind)
    names = ("plain", "plain/in", "bind/in", "link", "missing", "tmpfs", "bind", "file")
    assert [name for name in names if is_mounted(tmp_path / name)] == ["tmpfs", "bind", "file"]


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
@pytest.mark.parametrize("name", ["dicom", "nii", "qxbatch", "inbox", "session.txt", "."])
def test_a_session_with_a_mount_point_is_not_replaced(study: Study, mount: Mount, name: str, kind: str) -> None:
    packet = study.put("S1", TREE | {"README": b"kept\n"})
    assert study.main(*AGAIN).status == 0
    mount(study.session("S1") / name, "bind" if name == "session.txt" else kind)
    before = snapshot(study.session("S1"))
    run = study.main(*AGAIN)
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    expected = (
        "is not a folder on the file system" if name == "." else "is a mount point, so an import cannot replace it"
    )
    assert expected in text
    assert "nothing was changed" in text
    assert snapshot(study.session("S1")) == before
    assert packet.exists()
    assert not (study.sessions / ".qxbatch").exists()


def test_a_mount_point_that_appears_after_the_check_stops_the_exchange_before_a_change(
    tmp_path: Path, mount: Mount
) -> None:
    for folder in ("build", "S1"):
        (tmp_path / folder / "nii").mkdir(parents=True)
        (tmp_path / folder / "session.txt").write_text(folder)
    mount(tmp_path / "S1" / "nii", "bind")
    with pytest.raises(OSError, match=r"is a mount point: .*S1/nii"):
        publish(tmp_path / "build", tmp_path / "S1", tmp_path / "old", with_inbox=True, replace=True)
    assert (tmp_path / "S1" / "session.txt").read_text() == "S1"
    assert list((tmp_path / "old").iterdir()) == []


@pytest.mark.parametrize("has_kept_files", [True, False])
def test_an_inbox_that_is_a_mount_point_takes_no_kept_files(study: Study, mount: Mount, has_kept_files: bool) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    mount(inbox, "tmpfs")
    write_packet(TREE | ({"README": b"kept\n"} if has_kept_files else {}), inbox, "A", Kind.ZIP)
    before = snapshot(study.session("S1"))
    run = study.main(*FOLDER_MODE)
    assert run.status == int(has_kept_files), run.text
    assert ("is a mount point, and files of its archives" in " ".join(run.text.split())) == has_kept_files
    assert (snapshot(study.session("S1")) == before) == has_kept_files


@pytest.mark.parametrize("place", ["", "T1", "a b"])
@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_a_packet_with_a_mount_point_is_imported_and_stays(
    study: Study, mount: Mount, kind: str, archive: str, place: str
) -> None:
    packet = study.put("S1", TREE | {"a b/README": b"kept\n"}, Kind.FOLDER)
    mount(packet / place, kind)
    before = snapshot(packet)
    run = study.main("--check=no", f"--archive={archive}")
    assert run.status == 0, run.text
    text = " ".join(run.text.split())
    assert "was imported and stays where it is" in text
    assert f"unmount {packet / place}," in text
    assert f"qxbatch {study.sessions} --sessions=S1 --archive={archive} --overwrite=yes" in text
    assert snapshot(packet) == before
    assert study.main("--check=no", f"--archive={archive}").text.count("already there") == 1, (
        "nothing remains to be done"
    )
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("archive", ["move", "delete"])
def test_a_packet_that_is_a_mounted_file_stays(study: Study, mount: Mount, archive: str) -> None:
    packet = study.put("S1", TREE)
    mount(packet, "bind")
    run = study.main("--check=no", f"--archive={archive}")
    assert run.status == 0, run.text
    assert "it is a mount point" in " ".join(run.text.split())
    assert packet.exists()


@pytest.mark.parametrize("archive", ["copy", "leave"])
def test_a_packet_with_a_mount_point_is_copied_or_left(study: Study, mount: Mount, archive: str) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    mount(packet / "T1", "bind")
    run = study.main("--check=no", f"--archive={archive}")
    assert (run.status, "mount point" in run.text) == (0, False), run.text
    if archive == "copy":
        assert snapshot(study.archive / "S1") == snapshot(packet)


def test_packets_of_a_mounted_inbox_are_archived(study: Study, mount: Mount) -> None:
    mount(study.inbox, "tmpfs")
    study.put("S1", TREE, Kind.FOLDER)
    run = study.main("--check=no", "--archive=move")
    assert (run.status, "mount point" in run.text) == (0, False), run.text
    assert [path.name for path in study.archive.iterdir()] == ["S1"]


def test_a_run_that_continues_a_killed_one_keeps_a_mounted_packet(
    study: Study, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    mount(packet, "bind")
    before = snapshot(packet)
    with monkeypatch.context() as unseen:
        unseen.setattr(archiving, "mount_at", lambda *_: None)
        assert study.main("--check=no", "--archive=delete").status == 1
    run = study.main("--check=no", "--archive=delete")
    assert run.status == 0, run.text
    assert "was imported and stays where it is" in " ".join(run.text.split())
    assert snapshot(packet) == before
    assert not (study.sessions / ".qxbatch").exists()


def test_what_is_mounted_in_a_folder_is_not_removed(tmp_path: Path, mount: Mount) -> None:
    for name in ("plain", "a/inner"):
        (tmp_path / "top" / name).mkdir(parents=True)
        (tmp_path / "top" / name / "file").write_text("x")
    with opened_folder(tmp_path) as parent, opened_in(parent, ("top",)) as top:
        states = file_states_in(top)
        mount(tmp_path / "top" / "a" / "inner", "bind")
        with pytest.raises(OSError, match=r"is a mount point: .*top/a/inner"):
            file_states_in(top)
        with pytest.raises(OSError, match="is a mount point"):
            remove_unchanged(parent, "top", states)
    assert (tmp_path / "top/a/inner/file").exists()


def test_mount_points_below_a_folder_are_found(tmp_path: Path, mount: Mount) -> None:
    for name in ("top/a b\\040", "top2"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("top")
    mount(tmp_path / "top2", "bind")
    assert mount_in(tmp_path / "top") is None
    mount(tmp_path / "top" / "a b\\040", "bind")
    assert mount_in(tmp_path / "top") == tmp_path / "top" / "a b\\040"
    assert mount_in(tmp_path / "link") is None
    assert mount_in(tmp_path / "missing") is None


@pytest.mark.parametrize("archive", ["leave", "copy", "move", "delete"])
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_files_of_a_mount_point_in_an_inbox_are_imported_and_stay(
    study: Study, mount: Mount, kind: str, archive: str
) -> None:
    inbox = study.session("S1") / "inbox"
    mounted = {**under("data/deep", MrSeries(number=8, patient="P1").files())}
    write_folder({**under("own", MrSeries(patient="P1").files()), **mounted}, inbox)
    write_packet(MrSeries(number=9, patient="P1").files(), inbox / "data", "z", Kind.ZIP)
    before = snapshot(inbox / "data")
    mount(inbox / "data", kind)
    words = ("--masterinbox=none", "--sessions=S1", "--check=no", f"--archive={archive}")
    run = study.main(*words)
    assert run.status == 0, run.text
    assert snapshot(inbox / "data") == before
    assert [path.name for path in inbox.iterdir()] == ["data"]
    assert f"{inbox / 'data'}" in run.text
    assert "is a mount point" in run.text
    assert len([*(study.session("S1") / "nii").glob("*.nii.gz")]) == 3
    assert study.main(*words).status in (0, 66)
    assert not (study.sessions / ".qxbatch").exists()


def test_a_mounted_file_in_an_inbox_stays(study: Study, mount: Mount) -> None:
    inbox = study.session("S1") / "inbox"
    write_folder(MrSeries(patient="P1").files(), inbox)
    mount(inbox / "IM0002", "bind")
    run = study.main("--masterinbox=none", "--sessions=S1", "--check=no")
    assert (run.status, "IM0002: is a mount point" in " ".join(run.text.split())) == (0, True), run.text
    assert [path.name for path in inbox.iterdir()] == ["IM0002"]


@pytest.mark.parametrize("place", ["top", "top/a/b"])
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_what_is_mounted_in_a_folder_of_qxbatch_is_not_removed_with_it(
    tmp_path: Path, mount: Mount, place: str, kind: str
) -> None:
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True)
    (tmp_path / place / "file").write_text("of others")
    mount(tmp_path / place, kind)
    for remove in (remove_tree, lambda path: remove_below(path, tmp_path)):
        with pytest.raises(OSError, match="is a mount point"):
            remove(top)
        assert (tmp_path / place / "file").read_text() == "of others"
