"""Mosaics whose volumes have different SeriesInstanceUIDs become one image."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom import Dataset, dcmread

from qxbatch.convert.normalize.copies import write_normalized_copies
from tests.build.dicom import encoded
from tests.build.normalized import failure_of, normalized
from tests.build.slices import Slice, block, classic, write_classic

MOSAIC = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]


def mosaic(volume: int, **changes: object) -> Dataset:
    """Return a volume as a mosaic with private elements."""
    defaults = {
        "ImageType": MOSAIC,
        "SeriesInstanceUID": f"1.2.3.{volume}",
        "StudyTime": f"10000{volume}",
        "ProtocolName": f"protocol {volume}",
        "AcquisitionNumber": volume + 1,
    }
    dataset = classic(Slice(0.0, volume), 9 - volume, {**defaults, **changes})
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 4)
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", b"SV10\4\3\2\1")
    return dataset


def write_mosaics(folder: Path, *datasets: Dataset) -> Path:
    """Write objects into a folder under shuffled names."""
    folder.mkdir()
    for number, dataset in enumerate(datasets):
        (folder / f"IM{number * 7 % 10}").write_bytes(encoded(dataset))
    return folder


def test_copies_of_mosaics_differ_only_in_study_series_and_number(tmp_path: Path) -> None:
    originals = [mosaic(volume) for volume in range(3)]
    out = tmp_path / "copies"
    out.mkdir()
    (stack,) = write_normalized_copies(write_mosaics(tmp_path / "in", *originals), out)
    copies = [dcmread(path) for path in sorted(stack.folder.iterdir())]
    assert stack.shape == (6, 8, 1, 3)
    assert [copy.InstanceNumber for copy in copies] == [1, 2, 3]
    assert {copy.SeriesInstanceUID for copy in copies} == {stack.series_uid}
    assert {(copy.StudyTime, copy.ProtocolName) for copy in copies} == {("100000", "protocol 0")}
    unified = {"SeriesInstanceUID", "InstanceNumber", "StudyTime", "ProtocolName"}
    for copy, original in zip(copies, originals, strict=True):
        assert [element for element in copy if element.keyword not in unified] == [
            element for element in original if element.keyword not in unified
        ]


def test_echoes_and_phases_of_mosaics_are_separate_stacks(tmp_path: Path) -> None:
    out = tmp_path / "copies"
    out.mkdir()
    phase = ["ORIGINAL", "PRIMARY", "P", "MOSAIC"]
    originals = [mosaic(volume, EchoTime=echo) for echo in (60, 30) for volume in range(2)]
    originals += [mosaic(volume, EchoTime=30, ImageType=phase) for volume in range(2)]
    stacks = write_normalized_copies(write_mosaics(tmp_path / "in", *originals), out)
    assert [(stack.suffix, stack.shape[3]) for stack in stacks] == [("_e1", 2), ("_e1", 2), ("_e2", 2)]


def test_mosaics_without_an_order_are_refused(tmp_path: Path) -> None:
    same = {"AcquisitionNumber": 1, "InstanceNumber": 1}
    folder = write_mosaics(tmp_path / "in", mosaic(0, **same), mosaic(1, **same))
    assert "2 mosaics have no order" in failure_of(normalized(folder))


@pytest.mark.parametrize("image_type", [MOSAIC, "MOSAIC"], ids=["four values", "one value"])
@pytest.mark.parametrize("name", ["IM0", "IM9"], ids=["first", "last"])
def test_a_mosaic_among_other_images_is_refused(tmp_path: Path, name: str, image_type: object) -> None:
    folder = write_classic(tmp_path / "in", block(3))
    (folder / name).write_bytes(encoded(mosaic(0, ImageType=image_type)))
    assert "is not a mosaic, but other images are" in failure_of(normalized(folder))


def test_a_mosaic_with_several_frames_is_refused(tmp_path: Path) -> None:
    folder = write_mosaics(tmp_path / "in", mosaic(0), mosaic(1, NumberOfFrames=2))
    assert "IM7 is a mosaic with 2 frames" in failure_of(normalized(folder))


@pytest.mark.data
@pytest.mark.parametrize("number", [6, 10])
def test_real_mosaics_with_different_series_uids_give_one_image(data: Path, tmp_path: Path, number: int) -> None:
    originals = [dcmread(path) for path in sorted((data / "dcm_qa_mosaic").rglob("*.dcm"))]
    originals = [dataset for dataset in originals if dataset.SeriesNumber == number]
    one_uid, several_uids = tmp_path / "one_uid" / "in", tmp_path / "several_uids" / "in"
    for folder in (one_uid, several_uids):
        folder.mkdir(parents=True)
        for volume, dataset in enumerate(originals):
            if folder is several_uids:
                dataset.SeriesInstanceUID = f"1.2.9.{volume}"
            dataset.save_as(folder / f"{volume}.dcm")
    images: list[Any] = []
    for folder in (one_uid, several_uids):
        (output,) = normalized(folder).judgement.outputs
        images.append(nibabel.load(output.nifti))
    assert images[0].shape[3] == len(originals) > 1
    np.testing.assert_array_equal(images[0].dataobj, images[1].dataobj)
    np.testing.assert_array_equal(images[0].affine, images[1].affine)
