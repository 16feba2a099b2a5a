"""Series whose pixels have an unusual encoding: their values are not compared, but their slices are in order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.build.dicom import MrSeries, Syntax, Vendor, changed, encoded
from tests.build.objects import enhanced
from tests.build.outcome import Outcome, converted, read_back
from tests.build.slices import block, check_image, classic

SERIES = MrSeries(volumes=2)
CHANGES: dict[str, dict[str, Any]] = {
    "palette": {"PhotometricInterpretation": "PALETTE COLOR"},
    "YBR": {"PhotometricInterpretation": "YBR_FULL"},
    "no photometric interpretation": {"PhotometricInterpretation": None},
    "no HighBit": {"HighBit": None},
    "no BitsStored": {"BitsStored": None},
}
NOT_COMPARED = "have an unusual pixel encoding, so the order of these frames was not compared."


def outcome_of(vendor: Vendor, changes: dict[str, Any], root: Path) -> Outcome:
    """Convert `SERIES` as an enhanced object with these changes."""
    return converted([read_back(encoded(enhanced(SERIES.with_(vendor=vendor), changes)))], root)


def is_right(outcome: Outcome) -> bool:
    """Return whether the only image has the values of `SERIES`, each at its place."""
    (output,) = outcome.conversion.outputs
    image: Any = nibabel.load(output.nifti)
    source = np.stack([SERIES.volume(volume) for volume in range(SERIES.volumes)])
    return bool((np.asarray(image.dataobj) == source.transpose(3, 2, 1, 0)[:, ::-1]).all())


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.PHILIPS, Vendor.GE])
@pytest.mark.parametrize("change", CHANGES)
def test_frames_whose_values_are_not_compared_are_in_order(tmp_path: Path, vendor: Vendor, change: str) -> None:
    """dcm2niix mixes the slices of several volumes of some vendors."""
    outcome = outcome_of(vendor, CHANGES[change], tmp_path)
    assert is_right(outcome)
    assert outcome.warnings == []


def test_frames_that_cannot_be_rewritten_are_for_review(tmp_path: Path) -> None:
    outcome = outcome_of(Vendor.SIEMENS, {"BitsStored": 17}, tmp_path)
    assert not is_right(outcome)
    assert any(NOT_COMPARED in text for text in outcome.warnings), outcome.warnings


PLACES, VOLUMES = 6, 4
DIRECTIONS = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.8], [0.6, 0.0, 0.8])
NUMBERS: dict[str, Callable[[int, int], int]] = {
    "volume by volume": lambda volume, place: volume * PLACES + place,
    "place by place": lambda volume, place: place * VOLUMES + volume,
    "every second volume reversed": lambda volume, place: (
        volume * PLACES + (PLACES - 1 - place if volume % 2 else place)
    ),
    "one number": lambda _volume, _place: 0,
    "across gradients": lambda volume, place: (volume + place) % VOLUMES * PLACES + place,
}


@pytest.mark.parametrize("order", NUMBERS)
@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.GE])
def test_slices_whose_values_are_not_compared_are_in_order(tmp_path: Path, vendor: Vendor, order: str) -> None:
    """dcm2niix takes the slices of classic files by InstanceNumber."""
    slices = block(PLACES, VOLUMES)
    files = []
    for part in slices:
        changes = {
            "Manufacturer": str(vendor),
            "InPlanePhaseEncodingDirection": "COL",
            "AcquisitionTime": f"1015{2 * part.volume:02}",
            "AcquisitionNumber": 1,
            "DiffusionBValue": 1000.0,
            "DiffusionGradientOrientation": DIRECTIONS[part.volume],
            "HighBit": None,
        }
        number = NUMBERS[order](part.volume, round(part.z / 2))
        files.append(read_back(encoded(classic(part, number + 1, changes))))
    outcome = converted(files, tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, slices)


def test_echoes_whose_values_are_not_compared_are_distinguished(tmp_path: Path) -> None:
    slices = [
        part.with_(echo=echo, base=1000 * k)
        for volume in range(VOLUMES)
        for k, echo in enumerate((12.0, 30.0))
        for part in block(PLACES, VOLUMES)
        if part.volume == volume
    ]
    changes = [{"EchoNumbers": 1 if part.echo < 20 else 2, "HighBit": None} for part in slices]
    files = [
        read_back(encoded(classic(part, number, values)))
        for number, (part, values) in enumerate(zip(slices, changes, strict=True), start=1)
    ]
    outcome = converted(files, tmp_path)
    assert outcome.warnings == []
    for echo, output in zip((12.0, 30.0), outcome.conversion.outputs, strict=True):
        check_image(output.nifti, [part for part in slices if part.echo == echo])


def packed(values: NDArray[np.int64]) -> bytes:
    """Return pairs of values in cells of 12 bits, the lowest bits first (PS3.5 8.1.1 of 2006)."""
    first, second = values.reshape(-1, 2).T
    return np.stack([first, first >> 8 | second << 4, second >> 4], axis=1).astype("u1").tobytes()


@pytest.mark.parametrize(
    ("cells", "syntax", "bits", "is_signed", "pixels"),
    [
        ("signed cells of 8 bits", Syntax.DEFLATED, 8, True, lambda values: values.astype("i1").tobytes()),
        ("unsigned cells of 12 bits", Syntax.EXPLICIT, 12, False, packed),
    ],
)
def test_pixels_that_converters_misread_are_for_review(
    tmp_path: Path, cells: str, syntax: Syntax, bits: int, is_signed: bool, pixels: Callable[[NDArray[np.int64]], bytes]
) -> None:
    """dcm2niix reads signed bytes as unsigned, and exchanges bits of packed cells."""
    files = []
    for number, part in enumerate(block(), 1):
        values = part.pixels - 60 if is_signed else part.pixels
        encoding = {
            "BitsAllocated": bits,
            "BitsStored": bits,
            "HighBit": bits - 1,
            "PixelRepresentation": int(is_signed),
        }
        dataset = changed(classic(part, number), {**encoding, "PixelData": pixels(values)})
        files.append(read_back(encoded(dataset, syntax)))
    outcome = converted(files, tmp_path)
    assert any(f"its pixels are {cells}, which converters misread" in text for text in outcome.warnings), (
        outcome.warnings
    )
