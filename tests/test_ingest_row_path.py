"""Only a `!` after an archive that was opened separates the parts of a path; others are characters of names."""

from pathlib import Path

import pytest

from qxbatch.core import Reading, scan_files
from qxbatch.ingest.row_path import folder_of, name_of, tree_path
from tests.build.dicom import MrSeries
from tests.build.ingested import ingested
from tests.build.packets import Kind, write_folder, write_packet, zipped
from tests.build.parrec import ParRec
from tests.build.study import Study
from tests.endtoend.judge import Judge

FILES = MrSeries(slices=2).files()
IMAGE = FILES["IM0001"]


def parts(reading: Reading) -> dict[str, tuple[tuple[str, ...], str]]:
    """Return the folders and the name of each member by its path."""
    rows = [reading.row(k) for k in range(len(reading))]
    return {row.path: (folder_of(row), name_of(row)) for row in rows}


def test_a_loose_file_has_its_whole_name(tmp_path: Path) -> None:
    tree = {"d/a!b": IMAGE, "x!y.zip": zipped({"in/c!\xff": FILES["IM0002"]})}
    result = ingested(write_packet(tree, tmp_path, "p", Kind.FOLDER), tmp_path)
    assert parts(result.reading) == {
        "d/a!b": (("d/",), "a!b"),
        "x!y.zip": ((), "x!y.zip"),
        "x!y.zip!in/c!\xff": (("x!y.zip!", "in/"), "c!\xff"),
    }
    assert tree_path(result.row("x!y.zip!in/c!\xff")) == "x!y.zip/in/c!\xff"


def test_archive_ends_are_positions_in_the_escaped_path(tmp_path: Path) -> None:
    tree = {"\udcff\té.zip": zipped({"IM!1": IMAGE})}
    result = ingested(write_packet(tree, tmp_path, "p", Kind.FOLDER), tmp_path)
    assert parts(result.reading)["\\xff\\x09é.zip!IM!1"] == (("\\xff\\x09é.zip!",), "IM!1")


def without_series(number: int) -> dict[str, bytes]:
    """Return files without SeriesInstanceUID, with `!` in their names."""
    files = MrSeries(slices=number, changes={"SeriesInstanceUID": None}).files()
    return {f"{k}!x": data for k, data in enumerate(files.values())}


def test_files_without_a_series_uid_are_one_series_in_one_folder(tmp_path: Path) -> None:
    tree = {**without_series(3), "a.zip": zipped(MrSeries(changes={"SeriesInstanceUID": None}, key="other").files())}
    result = ingested(write_packet(tree, tmp_path, "p", Kind.FOLDER), tmp_path)
    assert sorted(group.files for group in result.reading.groups()) == [3, 3]


def test_scanned_files_without_a_series_uid_are_one_series_in_one_folder(tmp_path: Path) -> None:
    packet = write_folder(without_series(60), tmp_path / "p")
    assert [group.files for group in scan_files([str(packet)]).groups()] == [60]


def test_an_unsorted_file_is_judged_by_its_whole_name(tmp_path: Path) -> None:
    raw = MrSeries(slices=1, changes={"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}).files()["IM0001"]
    tree = {**FILES, "a!XX_0001": raw}
    result = ingested(write_packet(tree, tmp_path, "p", Kind.FOLDER), tmp_path)
    assert result.fates()["a!XX_0001"] == "sorted"
    in_zip = ingested(write_packet({**FILES, "a.zip": zipped({"XX_0001": raw})}, tmp_path, "q", Kind.FOLDER), tmp_path)
    assert in_zip.fates()["a.zip!XX_0001"] == "kept"


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP], ids=lambda kind: kind.name)
def test_kept_files_and_pairs_keep_their_names(study: Study, kind: Kind) -> None:
    pair = ParRec().files("a!b")
    study.put("S1", {**FILES, "a!b.log": b"words", **pair}, kind)
    run = study.main("--gzip=no")
    assert run.status == 0, run.text
    session = study.session("S1")
    assert (session / "inbox/a!b.log").read_bytes() == b"words"
    assert sorted(path.name for path in (session / "dicom/2010").iterdir()) == ["a!b.PAR", "a!b.REC"]
    assert {row["path"] for row in Judge(session).rows} >= {"a!b.log", "a!b.PAR", "a!b.REC"}


@pytest.mark.parametrize("archive", ["move", "delete"])
def test_a_loose_file_with_the_ledger_path_of_a_second_copy_stays(archive: str, study: Study) -> None:
    """The archive `z` has second copies of PAR and REC; the files `z!scan.PAR` and `z!scan.REC` have the same ledger paths."""
    par_rec_files = ParRec().files("scan")
    notes = {"z!scan.PAR": b"my notes", "z!scan.REC": b"my other notes"}
    inbox = write_folder({**par_rec_files, **notes, "z": zipped(par_rec_files)}, study.session("S1") / "inbox")
    run = study.main("--masterinbox=none", "--sessions=S1", f"--archive={archive}")
    assert run.status == 0, run.text
    assert {path.name: path.read_bytes() for path in inbox.iterdir()} == notes
