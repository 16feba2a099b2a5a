"""Volumes that the scanner moved to follow the head become one image at the position of the first volume."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.build.dicom import encoded
from tests.build.normalized import check, failure_of, normalized
from tests.build.slices import Slice, block, enhanced_object, write_classic

Head = Callable[[int], tuple[NDArray[np.float64], float]]


def random_walk(volume: int) -> tuple[NDArray[np.float64], float]:
    """Return a random walk without rotation."""
    steps = np.random.default_rng(3).normal(0, 0.03, (60, 3))
    steps[0] = 0
    return np.cumsum(steps, axis=0)[volume], 0.0


def rotation(volume: int) -> tuple[NDArray[np.float64], float]:
    """Return a rotation by 0.001 rad per volume, with a small translation."""
    return np.array([0.05, -0.03, 0.07]) * volume, 0.001 * volume


def one_jump(volume: int) -> tuple[NDArray[np.float64], float]:
    """Return a movement of only one volume in the middle."""
    return (np.array([0.5, 0.0, 0.0]), 0.002) if volume == 2 else (np.zeros(3), 0.0)


def in_plane(volume: int) -> tuple[NDArray[np.float64], float]:
    """Return a movement along the rows."""
    return np.array([0.6, 0.0, 0.0]) * volume, 0.0


def moved(parts: list[Slice], head: Head) -> list[Slice]:
    """Return slices with moved positions in their headers; `Slice.position` stays that of the first volume."""
    return [part.with_(changes={**part.changes, **_moved_position(part, head)}) for part in parts]


def _moved_position(part: Slice, head: Head) -> dict[str, object]:
    shift, angle = head(part.volume)
    cosine, sine = np.cos(angle), np.sin(angle)
    rotated = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    row, column = np.reshape(part.orientation, (2, 3))
    return {
        "ImagePositionPatient": np.round(rotated @ part.position + shift, 6).tolist(),
        "ImageOrientationPatient": np.round([*(rotated @ row), *(rotated @ column)], 8).tolist(),
    }


@pytest.mark.parametrize("head", [random_walk, rotation, one_jump, in_plane])
def test_moved_volumes_give_one_image(tmp_path: Path, head: Head) -> None:
    parts = moved(block(5, 60 if head is random_walk else 8, step=3.0), head)
    attempt = normalized(write_classic(tmp_path / "in", parts, SpacingBetweenSlices=3, BitsStored=16, HighBit=15))
    check(attempt, parts)
    assert "slices moved by up to" in attempt.log


def test_moved_volumes_in_separate_enhanced_objects_give_one_image(tmp_path: Path) -> None:
    parts = moved(block(6, 5), rotation)
    folder = tmp_path / "in"
    folder.mkdir()
    for volume in range(5):
        slices = [part for part in parts if part.volume == volume]
        dataset = enhanced_object([part.with_(volume=0) for part in slices])
        dataset.PixelData = np.stack([part.pixels for part in slices]).astype("<u2").tobytes()
        dataset.InstanceNumber, dataset.SOPInstanceUID = volume + 1, f"1.2.3.{volume}"
        for frame, part in zip(dataset.PerFrameFunctionalGroupsSequence, slices, strict=True):
            frame.PlanePositionSequence[0].ImagePositionPatient = part.changes["ImagePositionPatient"]
            frame.PlaneOrientationSequence[0].ImageOrientationPatient = part.changes["ImageOrientationPatient"]
        (folder / f"V{9 - volume}").write_bytes(encoded(dataset))
    check(normalized(folder), parts)


def test_positions_with_different_jitter_in_each_volume_give_one_image(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    parts = [
        part.with_(changes={"ImagePositionPatient": [-7.5, -10.5, part.z + round(random.uniform(-0.05, 0.05), 4)]})
        for part in block(12, 4, step=3.0)
    ]
    check(normalized(write_classic(tmp_path / "in", parts)), parts)


def test_the_slices_of_an_incomplete_moved_volume_are_a_separate_image(tmp_path: Path) -> None:
    parts = moved(block(6, 5), in_plane)[:-2]
    attempt = normalized(write_classic(tmp_path / "in", parts))
    images: list[Any] = [nibabel.load(output.nifti) for output in attempt.judgement.outputs]
    assert sorted(image.shape for image in images) == [(6, 8, 4), (6, 8, 6, 4)]
    assert "6 x 8 x 4 x 1, slices of a partial volume" in attempt.log


def test_moved_volumes_with_different_flip_angles_are_separate_images(tmp_path: Path) -> None:
    parts = moved(block(5, 6), rotation)
    parts = [part.with_(changes={**part.changes, "FlipAngle": 5 + 15 * (part.volume % 2)}) for part in parts]
    attempt = normalized(write_classic(tmp_path / "in", parts))
    assert [line for line in attempt.log.splitlines() if "6 x 8 x 5 x 3" in line] != []
    assert len(attempt.judgement.outputs) == 2


def test_an_adjacent_slab_is_not_motion(tmp_path: Path) -> None:
    low = block(4, 1)
    high = [part.with_(z=part.z + 6.3, changes={"AcquisitionNumber": 2}) for part in low]
    check(normalized(write_classic(tmp_path / "in", low + high)), low, high, suffixes=("", ""))


def test_interleaved_slices_of_two_acquisitions_are_not_motion(tmp_path: Path) -> None:
    parts = [part.with_(changes={"AcquisitionNumber": 1 + k % 2}) for k, part in enumerate(block(12))]
    check(normalized(write_classic(tmp_path / "complete", parts)), parts)
    incomplete = parts[:6] + parts[7:10]
    assert " x 2\n" not in normalized(write_classic(tmp_path / "incomplete", incomplete)).log


def test_interleaved_slices_of_an_incomplete_acquisition_are_not_motion(tmp_path: Path) -> None:
    numbered = [part.with_(changes={"AcquisitionNumber": 1 + k % 2}) for k, part in enumerate(block(12))]
    incomplete = [part for part in numbered if part.z not in {2.0, 10.0, 18.0}]
    assert "unevenly spaced" in failure_of(normalized(write_classic(tmp_path / "in", incomplete)))


@pytest.mark.parametrize("shift", [1.0, 1.5])
def test_temporal_positions_at_different_places_are_refused(tmp_path: Path, shift: float) -> None:
    parts = [
        part.with_(
            z=part.z + shift * (part.volume // 2),
            changes={"TemporalPositionIdentifier": part.volume + 1, "SpacingBetweenSlices": 4},
        )
        for part in block(5, 4, step=4.0)
    ]
    message = failure_of(normalized(write_classic(tmp_path / "in", parts)))
    assert "different temporal positions have different places" in message


def test_slabs_with_equal_temporal_positions_are_separate_images(tmp_path: Path) -> None:
    low = [part.with_(changes={"TemporalPositionIdentifier": part.volume + 1}) for part in block(2, 2)]
    high = [part.with_(z=part.z + 9.0) for part in low]
    check(normalized(write_classic(tmp_path / "in", low + high)), low, high, suffixes=("", ""))


@pytest.mark.parametrize(("shift", "angle"), [([25.0, 0.0, 0.0], 0.0), ([0.0, 0.0, 0.0], 0.2)], ids=["far", "wide"])
def test_an_impossible_movement_is_not_motion(tmp_path: Path, shift: list[float], angle: float) -> None:
    parts = moved(block(6, 2), lambda volume: (np.array(shift) * volume, angle * volume))
    attempt = normalized(write_classic(tmp_path / "in", parts))
    assert "6 x 8 x 6 x 2" not in attempt.log


def test_a_volume_with_two_orientations_is_not_motion(tmp_path: Path) -> None:
    parts = moved(block(6, 2), in_plane)
    tilted = {**parts[7].changes, "ImageOrientationPatient": [1, 0, 0, 0, 0.999, 0.0447]}
    parts[7] = parts[7].with_(changes=tilted)
    attempt = normalized(write_classic(tmp_path / "in", parts))
    assert "6 x 8 x 6 x 2" not in attempt.log
