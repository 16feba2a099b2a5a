"""The builders write valid files that other readers read, with the same bytes each time."""

import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import dcm2niix
import numpy as np
import pydicom
import pytest
from nibabel.nifti1 import Nifti1Image
from nibabel.parrec import PARRECImage
from numpy.typing import NDArray

from tests.build import broken, lzw, zst
from tests.build.aes import block, round_keys
from tests.build.dicom import MrSeries, Syntax, Vendor, encoded
from tests.build.encrypted import DEFLATED, Traditional, encrypted
from tests.build.objects import (
    dicomdir,
    enhanced,
    presentation_state,
    raw_data,
    report,
    screen_save,
    spectroscopy,
)
from tests.build.packets import Kind, packed, read_tree, tarred, under, write_packet, zipped
from tests.build.parrec import ParRec

TREE = {"a/one": b"one" * 50, "b/two": b"two" * 7000}


def converted(folder: Path, out: Path) -> NDArray[np.uint16]:
    """Convert a folder with dcm2niix; return the voxels of its only image."""
    out.mkdir()
    subprocess.run([dcm2niix.bin, "-g", "i", "-z", "n", "-f", "x", "-o", out, folder], check=True, capture_output=True)
    (image,) = out.glob("*.nii")
    return np.asarray(Nifti1Image.from_filename(image).dataobj)


def expected(series: MrSeries) -> NDArray[np.uint16]:
    """Return the voxels of a series in NIfTI order: columns, reversed rows, slices, volumes."""
    volumes = np.stack([series.volume(t) for t in range(series.volumes)])
    return volumes.transpose(3, 2, 1, 0)[:, ::-1].squeeze()


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize("volumes", [1, 3])
def test_a_classic_series_becomes_its_volume(vendor: Vendor, volumes: int, tmp_path: Path) -> None:
    series = MrSeries(vendor=vendor, volumes=volumes)
    series.write(tmp_path / "in")
    assert np.array_equal(converted(tmp_path / "in", tmp_path / "out"), expected(series))


@pytest.mark.parametrize("syntax", [Syntax.IMPLICIT, Syntax.BIG, Syntax.RLE])
def test_other_transfer_syntaxes_become_the_same_volume(syntax: Syntax, tmp_path: Path) -> None:
    series = MrSeries(syntax=syntax)
    series.write(tmp_path / "in")
    assert np.array_equal(converted(tmp_path / "in", tmp_path / "out"), expected(series))


def test_an_enhanced_object_becomes_its_volume(tmp_path: Path) -> None:
    series = MrSeries(vendor=Vendor.PHILIPS, volumes=2)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "enhanced").write_bytes(encoded(enhanced(series)))
    assert np.array_equal(converted(tmp_path / "in", tmp_path / "out"), expected(series))


def test_a_par_rec_pair_becomes_its_volume(tmp_path: Path) -> None:
    write_packet(ParRec(volumes=2).files(), tmp_path, "in", Kind.FOLDER)
    assert PARRECImage.from_filename(tmp_path / "in" / "scan.PAR").shape == (6, 8, 3, 2)
    assert converted(tmp_path / "in", tmp_path / "out").shape == (6, 8, 3, 2)


FORMS = [(syntax, preamble, True) for syntax in Syntax for preamble in (True, False)]
# Without a meta header, a reader cannot know that a file is compressed or big-endian.
FORMS += [(syntax, False, False) for syntax in Syntax if syntax not in (Syntax.DEFLATED, Syntax.RLE, Syntax.BIG)]


@pytest.mark.parametrize(("syntax", "preamble", "meta"), FORMS)
def test_pydicom_reads_every_form(syntax: Syntax, preamble: bool, meta: bool) -> None:
    series = MrSeries(syntax=syntax, preamble=preamble, meta=meta)
    data = next(iter(series.files().values()))
    assert (data[128:132] == b"DICM") is preamble
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    assert (dataset.PatientID, dataset.SeriesNumber) == ("P001", 3)


@pytest.mark.parametrize("build", [report, raw_data, spectroscopy, presentation_state, screen_save, enhanced])
def test_other_objects_have_the_number_of_their_series(build: object) -> None:
    assert callable(build)
    dataset = pydicom.dcmread(io.BytesIO(encoded(build(MrSeries(number=99)))))
    assert dataset.SeriesNumber == 99


def test_a_dicomdir_has_its_sop_class_only_in_the_meta_header() -> None:
    dataset = pydicom.dcmread(io.BytesIO(dicomdir(MrSeries())))
    assert "SOPClassUID" not in dataset
    assert dataset.DirectoryRecordSequence[0].PatientID == "P001"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.FOLDER])
def test_packets_have_the_same_bytes_each_time(kind: Kind) -> None:
    assert packed(TREE, kind) == packed(TREE, kind)


def test_archives_contain_the_tree(tmp_path: Path) -> None:
    folder = write_packet(under("top", TREE), tmp_path, "p", Kind.FOLDER)
    assert read_tree(folder) == under("top", TREE)
    with zipfile.ZipFile(io.BytesIO(zipped(TREE))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == TREE
    with tarfile.open(fileobj=io.BytesIO(tarred(TREE))) as archive_tar:
        assert archive_tar.getnames() == list(TREE)


@pytest.mark.parametrize(
    ("program", "compress"), [("gzip", lzw.compress), ("zstd", zst.compress)], ids=["gzip", "zstd"]
)
@pytest.mark.parametrize("data", [b"", b"a", b"ab" * 9, bytes(range(256)) * 900, bytes(300_000)])
def test_gzip_and_zstd_read_the_builders_files(data: bytes, program: str, compress: Callable[[bytes], bytes]) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: it cannot decompress the builder's file")
    result = subprocess.run([program, "-dc"], input=compress(data), capture_output=True, check=True)
    assert result.stdout == data


@pytest.mark.parametrize(
    ("length", "ciphertext"),
    [
        (16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
        (24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
        (32, "8ea2b7ca516745bfeafc49904b496089"),
    ],
)
def test_the_builders_aes_is_that_of_the_standard(length: int, ciphertext: str) -> None:
    """The expected values are those of FIPS 197, appendix C."""
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert block(round_keys(bytes(range(length))), plain).hex() == ciphertext


def test_broken_packets_have_the_intended_defect() -> None:
    with zipfile.ZipFile(io.BytesIO(broken.wrong_crc(TREE, "a/one"))) as archive:
        assert archive.testzip() == "a/one"
    with zipfile.ZipFile(io.BytesIO(encrypted(TREE))) as archive:
        assert archive.read("b/two", b"secret") == TREE["b/two"]
        with pytest.raises(RuntimeError, match="encrypted"):
            archive.read("b/two")
    with zipfile.ZipFile(io.BytesIO(encrypted(TREE, cipher=Traditional(later=True), method=DEFLATED))) as archive:
        assert archive.read("b/two", b"secret") == TREE["b/two"]
    with zipfile.ZipFile(io.BytesIO(broken.same_names([("x", b"1"), ("x", b"2")]))) as archive:
        assert [archive.read(info) for info in archive.infolist()] == [b"1", b"2"]
    assert len(broken.bomb("zeros", 5_000_000)) < 10_000
