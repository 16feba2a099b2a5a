"""A kept file counts only as the bytes that it has now: those of a compressed member, or those of its content."""

import errno
import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_folder, write_packet
from tests.build.study import Study, run_main

FILES = MrSeries().files()
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1", "--check=no")
NOTES = b"text of the notes\n"


def named_gzip(content: bytes) -> bytes:
    """Return gzip data with a name, which the content does not have."""
    out = io.BytesIO()
    with gzip.GzipFile("my-own-name", "wb", fileobj=out, mtime=5) as file:
        file.write(content)
    return out.getvalue()


def is_somewhere(study: Study, data: bytes) -> bool:
    return any(data in path.read_bytes() for path in study.sessions.rglob("*") if path.is_file())


def before(monkeypatch: pytest.MonkeyPatch, step: str, path: Path, data: bytes) -> None:
    """Write a file before a step of the end of a run."""
    module = __import__("qxbatch.pipeline.finish", fromlist=[step])
    original = getattr(module, step)

    def written(*args: Any, **options: Any) -> object:
        path.write_bytes(data)
        return original(*args, **options)

    monkeypatch.setattr(module, step, written)


@pytest.mark.parametrize("mode", ["delete", "leave"])
def test_a_compressed_copy_is_kept_if_the_session_has_only_its_content(study: Study, mode: str) -> None:
    data = named_gzip(b"\x01\x02pixels" * 300)
    study.put("S1", {**FILES, "lonely.REC.gz": data})
    assert study.main("--archive=delete", "--check=no").status == 0
    (study.session("S1") / "nii" / "mine.gz").write_bytes(data)
    study.put("S1", {**FILES, "lonely.REC.gz": data})
    assert study.main(f"--archive={mode}", "--overwrite=yes", "--check=no").status == 0
    copies = list((study.archive.parent / "replaced").rglob("mine.gz"))
    assert [path.read_bytes() for path in copies] == [data]


@pytest.mark.parametrize("was_edited", [False, True], ids=["same", "edited"])
def test_a_copy_of_a_file_of_the_user_is_removed_only_if_that_file_is_unchanged(
    study: Study, was_edited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder({**FILES, "notes.txt": NOTES}, study.session("S1") / "inbox")
    assert study.main(*FOLDER_MODE, "--archive=leave").status == 0
    (study.session("S1") / "nii" / "backup.txt").write_bytes(NOTES)
    text = b"another text\n" if was_edited else NOTES
    before(monkeypatch, "publish_sessions", study.session("S1") / "inbox" / "notes.txt", text)
    assert study.main(*FOLDER_MODE, "--archive=leave", "--overwrite=yes").status == 0
    assert bool(list(study.sessions.rglob("backup.txt"))) == was_edited


def test_a_log_with_the_content_of_the_own_log_in_another_form_is_another_log(study: Study) -> None:
    plain, packed = b"text of the log\n", gzip.compress(b"text of the log\n") + b"bytes behind it"
    for own, other, name in ((plain, packed, "one"), (packed, plain, "two")):
        session = study.session(name)
        options = ("--masterinbox=none", f"--sessions={name}", "--check=no", "--archive=delete")
        (session / "inbox").mkdir(parents=True)
        write_packet({**FILES, "z.log": own}, session / "inbox", "first", Kind.ZIP)
        assert study.main(*options).status == 0
        write_packet({**FILES, "z.log": other}, session / "inbox", "again", Kind.ZIP)
        run = study.main(*options, "--overwrite=yes")
        assert run.status == 0, run.text
        assert (session / "dicom" / "log" / "z.log").read_bytes() == own
        assert (session / "inbox" / "again.zip_files" / "z.log").read_bytes() == other


def test_a_member_named_like_the_own_log_does_not_stand_for_another_log(study: Study) -> None:
    log = gzip.compress(b"text of the log\n") + b"bytes behind it"
    study.put("S1", {**FILES, "../dicom/log/z.log": b"text of the log\n", "x/z.log": log})
    assert study.main("--archive=delete", "--check=no").status == 0
    assert is_somewhere(study, log)


def test_the_content_does_not_stand_for_a_compressed_file_after_a_kill(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = gzip.compress(NOTES) + b"bytes behind it"

    def stop(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "stopped")

    packet = study.put("S1", {**FILES, "notes.gz": data})
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.finish.archive_packets", stop)
        assert study.main("--archive=delete", "--check=no").status == 1
    file = study.session("S1") / "inbox" / "notes.gz"
    assert file.read_bytes() == data
    file.write_bytes(NOTES)
    run = study.main("--archive=delete", "--check=no")
    assert run.status == 1, run.text
    assert packet.exists()


def test_an_archive_is_moved_if_the_inbox_has_only_the_content_of_a_compressed_file(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = gzip.compress(NOTES) + b"bytes behind it"
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    write_packet({**FILES, "notes.gz": data}, inbox, "scan", Kind.ZIP)
    assert study.main(*FOLDER_MODE, "--archive=leave").status == 0
    before(monkeypatch, "archive_packets", inbox / "scan.zip_files" / "notes.gz", NOTES)
    assert study.main(*FOLDER_MODE, "--archive=delete", "--overwrite=yes").status == 0
    assert (study.archive / "scan.zip").exists()


def test_a_compressed_rec_that_stays_in_the_inbox_of_the_user_is_verified_as_it_is(study: Study) -> None:
    data = named_gzip(b"\x01\x02pixels" * 300)
    session = study.session("S1")
    write_folder({**FILES, "lonely.REC.gz": data}, session / "inbox")
    assert study.main(*FOLDER_MODE, "--archive=leave").status == 0
    assert run_main("verify", str(session)).status == 0
    (session / "inbox" / "lonely.REC.gz").write_bytes(gzip.decompress(data))
    assert run_main("verify", str(session)).status != 0
