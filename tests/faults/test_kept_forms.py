"""A kept file counts only as the bytes that it has now: those of a compressed member, or those of its content."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import write_folder
from tests.build.study import Study

FILES = MrSeries().files()
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1", "--check=no")
NOTES = b"text of the notes\n"


def named_gzip(content: bytes) -> bytes:
    """Return gzip data with a name, which the content does not have."""
    out = io.BytesIO()
    with gzip.GzipFile("my-own-name", "wb", fileobj=out, mtime=5) as file:
        file.write(content)
    return out.getvalue()


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
