"""Members that may contain images but were not imported: one warning for each session, and counts in its summary."""

import io
import json
import tarfile
from pathlib import Path

import pydicom
import pytest
from pydicom.fileset import FileSet

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, Tree, under, write_folder, zipped
from tests.build.study import Run, Study
from tests.endtoend.judge import Judge

T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=3, time="102000")
PACKED = pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ], ids=["folder", "zip", "tar.gz"])


def import_packet(study: Study, tree: Tree, kind: Kind = Kind.FOLDER) -> Run:
    """Import a packet S1 of the master inbox."""
    study.put("S1", tree, kind)
    return study.run("--archive=leave")


def import_session(study: Study, tree: Tree) -> Run:
    """Import the inbox of the session S1 (folder mode)."""
    for path, data in tree.items():
        place = study.session("S1") / "inbox" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return study.run("--masterinbox=none", "--sessions=S1", "--archive=leave")


def counts(study: Study, session: str = "S1") -> dict[str, int]:
    """Return the counts of left-out members by cause, as in the summary."""
    summary = json.loads((study.session(session) / "qxbatch" / "summary.json").read_text())
    left_out = summary["ledger"].get("left_out", {})
    assert isinstance(left_out, dict)
    return left_out


def warnings(run: Run) -> list[str]:
    """Return the warnings about left-out members."""
    return [line.strip() for line in run.text.splitlines() if "not imported: " in line]


def test_a_sound_packet_has_no_warning(study: Study) -> None:
    notes = {"notes/README": b"", "notes/.done": b"", "done": b"", "table.xlsx": zipped({"a.xml": b"<a/>"})}
    run = import_packet(study, {**under("T1", T1.files()), **notes}, Kind.ZIP)
    assert run.status == 0, run.text
    assert "look at" not in run.text
    assert counts(study) == {}


@PACKED
def test_each_cause_is_counted_in_one_warning(study: Study, kind: Kind) -> None:
    visit = zipped(BOLD.files())
    bare = MrSeries(changes={"SeriesInstanceUID": None, "SOPClassUID": None, "Rows": None})
    tree = {
        **under("T1", T1.files()),
        "T1/IM0009": b"",
        "T1/IM0010": bytes(1500),
        "visit2.zip": visit[: len(visit) // 2],
        "visit3.zip": visit[: len(visit) // 3],
        "visit.rar": b"Rar!\x1a\x07\x01\x00" + bytes(range(200)),
        "odd/IM0001": next(iter(bare.files().values())),
    }
    run = import_packet(study, tree, kind)
    assert run.status == 0, run.text
    assert counts(study) == {"damaged-archive": 2, "foreign-archive": 1, "unsorted": 1, "empty": 2}
    (line,) = warnings(run)
    for words in (
        "2 archives that cannot be read to their end (visit2.zip, visit3.zip)",
        "visit.rar",
        "2 files that are",
    ):
        assert words in line
    Judge(study.session("S1")).check(tree)


def test_the_path_of_an_unread_header_is_left_out_of_a_deidentified_run(study: Study, tmp_path: Path) -> None:
    study.put("S1", {**under("T1", T1.files()), "Corruptova.dcm": bytes(128) + b"DICM" + bytes(200)})
    files = [tmp_path / "log", tmp_path / "run.json"]
    run = study.run("--archive=leave", "--deidentify-logs", f"--log-file={files[0]}", f"--json-file={files[1]}")
    assert run.status == 0, run.text
    assert len(warnings(run)) == 1
    summary = study.session("S1") / "qxbatch" / "summary.json"
    assert all("Corruptova" not in path.read_text() for path in (*files, summary))
    assert counts(study) == {"unsorted": 1}


def test_folder_mode_gives_the_same_warning(study: Study) -> None:
    run = import_session(
        study, {**T1.files(), "IM0009": b"", "old/visit.rar": b"Rar!\x1a\x07\x01\x00" + bytes(range(200))}
    )
    assert counts(study) == {"foreign-archive": 1, "empty": 1}, run.text
    assert len(warnings(run)) == 1


@PACKED
def test_files_that_are_named_like_images_but_are_none_are_counted(study: Study, kind: Kind) -> None:
    files = T1.files()
    broken = {
        "T1/IM0009": bytes(4096) + files["IM0001"][4096:] + b"x",
        "T1/page.dcm": b"<html>404</html>",
        "T1/README1": b"x",
    }
    run = import_packet(study, {**under("T1", files), **broken, "viewer/data1.cab": b"MSCF" + bytes(60)}, kind)
    assert run.status == 0, run.text
    assert counts(study) == {"not-dicom": 2}, run.text


def test_renamed_copies_of_a_medium_count_only_what_is_missing(study: Study, tmp_path: Path) -> None:
    tree = medium(tmp_path / "cd")
    images = [data for path, data in tree.items() if path != "DICOMDIR"]
    run = import_packet(
        study, {f"S/{k}.dcm": data for k, data in enumerate(images[:6])} | {"DICOMDIR": tree["DICOMDIR"]}, Kind.ZIP
    )
    assert counts(study) == {"missing": 2}, run.text


def test_links_out_of_the_packet_are_counted_and_links_within_are_not(study: Study) -> None:
    packet = study.put("S1", under("T1", T1.files()), Kind.FOLDER)
    outside = study.put("elsewhere", BOLD.files(), Kind.FOLDER).rename(study.sessions.parent / "annex")
    for file in outside.iterdir():
        (packet / f"b{file.name}").symlink_to(file)
    (packet / "again").symlink_to("T1")
    (packet / "same").symlink_to(packet / "T1" / "IM0001")
    run = study.run("--archive=leave")
    assert run.status == 0, run.text
    assert counts(study) == {"link": len(BOLD.files())}
    (line,) = warnings(run)
    assert "and 6 more" in line


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.TAR])
def test_a_target_that_reads_like_a_remark_leads_out_of_the_packet(study: Study, tmp_path: Path, kind: Kind) -> None:
    folder = study.inbox / "S1" if kind is Kind.FOLDER else tmp_path / "S1"
    write_folder(T1.files(), folder)
    (folder / "link").symlink_to("/home/notes.txt, which is in the packet")
    if kind is Kind.TAR:
        with tarfile.open(study.inbox / "S1.tar", "w") as archive:
            archive.add(folder, "S1")
    assert study.run("--archive=leave").status == 0
    assert counts(study) == {"link": 1}


@PACKED
def test_a_packet_with_only_an_unreadable_archive_is_refused_for_that_reason(study: Study, kind: Kind) -> None:
    visit = zipped(BOLD.files())
    run = import_packet(study, {"visit2.zip": visit[: len(visit) // 2], "notes.txt": b"none"}, kind)
    assert run.status == 1
    assert "1 archive that cannot be read to its end (visit2.zip)" in run.text
    assert "Remove it" not in run.text
    assert not study.session("S1").exists()


def medium(folder: Path) -> dict[str, bytes]:
    """Return the tree of a medium with a DICOMDIR that lists eight files."""
    files = FileSet()
    for data in T1.with_(slices=8, changes={"StudyID": "1", "AccessionNumber": ""}).files().values():
        files.add(pydicom.dcmread(io.BytesIO(data)))
    files.write(folder)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@PACKED
def test_a_file_that_a_dicomdir_lists_and_the_packet_lacks_is_named(study: Study, kind: Kind, tmp_path: Path) -> None:
    tree = medium(tmp_path / "cd")
    whole = import_packet(study, tree, kind)
    assert whole.status == 0, whole.text
    assert counts(study) == {}
    *_, last, name = sorted(tree, key=lambda path: (path.endswith("DICOMDIR"), path))
    assert name == "DICOMDIR"
    del tree[last]
    if kind is Kind.FOLDER:
        (study.inbox / "S1" / last).unlink()
    else:
        study.put("S1", tree, kind)
    run = study.run("--archive=leave", "--overwrite=yes")
    assert counts(study) == {"missing": 1}, run.text
    (line,) = warnings(run)
    assert f"DICOMDIR lists 8 files, 1 is missing ({last})" in line


def test_the_dicomdir_of_renamed_copies_gives_no_warning(study: Study, tmp_path: Path) -> None:
    tree = medium(tmp_path / "cd")
    renamed = {f"S/{k}.dcm": data for k, (path, data) in enumerate(tree.items()) if path != "DICOMDIR"}
    import_packet(study, {**renamed, "DICOMDIR": tree["DICOMDIR"]}, Kind.ZIP)
    assert counts(study) == {}


def without(*keywords: str, **changes: object) -> MrSeries:
    """Return T1 without these elements, and with changed ones."""
    return T1.with_(changes={**changes, **dict.fromkeys(keywords)})


@PACKED
def test_dicom_without_uids_is_sorted_and_converted(study: Study, kind: Kind) -> None:
    bold = BOLD.with_(changes={"SOPInstanceUID": None, "SeriesInstanceUID": None})
    tree = {**under("a", without("SOPInstanceUID").files()), **under("b", bold.files())}
    run = import_packet(study, tree, kind)
    assert run.status == 0, run.text
    assert "look at" not in run.text
    judge = Judge(study.session("S1")).check(tree)
    assert [series["n"] for series in judge.summary["series"]] == [30, 40]
    assert [image["shape"] for image in judge.summary["images"]] == [[6, 8, 3], [6, 8, 3, 3]]
    for row in judge.rows:
        assert "no SOPInstanceUID: 2.25." in row["reason"]
        assert ("no SeriesInstanceUID: 2.25." in row["reason"]) == row["path"].startswith("b")
        uid = row["reason"].split("no SOPInstanceUID: ")[1].split(" ")[0]
        assert row["at"].endswith(f"-{uid}.dcm")


def test_series_without_a_uid_in_two_folders_are_two(study: Study) -> None:
    files = without("SeriesInstanceUID").files()
    later = without("SeriesInstanceUID", SeriesTime="110000", SOPInstanceUID="1.2.3").files()
    tree = {**under("a", files), "b/IM0001": later["IM0001"]}
    import_packet(study, tree)
    summary = Judge(study.session("S1")).summary
    assert [(series["n"], series["files"]) for series in summary["series"]] == [(30, 3), (100030, 1)]


def test_equal_files_without_uids_are_stored_once(study: Study) -> None:
    files = without("SOPInstanceUID").files()
    run = import_packet(study, {**under("a", files), **under("b", files)})
    assert run.status == 0, run.text
    summary = Judge(study.session("S1")).summary
    assert summary["ledger"]["fates"] == {"duplicate": 3, "sorted": 3}


def test_dicom_without_uids_keeps_its_numbers_when_it_is_imported_again(study: Study) -> None:
    import_session(study, under("a", without("SOPInstanceUID", "SeriesInstanceUID").files()))
    before = sorted(path.name for path in (study.session("S1") / "dicom").iterdir())
    rows = Judge(study.session("S1")).rows
    run = study.run("--masterinbox=none", "--sessions=S1", "--overwrite=yes")
    assert run.status == 0, run.text
    assert sorted(path.name for path in (study.session("S1") / "dicom").iterdir()) == before
    assert [row["at"] for row in Judge(study.session("S1")).rows] == [row["at"] for row in rows]
