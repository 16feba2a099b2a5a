"""Small differences between the volumes of one scan do not split its image; real differences do."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.build.dicom import Vendor
from tests.build.normalized import check, normalized
from tests.build.slices import Slice, block, write_classic

Changes = Callable[[int], Mapping[str, object]]
SMALL: dict[str, Changes] = {
    "StudyTime": lambda volume: {"StudyTime": f"10000{volume}"},
    "StudyDate": lambda volume: {"StudyDate": f"2024011{volume}"},
    "ProtocolName": lambda volume: {"ProtocolName": f"protocol {volume}"},
    "SeriesDescription": lambda volume: {"SeriesDescription": f"description {volume}"},
    "EchoTime": lambda volume: {"EchoTime": 30 + 0.01 * volume},
    "EchoTime within 1%": lambda volume: {"EchoTime": 30 + 0.14 * volume},
    "RepetitionTime": lambda volume: {"RepetitionTime": 2000 + volume},
    "InversionTime": lambda volume: {"InversionTime": 900 + volume},
}
LARGE: dict[str, Changes] = {
    "EchoTime": lambda volume: {"EchoTime": 30 + 0.5 * volume},
    "EchoNumbers": lambda volume: {"EchoTime": 30 + 0.05 * volume, "EchoNumbers": volume + 1},
    "RepetitionTime": lambda volume: {"RepetitionTime": 2000 + 50 * volume},
    "InversionTime": lambda volume: {"InversionTime": 100 + 300 * volume},
    "FlipAngle": lambda volume: {"FlipAngle": 5 + 10 * volume},
}


def scan(vendor: Vendor, changes: Changes) -> list[Slice]:
    """Return three volumes that differ in these elements."""
    return [part.with_(changes={"Manufacturer": vendor.value, **changes(part.volume)}) for part in block(6, 3)]


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.GE, Vendor.PHILIPS, Vendor.UIH])
@pytest.mark.parametrize("changes", SMALL.values(), ids=SMALL.keys())
def test_small_differences_give_one_image(tmp_path: Path, changes: Changes, vendor: Vendor) -> None:
    parts = scan(vendor, changes)
    check(normalized(write_classic(tmp_path / "in", parts)), parts)


@pytest.mark.parametrize("changes", LARGE.values(), ids=LARGE.keys())
def test_real_differences_give_separate_images(tmp_path: Path, changes: Changes) -> None:
    parts = scan(Vendor.SIEMENS, changes)
    attempt = normalized(write_classic(tmp_path / "in", parts))
    assert len(attempt.judgement.outputs) == 3, attempt.log


def test_slightly_rotated_slices_of_one_volume_give_one_image(tmp_path: Path) -> None:
    rotated = (1.0, 0.0, 0.0, 0.0, 0.9999955, 0.003)
    parts = [part.with_(orientation=rotated) if part.z > 4 else part for part in block(6)]
    check(normalized(write_classic(tmp_path / "in", parts)), parts)
