"""Files that a person added to a session, and an import with --overwrite=yes: none of their bytes is lost."""

import gzip
import hashlib
import io
import json
import os
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.exits import ExitStatus
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, zipped
from tests.build.study import Study, run_main, snapshot

FILES = MrSeries().files()


def first_line(session: Path) -> list[bytes]:
    text = session / "session.txt"
    text.write_text("# my remark: do not use run 2\n" + text.read_text().split("\n", 1)[1])
    return [text.read_bytes()]


def remark_in_summary(session: Path) -> list[bytes]:
    path = session / "qxbatch" / "summary.json"
    content = json.loads(path.read_text())
    content["host"]["remark"] = "scanned on the old scanner"
    path.write_text(json.dumps(content))
    return [path.read_bytes()]


def archive_of_folders(session: Path) -> list[bytes]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("the subject moved")
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    for name in ("dicom/mine.tar.gz", "dicom/70.tar.gz"):
        (session / name).write_bytes(out.getvalue())
    return [out.getvalue()]


def archive_under_other_names(session: Path) -> list[bytes]:
    """Add archives of the same contents under other names."""
    out = io.BytesIO()
    with tarfile.open(session / "dicom" / "30.tar.gz") as packed, tarfile.open(fileobj=out, mode="w:gz") as archive:
        for member in packed:
            content = packed.extractfile(member)
            assert content is not None
            named = tarfile.TarInfo(f"good/{Path(member.name).name}")
            named.size = member.size
            archive.addfile(named, content)
    for name in ("nii/mine.tar.gz", "dicom/70.tar.gz"):
        (session / name).write_bytes(out.getvalue())
    return [out.getvalue()]


def compressed_copy_with_a_name(session: Path) -> list[bytes]:
    with tarfile.open(session / "dicom" / "30.tar.gz") as packed:
        content = packed.extractfile(packed.getmembers()[0])
        assert content is not None
        image = content.read()
    out = io.BytesIO()
    with gzip.GzipFile("the-only-good-image", "wb", fileobj=out) as file:
        file.write(image)
    (session / "dicom" / "copy.gz").write_bytes(out.getvalue())
    return [out.getvalue()]


def bytes_behind_a_series(session: Path) -> list[bytes]:
    path = session / "dicom" / "30.tar.gz"
    path.write_bytes(path.read_bytes() + gzip.compress(b"my notes"))
    return [path.read_bytes()]


EDITS = [
    first_line,
    remark_in_summary,
    archive_of_folders,
    archive_under_other_names,
    compressed_copy_with_a_name,
    bytes_behind_a_series,
]


def hashes(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("edit", EDITS)
def test_what_a_person_wrote_is_kept(study: Study, edit: Callable[[Path], list[bytes]]) -> None:
    study.put("S1", FILES)
    assert study.run("--archive=leave").status == 0
    mine = edit(study.session("S1"))
    run = study.run("--archive=leave", "--overwrite=yes")
    assert run.status == 0, run.text
    assert {hashlib.sha256(data).hexdigest() for data in mine} <= hashes(study.sessions / "archive" / "replaced")
    assert "were kept in" in run.text


def test_a_copy_of_a_compressed_member_is_kept(study: Study) -> None:
    members = {f"{name}.gz": gzip.compress(data) for name, data in FILES.items()}
    study.put("S1", members)
    assert study.run("--archive=leave").status == 0
    name, copy = next(iter(members.items()))
    (study.session("S1") / "dicom" / Path(name).name).write_bytes(copy)
    assert study.run("--archive=delete", "--overwrite=yes").status == 0
    assert hashlib.sha256(copy).hexdigest() in hashes(study.sessions / "archive" / "replaced")


def test_a_session_that_nobody_edited_leaves_nothing(study: Study) -> None:
    study.put("S1", FILES)
    assert study.run("--archive=leave").status == 0
    run = study.run("--archive=leave", "--overwrite=yes")
    assert run.status == 0, run.text
    assert not (study.sessions / "archive" / "replaced").exists()


def test_links_of_an_annex_are_kept_as_links(study: Study) -> None:
    study.put("S1", FILES)
    assert study.run("--archive=leave").status == 0
    image = study.session("S1") / "nii" / "31.nii.gz"
    content = study.sessions.parent / "annex" / "content"
    content.parent.mkdir()
    image.rename(content)
    image.symlink_to(content)
    run = study.run("--archive=leave", "--overwrite=yes")
    assert run.status == 0, run.text
    assert (study.sessions / "archive" / "replaced" / "S1-1" / "nii" / "31.nii.gz").readlink() == content
    assert content.is_file()
    assert study.run("--check=no").status == 0


@pytest.mark.parametrize("name", ["nii/control.fifo", "dicom/x.gz", "dicom/99.tar.gz", "qxbatch/fifo", "inbox/fifo"])
def test_a_fifo_in_a_session_stops_nothing(study: Study, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.build.study.TIME_LIMIT", 60)
    study.put("S1", FILES)
    assert study.run("--archive=leave").status == 0
    os.mkfifo(study.session("S1") / name)
    run = study.run("--archive=leave", "--overwrite=yes")
    assert run.status == 0, run.text
    assert not (study.sessions / ".qxbatch" / "work").exists()


def behind_a_tar(study: Study) -> Path:
    packet = study.put("S1", FILES, Kind.TAR)
    packet.write_bytes(packet.read_bytes() + b"notes of the scanner".ljust(512, b"\0"))
    return packet


def before_a_zip(study: Study) -> Path:
    return study.put_bytes("S1.zip", b"MZ" + bytes(range(256)) * 20 + zipped(FILES))


def behind_a_gzip(study: Study) -> Path:
    packet = study.put("S1", FILES, Kind.TAR_GZ)
    packet.write_bytes(packet.read_bytes() + b"notes of the scanner")
    return packet


@pytest.mark.parametrize("build", [behind_a_tar, before_a_zip, behind_a_gzip])
def test_bytes_that_are_no_member_are_not_deleted(study: Study, build: Callable[[Study], Path]) -> None:
    packet = build(study)
    data = packet.read_bytes()
    run = study.run("--archive=delete")
    assert run.status == 0, run.text
    assert "it is moved to the archive instead" in run.text
    assert [path.read_bytes() for path in study.archive.iterdir()] == [data]


def hidden_member(study: Study) -> Path:
    """Put a zip whose central directory does not list one of its members."""
    data = zipped({**FILES, "notes.txt": b"notes of the scanner" * 10}, stored=True)
    at = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    count = struct.unpack_from("<H", data, end + 10)[0] - 1
    start = struct.unpack_from("<I", data, end + 16)[0]
    record = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, at - start, start, 0)
    return study.put_bytes("S1.zip", data[:at] + record)


def behind_an_inner_archive(study: Study) -> Path:
    return study.put("S1", {"visit.zip": zipped(FILES) + b"notes of the scanner"})


def behind_a_gzipped_file(study: Study) -> Path:
    files = {f"{name}.dcm.gz": gzip.compress(data) for name, data in FILES.items()}
    return study.put("S1", {**files, "last.dcm.gz": files["IM0001.dcm.gz"] + b"notes of the scanner"})


@pytest.mark.parametrize("build", [hidden_member, behind_an_inner_archive, behind_a_gzipped_file])
def test_bytes_that_no_session_contains_are_not_deleted(study: Study, build: Callable[[Study], Path]) -> None:
    packet = build(study)
    data = packet.read_bytes()
    run = study.run("--archive=delete")
    assert run.status == 0, run.text
    assert [path.read_bytes() for path in study.archive.iterdir()] == [data]


@pytest.mark.parametrize("mode", ["move", "delete", "leave"])
def test_a_loose_compressed_file_with_further_bytes_stays_in_its_inbox(study: Study, mode: str) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    for name, data in FILES.items():
        (inbox / f"{name}.dcm.gz").write_bytes(gzip.compress(data))
    odd = inbox / "IM0001.dcm.gz"
    odd.write_bytes(odd.read_bytes() + b"notes of the scanner")
    data = odd.read_bytes()
    run = study.run("--masterinbox=none", "--sessions=S1", f"--archive={mode}")
    assert run.status == 0, run.text
    assert odd.read_bytes() == data
    assert sorted(path.name for path in inbox.iterdir()) == [odd.name]


@pytest.mark.parametrize("mode", ["move", "delete", "copy"])
def test_importing_from_the_archive_removes_nothing_there(study: Study, mode: str) -> None:
    study.put("S1", FILES)
    assert study.run().status == 0
    (packet,) = study.archive.iterdir()
    data = packet.read_bytes()
    run = study.run(f"--masterinbox={study.archive}", f"--archive={mode}", "--overwrite=yes")
    assert run.status == 0, run.text
    assert [(path.name, path.read_bytes()) for path in study.archive.iterdir()] == [("S1.zip", data)]


@pytest.mark.parametrize("mode", ["move", "delete"])
@pytest.mark.parametrize("folder", ["", "inbox", "dicom", "nii"])
def test_a_session_is_not_taken_for_an_inbox(study: Study, mode: str, folder: str) -> None:
    study.put("S1", {**FILES, "notes.txt": b"kept in the inbox"})
    assert study.main().status == 0
    before = snapshot(study.session("S1"))
    run = study.main(f"--masterinbox={study.session('S1') / folder}", f"--archive={mode}")
    assert run.status == ExitStatus.USAGE
    assert f"a session folder, {study.session('S1')}: its files would be moved away" in run.text
    assert snapshot(study.session("S1")) == before


def test_kept_files_of_a_session_can_be_imported_and_left(study: Study) -> None:
    study.put("S1", {**FILES, "notes.txt": b"kept in the inbox"})
    assert study.main().status == 0
    before = snapshot(study.session("S1"))
    assert study.main(f"--masterinbox={study.session('S1') / 'inbox'}", "--archive=leave", "--check=no").status == 0
    assert snapshot(study.session("S1")) == before


@pytest.mark.parametrize("folder", ["sessions/S7", "sessions/S7/dicom", "bare/S7"])
def test_a_session_of_another_program_is_not_taken_for_an_inbox(study: Study, tmp_path: Path, folder: str) -> None:
    top = tmp_path / "study" / folder.removesuffix("/dicom")
    for name in ("dicom/1/1.dcm", "nii/scan.nii.gz", "inbox/P/1.dcm"):
        (top / name).parent.mkdir(parents=True)
        (top / name).write_bytes(next(iter(FILES.values())))
    before = snapshot(tmp_path)
    run = study.main(f"--masterinbox={tmp_path / 'study' / folder}")
    assert run.status == ExitStatus.USAGE
    assert f"a session folder, {top}: its files would be moved away" in run.text
    assert snapshot(tmp_path) == before


def test_an_inbox_beside_folders_named_dicom_and_nii_is_imported(study: Study, tmp_path: Path) -> None:
    for name in ("dicom/1/1.dcm", "nii/scan.nii.gz", "inbox/S1/1.dcm"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(next(iter(FILES.values())))
    run = study.main(f"--masterinbox={tmp_path / 'inbox'}")
    assert run.status == 0, run.text
    assert (study.archive / "S1").exists()


FOREIGN = (
    "study/sessions",
    "study/sessions/archive",
    "study/sessions/archive/MR",
    "study/sessions/.qxbatch",
    "bare/S1",
)


@pytest.mark.parametrize("mode", ["move", "delete"])
@pytest.mark.parametrize("folder", FOREIGN)
def test_another_study_is_not_taken_for_an_inbox(study: Study, tmp_path: Path, mode: str, folder: str) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    (study.sessions / ".qxbatch" / "journal").mkdir(parents=True)
    bare = tmp_path / "bare" / "S1"  # a session without a record
    for name in ("dicom/30/1.dcm", "nii/31.nii.gz"):
        (bare / name).parent.mkdir(parents=True)
        (bare / name).write_bytes(next(iter(FILES.values())))
    before = snapshot(tmp_path)
    run = run_main(str(tmp_path / "other"), f"--masterinbox={tmp_path / folder}", f"--archive={mode}")
    assert run.status == ExitStatus.USAGE
    assert f"The master inbox {tmp_path / folder} is " in run.text
    assert "--archive=leave" in run.text
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("mode", ["move", "delete"])
def test_another_study_is_not_taken_for_a_packet(study: Study, tmp_path: Path, mode: str) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    before = snapshot(tmp_path / "study")
    run = run_main(str(tmp_path / "other"), f"--masterinbox={tmp_path}", f"--archive={mode}")
    assert run.status == ExitStatus.FAILED
    assert f"contains the sessions folder of another study, {study.sessions}" in " ".join(run.text.split())
    assert snapshot(tmp_path / "study") == before


def test_packets_of_the_inbox_of_another_study_are_imported(study: Study, tmp_path: Path) -> None:
    study.put("S1", FILES)
    (study.archive).mkdir(parents=True)
    run = run_main(str(tmp_path / "other"), f"--masterinbox={study.inbox}")
    assert run.status == 0, run.text
    assert [path.name for path in (tmp_path / "other" / "archive" / "MR").iterdir()] == ["S1.zip"]
