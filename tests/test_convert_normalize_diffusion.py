"""Tables of b-values and directions come from the headers, in the voxel axes of the image (FSL)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from qxbatch.convert.attempt import Attempt
from qxbatch.convert.normalize.diffusion import read_gradient
from tests.build.dicom import Vendor, encoded
from tests.build.normalized import normalized
from tests.build.objects import item
from tests.build.slices import Slice, block, classic, enhanced_object

ROW, COLUMN = (0.97517033, 0.0978434, -0.19866933), (-0.03695701, 0.95642509, 0.28962948)
OBLIQUE = (*ROW, *COLUMN)
NORMAL = np.cross(ROW, COLUMN)
DIRECTIONS = ((), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.8, 0.0))
B_VALUES = (0, 1000, 1000, 1000, 2000)


def oblique() -> list[Slice]:
    """Return five oblique volumes; their slice positions are along the normal."""
    positions = {part.z: (np.array((-7.5, -10.5, 0.0)) + part.z * NORMAL).tolist() for part in block(6)}
    parts = block(6, 5, orientation=OBLIQUE)
    return [part.with_(changes={"ImagePositionPatient": positions[part.z]}) for part in parts]


def enhanced(vendor: str, directionality: Sequence[str] = (), *, descending: bool = False) -> Dataset:
    """Return an enhanced object with standard diffusion elements."""
    parts = oblique()
    dataset = enhanced_object(parts[::-1] if descending else parts)
    dataset.Manufacturer, dataset.InPlanePhaseEncodingDirection = vendor, "ROW"
    for frame, part in zip(dataset.PerFrameFunctionalGroupsSequence, parts[:: -1 if descending else 1], strict=True):
        frame.PlanePositionSequence[0].ImagePositionPatient = part.changes["ImagePositionPatient"]
        diffusion = item(DiffusionBValue=float(B_VALUES[part.volume]))
        if directionality:
            diffusion.DiffusionDirectionality = directionality[part.volume]
        elif DIRECTIONS[part.volume]:
            orientation = item(DiffusionGradientOrientation=list(DIRECTIONS[part.volume]))
            diffusion.DiffusionGradientDirectionSequence = Items([orientation])
        frame.MRDiffusionSequence = Items([diffusion])
    return dataset


def converted(folder: Path, *datasets: Dataset) -> Attempt:
    """Write objects and convert their normalized copies."""
    folder.mkdir()
    for number, dataset in enumerate(datasets):
        (folder / f"IM{number:03}").write_bytes(encoded(dataset))
    return normalized(folder)


def tables(attempt: Attempt) -> tuple[list[float], NDArray[np.float64]]:
    """Return the b-values, and the directions in patient coordinates as columns."""
    (output,) = attempt.judgement.outputs
    image: Any = nibabel.load(output.nifti)
    unit = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    vectors = np.loadtxt(output.sidecars["bvec"])
    if np.linalg.det(unit) > 0:
        vectors[0] *= -1
    return np.loadtxt(output.sidecars["bval"]).tolist(), np.diag((-1, -1, 1)) @ unit @ vectors


def expected() -> NDArray[np.float64]:
    """Return the directions of the headers as columns."""
    return np.array([direction or (0.0, 0.0, 0.0) for direction in DIRECTIONS]).T


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("vendor", ["GE MEDICAL SYSTEMS", "UIH", "SIEMENS", "CANON_MEC", "Philips Medical Systems"])
def test_the_table_contains_the_standard_directions(tmp_path: Path, vendor: str, descending: bool) -> None:
    b_values, vectors = tables(converted(tmp_path / "in", enhanced(vendor, descending=descending)))
    assert b_values == list(B_VALUES)
    np.testing.assert_allclose(vectors, expected(), atol=1e-4)


def private(part: Slice, vendor: Vendor) -> Dataset:
    """Return a slice with the diffusion elements of its vendor."""
    dataset = classic(part, 6 * part.volume + round(part.z / 2) + 1, {"Manufacturer": vendor.value})
    b_value, direction = B_VALUES[part.volume], list(DIRECTIONS[part.volume])
    if vendor is Vendor.SIEMENS:
        private_block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        private_block.add_new(0x0C, "IS", b_value)
        if direction:
            private_block.add_new(0x0E, "FD", direction)
    elif vendor is Vendor.PHILIPS:
        dataset.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", float(b_value))
        directions = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        for k, value in enumerate(direction or (0.0, 0.0, 0.0)):
            directions.add_new(0xB0 + k, "FL", value)
    elif vendor is Vendor.UIH:
        private_block = dataset.private_block(0x0065, "Image Private Header", create=True)
        private_block.add_new(0x09, "FD", float(b_value))
        image = np.stack([ROW, COLUMN, NORMAL]) @ (
            direction or (0.0, 0.0, 0.0)
        )  # UIH directions are in image coordinates
        private_block.add_new(0x37, "FD", image.tolist())
    return dataset


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.PHILIPS, Vendor.UIH])
def test_the_table_contains_the_private_directions(tmp_path: Path, vendor: Vendor) -> None:
    b_values, vectors = tables(converted(tmp_path / "in", *(private(part, vendor) for part in oblique())))
    assert b_values == list(B_VALUES)
    np.testing.assert_allclose(vectors, expected(), atol=1e-4)


def test_volumes_without_directions_have_directions_of_zero(tmp_path: Path) -> None:
    trace = ("NONE", "ISOTROPIC", "ISOTROPIC", "ISOTROPIC", "ISOTROPIC")
    b_values, vectors = tables(converted(tmp_path / "in", enhanced("SIEMENS", trace)))
    assert b_values == list(B_VALUES)
    assert not vectors.any()


def test_private_directions_of_classic_ge_objects_are_left_to_dcm2niix() -> None:
    dataset = classic(Slice(0.0), 1, {"Manufacturer": Vendor.GE.value})
    dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x39, "IS", [1000001000, 8, 0, 0])
    directions = dataset.private_block(0x0019, "GEMS_ACQU_01", create=True)
    for k, value in enumerate((1.0, 0.0, 0.0)):
        directions.add_new(0xBB + k, "DS", value)
    diffusion = read_gradient(dataset, enhanced=False)
    assert diffusion is not None
    assert (diffusion.b_value, diffusion.orientation, diffusion.in_vendor_axes) == (1000.0, (), True)


def test_the_direction_of_a_moved_volume_is_rotated_back(tmp_path: Path) -> None:
    angle = 0.1
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    datasets = []
    for part in oblique():
        dataset = private(part, Vendor.SIEMENS)
        if part.volume == 3:
            position = rotation @ np.array([float(value) for value in dataset.ImagePositionPatient])
            dataset.ImagePositionPatient = np.round(position, 6).tolist()
            dataset.ImageOrientationPatient = np.round([*(rotation @ ROW), *(rotation @ COLUMN)], 8).tolist()
            direction = (rotation @ DIRECTIONS[3]).tolist()
            dataset.private_block(0x0019, "SIEMENS MR HEADER").add_new(0x0E, "FD", direction)
        datasets.append(dataset)
    _, vectors = tables(converted(tmp_path / "in", *datasets))
    np.testing.assert_allclose(vectors, expected(), atol=1e-3)


def test_slices_of_a_volume_with_slightly_different_directions_stay_together(tmp_path: Path) -> None:
    datasets = []
    for part in oblique():
        dataset = private(part.with_(changes={**part.changes, "AcquisitionNumber": 1}), Vendor.SIEMENS)
        if DIRECTIONS[part.volume]:
            shift = 1e-9 * np.array([(-1) ** (part.volume + round(part.z / 2)), 0.0, 0.0])
            direction = (DIRECTIONS[part.volume] + shift).tolist()
            dataset.private_block(0x0019, "SIEMENS MR HEADER").add_new(0x0E, "FD", direction)
        datasets.append(dataset)
    attempt = converted(tmp_path / "in", *datasets)
    b_values, vectors = tables(attempt)
    assert b_values == list(B_VALUES)
    np.testing.assert_allclose(vectors, expected(), atol=1e-4)
    image: Any = nibabel.load(attempt.judgement.outputs[0].nifti)
    first_voxels = np.asarray(image.dataobj)[0, 0]
    np.testing.assert_array_equal(np.diff(first_voxels, axis=1), 300)
