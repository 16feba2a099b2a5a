"""Kept files of a de-identified session: the session id replaces identities in the names of files and folders."""

from pathlib import Path

from qxbatch.deidentify import redaction
from qxbatch.record.kept_files import redact_kept_names

REDACT = redaction([{"PatientID": "AP41", "PatientName": "Doe^Jane"}], "S1")


def _write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def _files(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_identities_in_names_of_files_and_folders_are_replaced(tmp_path: Path) -> None:
    _write(tmp_path, "inbox/Doe/AP41.txt", "inbox/notes.txt", "dicom/log/Doe.log")
    changed = redact_kept_names(tmp_path, REDACT, {})
    assert changed == {"inbox/Doe/AP41.txt": "inbox/S1/S1.txt", "dicom/log/Doe.log": "dicom/log/S1.log"}
    assert _files(tmp_path) == {
        "inbox/S1/S1.txt": "inbox/Doe/AP41.txt",
        "inbox/notes.txt": "inbox/notes.txt",
        "dicom/log/S1.log": "dicom/log/Doe.log",
    }


def test_a_folder_gets_a_numbered_name_if_a_file_has_its_new_name(tmp_path: Path) -> None:
    _write(tmp_path, "inbox/S1", "inbox/Doe/a.txt", "inbox/Doe/Doe/b.txt")
    changed = redact_kept_names(tmp_path, REDACT, {})
    assert changed == {"inbox/Doe/a.txt": "inbox/S1_2/a.txt", "inbox/Doe/Doe/b.txt": "inbox/S1_2/S1/b.txt"}
    assert _files(tmp_path) == {
        "inbox/S1": "inbox/S1",
        "inbox/S1_2/a.txt": "inbox/Doe/a.txt",
        "inbox/S1_2/S1/b.txt": "inbox/Doe/Doe/b.txt",
    }


def test_a_file_gets_a_numbered_name_if_another_one_has_its_new_name(tmp_path: Path) -> None:
    _write(tmp_path, "inbox/S1.txt", "inbox/Doe.txt")
    assert redact_kept_names(tmp_path, REDACT, {}) == {"inbox/Doe.txt": "inbox/S1_2.txt"}
