"""Diffusion images whose b-values are missing: maps and unweighted volumes need none, weighted volumes do."""

from pathlib import Path

import pytest

from tests.build.dicom import encoded
from tests.build.outcome import Outcome, converted, read_back
from tests.build.slices import block, classic

DERIVED = ["DERIVED", "PRIMARY", "DIFFUSION", "NONE"]
DIRECTIONS = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.8])


def derived(tmp_path: Path, *, volumes: int, has_directions: bool = True) -> Outcome:
    """Convert a derived scan whose b-values are in the second private block, where dcm2niix does not read them."""
    files = []
    for number, part in enumerate(block(places=6, volumes=volumes), start=1):
        file = classic(part, number, {"ImageType": DERIVED, "AcquisitionTime": f"1015{2 * part.volume:02}"})
        file.private_block(0x0019, "ANOTHER CREATOR", create=True)
        header = file.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        header.add_new(0x0C, "IS", "1000")
        if has_directions:
            header.add_new(0x0E, "FD", DIRECTIONS[part.volume % 3])
        files.append(read_back(encoded(file)))
    return converted(files, tmp_path)


def test_a_corrected_scan_without_its_table_is_for_review(tmp_path: Path) -> None:
    outcome = derived(tmp_path, volumes=4)
    assert outcome.b_values() == []
    assert outcome.warnings == ["its image: its headers say b = 1000, and it has no table of b-values."]


@pytest.mark.parametrize(("volumes", "has_directions"), [(1, True), (4, False)])
def test_a_map_needs_no_table(tmp_path: Path, volumes: int, *, has_directions: bool) -> None:
    assert derived(tmp_path, volumes=volumes, has_directions=has_directions).warnings == []


@pytest.mark.parametrize("has_direction", [False, True])
def test_a_volume_with_a_direction_and_no_b_value_is_for_review(tmp_path: Path, *, has_direction: bool) -> None:
    """Without a direction, it is an unweighted volume."""
    files = []
    for number, part in enumerate(block(places=6, volumes=4), start=1):
        file = classic(part, number, {"AcquisitionTime": f"1015{2 * part.volume:02}"})
        if part.volume != 1:
            file.DiffusionBValue = 1000.0
        if part.volume != 1 or has_direction:
            file.DiffusionGradientOrientation = DIRECTIONS[part.volume % 3]
        files.append(read_back(encoded(file)))
    outcome = converted(files, tmp_path)
    assert outcome.b_values() == [[1000, 0, 1000, 1000]]
    expected = "its image: the headers of volume 2 have a gradient direction and no b-value; its table says 0."
    assert outcome.warnings == ([expected] if has_direction else [])
