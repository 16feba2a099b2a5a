"""Headers alone: what `ingest` leaves of members, and what frames read without pixels."""

import gzip
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from qxbatch.core import Reading, SeriesFrames, ingest
from tests.build.dicom import MrSeries, Vendor, encoded
from tests.build.packets import Kind, Tree, packed, under, write_packet
from tests.build.parrec import ParRec
from tests.build.scans import classic, enhanced, mosaics

LARGE = MrSeries(number=3, slices=3, rows=256, columns=256)
PIXELS = 256 * 256 * 2
PAIR = ParRec(slices=3, volumes=2).files()
TREE = {**under("a", LARGE.files()), **PAIR, "notes.bin": bytes([7]) * 500_000, "cut.dcm": b"\0" * 128 + b"DICM"}


def read(tree: Tree, work: Path, kind: Kind) -> Reading:
    """Return a reading with headers alone."""
    return ingest([(str(write_packet(tree, work, "p", kind)), "")], str(work / "staging"), headers_only=True)


def rows(reading: Reading) -> dict[str, int]:
    """Return path to index of the rows that are in staging."""
    return {reading.row(row).path: row for row in range(len(reading)) if reading.staged(row)}


def used(folder: Path) -> int:
    """Return the bytes that files take on disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR, Kind.TAR_GZ], ids=str)
def test_a_header_is_whole_and_its_pixels_are_a_hole(kind: Kind, tmp_path: Path) -> None:
    reading = read(TREE, tmp_path, kind)
    found = rows(reading)
    for name, data in under("a", LARGE.files()).items():
        staged = Path(reading.staged(found[name])).read_bytes()
        assert len(staged) == len(data)
        assert staged[:-PIXELS] == data[:-PIXELS]
        assert staged[-PIXELS:] == bytes(PIXELS)
    assert used(tmp_path / "staging") < 80_000


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP], ids=str)
def test_a_par_is_whole_and_what_is_no_header_is_a_hole(kind: Kind, tmp_path: Path) -> None:
    reading = read(TREE, tmp_path, kind)
    found = rows(reading)
    staged = {name: Path(reading.staged(row)).read_bytes() for name, row in found.items()}
    assert staged["scan.PAR"] == PAIR["scan.PAR"]
    assert staged["scan.REC"] == bytes(len(PAIR["scan.REC"]))
    assert staged["notes.bin"] == bytes(500_000)
    assert staged["cut.dcm"] == TREE["cut.dcm"], "another reader may still read it"


def test_groups_and_hashes_are_those_of_a_whole_reading(tmp_path: Path) -> None:
    tree = {**TREE, "inner.zip": packed(under("b", MrSeries(number=4).files()), Kind.ZIP)}
    path = write_packet(tree, tmp_path, "p", Kind.ZIP)
    whole = ingest([(str(path), "")], str(tmp_path / "whole"))
    heads = ingest([(str(path), "")], str(tmp_path / "heads"), headers_only=True)
    assert len(whole) == len(heads)
    for index in range(len(whole)):
        one, other = whole.row(index), heads.row(index)
        assert (one.path, one.size, one.sha256, one.fate, one.kind) == (
            other.path,
            other.size,
            other.sha256,
            other.fate,
            other.kind,
        )
    assert [group.number for group in whole.groups()] == [group.number for group in heads.groups()]


def test_a_large_member_and_a_kept_archive_leave_no_bytes(tmp_path: Path) -> None:
    huge = MrSeries(number=5, slices=1, rows=5000, columns=5000)
    tree = {**under("x", huge.files()), "y.zip": packed({"text": bytes([1]) * 200_000}, Kind.TAR)}
    for kind in (Kind.FOLDER, Kind.ZIP):
        work = tmp_path / kind.name
        work.mkdir()
        reading = read(tree, work, kind)
        assert [group.files for group in reading.groups()] == [1]
        assert used(work / "staging") < 50_000


@pytest.mark.parametrize(
    "datasets",
    [
        classic(),
        classic(Vendor.GE),
        mosaics(),
        enhanced(),
    ],
    ids=["classic", "ge", "mosaics", "enhanced"],
)
def test_facts_of_headers_alone_are_those_of_whole_files(datasets: list[Dataset], tmp_path: Path) -> None:
    tree = {f"{index:03}": encoded(dataset) for index, dataset in enumerate(datasets)}
    write_packet(tree, tmp_path, "whole", Kind.FOLDER)
    write_packet({f"{name}.gz": gzip.compress(data) for name, data in tree.items()}, tmp_path, "gz", Kind.FOLDER)
    reading = read(tree, tmp_path, Kind.ZIP)
    heads = [reading.staged(row) for row in rows(reading).values()]
    whole = sorted(map(str, (tmp_path / "whole").iterdir()))
    gzipped = sorted(map(str, (tmp_path / "gz").iterdir()))
    first = SeriesFrames(whole)
    for files in (whole, heads, gzipped):
        frames = SeriesFrames(files, pixels=False)
        assert (frames.slices, frames.voxels, frames.images) == (first.slices, first.voxels, first.images)
        assert described(frames) == described(first)


def described(frames: SeriesFrames) -> object:
    """Return all that was acquired."""
    acquired = frames.acquired()
    stacks = [
        (stack.size, stack.places, stack.begun, stack.complete, stack.intervals, stack.b_values, stack.orientation)
        for stack in acquired.stacks
    ]
    return stacks, acquired.span, acquired.echo_times, acquired.numbers, acquired.texts
