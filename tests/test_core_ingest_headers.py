"""`ingest` with `headers_only` writes headers without pixels, and frames are read from them."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
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
    """Read a packet with headers only."""
    return ingest([(str(write_packet(tree, work, "p", kind)), "")], str(work / "staging"), headers_only=True)


def rows(reading: Reading) -> dict[str, int]:
    """Return the index of each row in staging by path."""
    return {reading.row(row).path: row for row in range(len(reading)) if reading.staged_path(row)}


def disk_usage(folder: Path) -> int:
    """Return the size of all files on disk in bytes."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR, Kind.TAR_GZ], ids=str)
def test_a_header_is_complete_and_its_pixels_are_a_hole(kind: Kind, tmp_path: Path) -> None:
    reading = read(TREE, tmp_path, kind)
    indices = rows(reading)
    for name, data in under("a", LARGE.files()).items():
        staged = Path(reading.staged_path(indices[name])).read_bytes()
        assert len(staged) == len(data)
        assert staged[:-PIXELS] == data[:-PIXELS]
        assert staged[-PIXELS:] == bytes(PIXELS)
    assert disk_usage(tmp_path / "staging") < 80_000


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP], ids=str)
def test_a_par_is_complete_and_other_files_are_holes(kind: Kind, tmp_path: Path) -> None:
    reading = read(TREE, tmp_path, kind)
    indices = rows(reading)
    staged = {name: Path(reading.staged_path(row)).read_bytes() for name, row in indices.items()}
    assert staged["scan.PAR"] == PAIR["scan.PAR"]
    assert staged["scan.REC"] == bytes(len(PAIR["scan.REC"]))
    assert staged["notes.bin"] == bytes(500_000)
    assert staged["cut.dcm"] == TREE["cut.dcm"], "another reader may be able to read it"


def test_groups_and_hashes_equal_those_of_a_full_reading(tmp_path: Path) -> None:
    tree = {**TREE, "inner.zip": packed(under("b", MrSeries(number=4).files()), Kind.ZIP)}
    path = write_packet(tree, tmp_path, "p", Kind.ZIP)
    full = ingest([(str(path), "")], str(tmp_path / "full"))
    header_reading = ingest([(str(path), "")], str(tmp_path / "header_reading"), headers_only=True)
    assert len(full) == len(header_reading)
    for index in range(len(full)):
        full_row, header_row = full.row(index), header_reading.row(index)
        assert (full_row.path, full_row.size, full_row.sha256, full_row.fate, full_row.kind) == (
            header_row.path,
            header_row.size,
            header_row.sha256,
            header_row.fate,
            header_row.kind,
        )
    assert [group.number for group in full.groups()] == [group.number for group in header_reading.groups()]


def test_a_large_member_and_a_kept_archive_use_little_disk_space(tmp_path: Path) -> None:
    huge = MrSeries(number=5, slices=1, rows=5000, columns=5000)
    tree = {**under("x", huge.files()), "y.zip": packed({"text": bytes([1]) * 200_000}, Kind.TAR)}
    for kind in (Kind.FOLDER, Kind.ZIP):
        work = tmp_path / kind.name
        work.mkdir()
        reading = read(tree, work, kind)
        assert [group.files for group in reading.groups()] == [1]
        assert disk_usage(work / "staging") < 50_000


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
def test_facts_of_headers_equal_those_of_complete_files(datasets: list[Dataset], tmp_path: Path) -> None:
    tree = {f"{index:03}": encoded(dataset) for index, dataset in enumerate(datasets)}
    write_packet(tree, tmp_path, "complete", Kind.FOLDER)
    write_packet({f"{name}.gz": gzip.compress(data) for name, data in tree.items()}, tmp_path, "gz", Kind.FOLDER)
    reading = read(tree, tmp_path, Kind.ZIP)
    headers = [reading.staged_path(row) for row in rows(reading).values()]
    complete = sorted(map(str, (tmp_path / "complete").iterdir()))
    gzipped = sorted(map(str, (tmp_path / "gz").iterdir()))
    first = SeriesFrames(complete)
    for files in (complete, headers, gzipped):
        frames = SeriesFrames(files, pixels=False)
        assert (frames.slices, frames.voxels, frames.objects_with_pixels) == (
            first.slices,
            first.voxels,
            first.objects_with_pixels,
        )
        assert described(frames) == described(first)


def test_an_error_names_the_file_that_cannot_be_read(tmp_path: Path) -> None:
    file, image, missing = (str(tmp_path / name) for name in ("a.dcm", "a.nii", "missing"))
    Path(file).write_bytes(encoded(classic()[0]))
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)), image)
    for pixels in (True, False):
        with pytest.raises(FileNotFoundError) as caught:
            SeriesFrames([file, missing], pixels=pixels)
        assert caught.value.filename == missing
    with pytest.raises(FileNotFoundError) as caught:
        SeriesFrames([file]).compare([image, missing], [False, False])
    assert caught.value.filename == missing


def described(frames: SeriesFrames) -> object:
    """Return the acquisition facts of frames."""
    acquired = frames.acquired_stacks()
    stacks = [
        (
            stack.size,
            stack.slice_positions,
            stack.volumes,
            stack.complete_volumes,
            stack.intervals,
            stack.b_values,
            stack.orientation,
        )
        for stack in acquired.stacks
    ]
    return stacks, acquired.first_and_last_time, acquired.echo_times, acquired.header_numbers, acquired.header_texts
