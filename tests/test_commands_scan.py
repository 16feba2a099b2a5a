"""`qxbatch scan`: the series in folders, files and archives."""

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.cli.main import main
from qxbatch.report.series_table import COLUMNS
from tests.build import lzw, zst
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.parrec import ParRec
from tests.build.study import run_command, snapshot

T1 = MrSeries(number=2, description="T1w", slices=3)
BOLD = MrSeries(number=10, description="BOLD rest", slices=2, volumes=4, tr=800.0)
UNNUMBERED = MrSeries(number=None, description="Report", slices=1)
TREE = {
    **under("a", BOLD.files()),
    **under("b/c", T1.files()),
    **under("d", UNNUMBERED.files()),
    "README": b"read me",
}


def scanned(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Return the sources in the JSON of a scan, which must have no problems."""
    assert main(["scan", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)["sources"]


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR, Kind.TAR_GZ, Kind.TAR_ZST, Kind.TARZ], ids=str)
def test_series_are_listed_equally_for_folders_and_archives(
    kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_packet(TREE, tmp_path, "packet", kind)
    before = snapshot(tmp_path)
    [source] = scanned(capsys, str(path))
    assert [(each["number"], each["files"], each["SeriesDescription"]) for each in source["series"]] == [
        (2, 3, "T1w"),
        (10, 8, "BOLD rest"),
        (None, 1, "Report"),
    ]
    assert (source["files"], source["dicom"], source["problems"]) == (13, 12, [])
    assert {each["PatientID"] for each in source["series"]} == {"P001"}
    assert source["series"][1]["RepetitionTime"] == 800
    assert source["series"][0]["SeriesInstanceUID"] == T1.series_uid
    assert snapshot(tmp_path) == before, "a scan writes nothing"


def test_a_single_file_and_several_paths_are_scanned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *_ = T1.write(tmp_path / "x")
    sources = scanned(capsys, str(first), str(tmp_path / "x"))
    assert [source["dicom"] for source in sources] == [1, 3]


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, zst.compress, lzw.compress])
def test_a_single_compressed_file_is_scanned(
    pack: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.dcm.packed").write_bytes(pack(next(iter(T1.files().values()))))
    [source] = scanned(capsys, str(tmp_path / "x.dcm.packed"))
    assert [(each["number"], each["files"]) for each in source["series"]] == [(2, 1)]


def test_tab_separated_values_have_a_row_for_each_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_packet(TREE, tmp_path, "packet", Kind.FOLDER)
    assert main(["scan", "--tsv", str(tmp_path)]) == 0
    head, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert tuple(head) == COLUMNS
    assert [row[head.index("number")] for row in rows] == ["2", "10", ""]
    assert all(len(row) == len(head) for row in rows)


def test_the_table_lists_series_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_packet(TREE, tmp_path, "packet", Kind.FOLDER)
    assert main(["scan", str(tmp_path / "packet")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("packet (folder): 3 series, 12 of 13 files")
    assert lines[2].split()[:2] == ["2", "3"]
    assert "2024-01-15 10:15" in lines[2]
    size = sum(map(len, T1.files().values()))
    assert lines[2].split()[2:4] == [f"{size / 1000:.1f}", "kB"]


def test_a_damaged_archive_is_a_problem_and_its_readable_series_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_packet(TREE, tmp_path, "packet", Kind.TAR)
    path.write_bytes(path.read_bytes()[:-9000])
    assert main(["scan", "--json", str(path)]) == 1
    [source] = json.loads(capsys.readouterr().out)["sources"]
    assert source["problems"]
    assert source["series"]


def test_a_damaged_gzip_file_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = gzip.compress(next(iter(TREE.values())), mtime=0)
    (tmp_path / "a.dcm").write_bytes(packed[:30] + b"\xff" * 40 + packed[70:])
    assert main(["scan", "--json", str(tmp_path)]) == 1
    [source] = json.loads(capsys.readouterr().out)["sources"]
    assert source["problems"] == [f"{tmp_path / 'a.dcm'}: the compressed data are damaged"]


def test_a_fifo_has_no_series(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    run = run_command("scan", str(tmp_path / "pipe"))
    assert (run.status, "0 series" in run.out) == (0, True), run.text


def test_a_folder_without_dicom_has_no_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README").write_text("x")
    [source] = scanned(capsys, str(tmp_path))
    assert (source["series"], source["files"]) == ([], 1)


@pytest.mark.parametrize(
    "words", [["/no/such/path"], ["--json", "--tsv", "."], ["--n-procs=0", "."], ["--n-procs=x", "."], []]
)
def test_usage_errors_give_status_64(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", *words]) == 64
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ], ids=str)
def test_par_rec_pairs_are_listed_with_dicom_series(
    kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = {**T1.files(), **ParRec(acquisition=7, protocol="WIP epi").files("philips/x", ".par", ".rec")}
    [source] = scanned(capsys, str(write_packet(tree, tmp_path, "packet", kind)))
    assert (source["files"], source["dicom"]) == (5, 3)
    par = next(each for each in source["series"] if each["kind"] == "PAR/REC")
    assert (par["number"], par["files"], par["SeriesDescription"]) == (701, 2, "epi")
    assert (par["PatientID"], par["started"]) == ("Doe^Jane", "20240115101500")
