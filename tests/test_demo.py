"""The demo packets contain the real scans of pydicom and nibabel."""

import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest

from qxbatch import demo
from qxbatch.publish.plain_files import LinkError
from tests.build.study import run_command, run_main
from tests.faults.unprivileged import unprivileged


def test_the_packets_contain_every_file_of_their_sources(tmp_path: Path) -> None:
    inbox = demo.make_study(tmp_path) / "inbox" / "MR"
    with zipfile.ZipFile(inbox / "OP101.zip") as archive:
        assert set(archive.namelist()) == {"README.txt", *(name for name, _ in demo.PYDICOM_MR.files())}
    with tarfile.open(inbox / "OP102_baseline.tar.gz") as archive_tar:
        assert archive_tar.getnames() == ["siemens_dwi_0.dcm.gz", "siemens_dwi_1000.dcm.gz"]
    with zipfile.ZipFile(inbox / "OP104.zip") as archive:
        suffixes = sorted(Path(name).suffix for name in archive.namelist())
    assert suffixes == [".PAR", ".PAR", ".REC", ".REC", ".txt"]


def test_the_first_packet_has_one_patient_and_more_series_than_series_numbers() -> None:
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for _, path in demo.PYDICOM_MR.files()]
    assert len({header.PatientID for header in headers}) == 1
    numbers = {header.SeriesNumber for header in headers}
    assert len(numbers) < len({header.SeriesInstanceUID for header in headers})


def test_the_error_names_a_package_without_data_files() -> None:
    with pytest.raises(demo.MissingDataError, match=r"nibabel: no \*\.nothing"):
        demo.Source("nibabel", "tests/data", ("*.nothing",)).files()


def test_the_command_imports_the_packets_and_lists_files_to_look_at(tmp_path: Path) -> None:
    run = run_command("demo", "first try", cwd=tmp_path)
    sessions = tmp_path / "first try" / "study" / "sessions"
    assert run.status == 0, run.text
    assert f"$ qxbatch '{sessions}'" in run.out
    listing = run.out.partition("What to look at:")[2]
    listed = [Path(line.strip()) for line in listing.splitlines() if line.startswith("  /")]
    assert len(listed) == 4
    assert [path for path in listed if not path.is_file()] == []


def test_without_an_argument_the_demo_is_created_in_the_current_folder(tmp_path: Path) -> None:
    run = run_command("demo", "--packets-only", cwd=tmp_path)
    sessions = tmp_path / "qxbatch-demo" / "study" / "sessions"
    assert run.status == 0, run.text
    assert f"Import them with: qxbatch {sessions}\n" in run.out
    assert sorted(path.name for path in sessions.iterdir()) == ["inbox"]


def test_the_printed_command_has_the_options_of_the_import(tmp_path: Path) -> None:
    run = run_command("demo", "first try", "--packets-only", "--archive=copy", "--path-map=/a b=/c", cwd=tmp_path)
    sessions = tmp_path / "first try" / "study" / "sessions"
    assert f"Import them with: qxbatch '{sessions}' --archive=copy '--path-map=/a b=/c'\n" in run.out


def test_quiet_and_import_options_are_passed_to_the_import(tmp_path: Path) -> None:
    summary = tmp_path / "run.json"
    run = run_command("demo", str(tmp_path / "demo"), "--quiet", "--archive=copy", f"--json-file={summary}")
    assert run.status == 0
    assert run.out.startswith("To look at:\n  OP101: "), "one session has a warning"
    assert len(json.loads(summary.read_text())["sessions"]) == 4
    assert (tmp_path / "demo/study/sessions/inbox/MR/OP101.zip").exists()
    assert (tmp_path / "demo/study/sessions/archive/MR/OP101.zip").exists()


def test_a_folder_with_files_is_refused_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("text")
    run = run_main("demo", str(tmp_path))
    assert run.status == 64
    assert f"The folder {tmp_path} is not empty; nothing was changed." in run.err
    assert "qxbatch demo DIR" in run.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


NOTES = "the only copy\n"


def others(folder: Path) -> Path:
    """Create a folder with files of the names that the demo writes."""
    for name in ("sessions/inbox/MR/README.txt", "sessions/inbox/MR/OP101.zip", "README.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NOTES)
    return folder


@pytest.mark.parametrize("is_link", [True, False])
def test_a_study_that_appears_after_the_check_is_not_changed(
    is_link: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = tmp_path / "demo", demo.Source.files

    def files_and_study(source: demo.Source) -> list[tuple[str, Path]]:
        if not folder.exists():
            folder.mkdir()
            if is_link:
                (folder / "study").symlink_to(others(tmp_path / "others"))
            else:
                others(folder / "study")
        return files(source)

    monkeypatch.setattr(demo.Source, "files", files_and_study)
    run = run_main("demo", str(folder), "--packets-only")
    assert run.status == 73
    assert f"The demo cannot be created: {folder / 'study'}: file exists." in run.err
    assert "qxbatch demo DIR" in run.err
    assert [path.read_text() for path in (folder / "study").rglob("*.*")] == [NOTES] * 3


@pytest.mark.parametrize("name", ["OP103", "OP104.zip"])
def test_a_packet_that_appears_while_others_are_written_is_not_changed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = others(tmp_path / "others") / ("" if name == "OP103" else "README.txt")
    packet = tmp_path / "demo/study/sessions/inbox/MR" / name
    open_tar = tarfile.open

    def open_after_link(path: Path, mode: Any) -> tarfile.TarFile:
        packet.symlink_to(other)
        return open_tar(path, mode)

    monkeypatch.setattr(tarfile, "open", open_after_link)
    run = run_main("demo", str(tmp_path / "demo"), "--packets-only")
    assert run.status == 73
    assert f"{packet}: file exists" in run.err
    assert (tmp_path / "others/README.txt").read_text() == NOTES
    assert len([*(tmp_path / "others").rglob("*.*")]) == 3


def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "demo").symlink_to("other")
    with pytest.raises(LinkError):
        demo.make_study(tmp_path / "demo")
    assert list((tmp_path / "other").iterdir()) == []


def test_a_wrong_option_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    assert run_main("demo", str(tmp_path / "new"), "--n-procs=many").status == 64
    assert run_main("demo", str(tmp_path / "a:b")).status == 64
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_gives_status_73(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run_main("demo", str(tmp_path / "file")).status == 64
    run = run_main("demo", str(tmp_path / "file" / "below"))
    assert run.status == 73
    assert f"{tmp_path / 'file' / 'below'}" in run.err


def test_packages_without_data_files_are_reported_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = demo.Source("nibabel", "tests/data", ("*.nothing",))
    monkeypatch.setattr(demo, "SOURCES", (*demo.SOURCES[:3], missing))
    run = run_main("demo", str(tmp_path / "new"))
    assert run.status == 69
    assert "install nibabel with pip" in run.err
    assert list(tmp_path.iterdir()) == []


def test_the_folder_around_the_demo_need_not_be_readable(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "demo").mkdir(parents=True)
    top.chmod(0o111)
    run = unprivileged("demo", str(top / "demo"))
    top.chmod(0o755)
    assert run.status == 0, run.text
