"""Synthetic series with tampered headers: the image is correct, or a warning states the difference."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from qxbatch.core import SeriesFrames
from tests.build import tamper, tamper_enhanced
from tests.build.dicom import Syntax, Vendor, encoded
from tests.build.mosaics import Mosaic
from tests.build.outcome import Outcome, converted, read_back, wrong_outcomes
from tests.build.slices import Slice, block, classic, enhanced_object
from tests.build.tamper import Files, moved_volume, without_private
from tests.build.tamper_diffusion import DIFFUSION as B_VALUES
from tests.build.tamper_diffusion import STANDARD

COMPLETE = frozenset({*tamper.PIXELS, "moved-volume", "permuted", "without-dimensions"})
"""Changes that leave complete data and consistent headers: a correct image needs no warning."""


def classic_files(syntax: Syntax = Syntax.EXPLICIT, slices: list[Slice] | None = None) -> Files:
    """Return three volumes of eight slices as classic files."""
    parts = slices or block(places=8, volumes=3)
    return [read_back(encoded(classic(part, number), syntax)) for number, part in enumerate(parts, start=1)]


def enhanced_files() -> Files:
    """Return two volumes of six slices as one enhanced object."""
    return [read_back(encoded(enhanced_object(block(volumes=2))))]


def mosaic_files(vendor: Vendor, b_values: tuple[float, ...] = (), syntax: Syntax = Syntax.EXPLICIT) -> Files:
    """Return three volumes as mosaics."""
    datasets = Mosaic(vendor=vendor, b_values=b_values).datasets()
    return [read_back(encoded(dataset, syntax)) for dataset in datasets]


FORMS: dict[str, Callable[[], Files]] = {
    "classic": classic_files,
    "classic-implicit": lambda: classic_files(Syntax.IMPLICIT),
    "classic-big-endian": lambda: classic_files(Syntax.BIG),
    "classic-rle": lambda: classic_files(Syntax.RLE),
    "enhanced": enhanced_files,
    "siemens-mosaic": lambda: mosaic_files(Vendor.SIEMENS),
    "siemens-mosaic-implicit": lambda: mosaic_files(Vendor.SIEMENS, syntax=Syntax.IMPLICIT),
    "siemens-mosaic-big-endian": lambda: mosaic_files(Vendor.SIEMENS, syntax=Syntax.BIG),
    "siemens-mosaic-diffusion": lambda: mosaic_files(Vendor.SIEMENS, (0, 700, 700)),
    "uih-vframe": lambda: mosaic_files(Vendor.UIH),
    "uih-vframe-diffusion": lambda: mosaic_files(Vendor.UIH, (0, 700, 700)),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_unchanged_series_is_converted_without_a_warning(tmp_path: Path, form: str) -> None:
    outcome = converted(FORMS[form](), tmp_path)
    assert outcome.warnings == []
    assert outcome.faults() == []


def test_a_series_that_dcm2niix_cannot_read_is_reported(tmp_path: Path) -> None:
    outcome = converted(classic_files(Syntax.DEFLATED), tmp_path)
    assert outcome.is_doubted or not outcome.faults(), outcome.warnings


@pytest.mark.parametrize("name", [*tamper.CLASSIC, *tamper.PIXELS])
def test_changed_classic_files_are_correct_or_reported(tmp_path: Path, name: str) -> None:
    change = {**tamper.CLASSIC, **tamper.PIXELS}[name]
    assert wrong_outcomes(classic_files, {name: change}, tmp_path, COMPLETE) == {}


@pytest.mark.parametrize("name", tamper_enhanced.ENHANCED)
def test_changed_enhanced_objects_are_correct_or_reported(tmp_path: Path, name: str) -> None:
    assert wrong_outcomes(enhanced_files, {name: tamper_enhanced.ENHANCED[name]}, tmp_path, COMPLETE) == {}


@pytest.mark.parametrize("name", [*tamper.PIXELS, "moved-volume"])
@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.UIH])
def test_changed_mosaics_are_correct_or_reported(tmp_path: Path, vendor: Vendor, name: str) -> None:
    change = {**tamper.PIXELS, "moved-volume": moved_volume}[name]
    complete = COMPLETE - {"high-bits"}
    assert wrong_outcomes(lambda: mosaic_files(vendor), {name: change}, tmp_path, complete) == {}


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.UIH])
def test_mosaics_without_private_elements_give_a_warning(tmp_path: Path, vendor: Vendor) -> None:
    outcome = converted(without_private(mosaic_files(vendor)), tmp_path)
    assert outcome.is_doubted, outcome.warnings


def test_a_moved_mosaic_is_reported_as_motion(tmp_path: Path) -> None:
    outcome = converted(moved_volume(mosaic_files(Vendor.SIEMENS)) or [], tmp_path)
    assert outcome.warnings == []
    assert "1 volume was moved by up to 1.4 mm" in outcome.notes[0]
    assert outcome.faults(places=False) == []


@pytest.mark.parametrize("name", ["normal-0.3mm", "normal-5mm", "in-plane-0.3mm", "in-plane-5mm", "turned-0.003"])
def test_a_single_moved_slice_is_not_reported_as_motion(tmp_path: Path, name: str) -> None:
    outcome = converted(tamper.CLASSIC[name](classic_files()) or [], tmp_path)
    assert not any("motion" in text for text in outcome.notes)
    assert outcome.is_doubted or not outcome.faults()


def test_a_missing_slice_is_reported(tmp_path: Path) -> None:
    outcome = converted(tamper.without_middle_slice(classic_files()), tmp_path)
    assert any("1 slice missing before the last volume" in text for text in outcome.warnings)


def test_a_missing_volume_keeps_the_order_of_volumes_and_b_values(tmp_path: Path) -> None:
    files = mosaic_files(Vendor.SIEMENS, (0, 700, 1400))
    outcome = converted([files[0], files[2]], tmp_path)
    assert outcome.b_values() == [[0, 1400]]
    assert outcome.faults() == []
    assert any("2 complete, 5 slices missing before the last volume" in text for text in outcome.warnings)


def test_a_wrong_sign_of_few_bright_pixels_is_found(tmp_path: Path) -> None:
    files = classic_files(slices=block(places=8, base=10))
    for k, file in enumerate(files):
        values = file.pixel_array.copy()
        if k < 4:
            values[0, 0] = 40000  # a row that is not always compared
        file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 15, int(k >= 4)
        tamper.store(file, values)
    outcome = converted(files, tmp_path)
    assert outcome.is_doubted or not outcome.faults(), outcome.warnings


def test_a_slope_that_is_applied_to_only_some_slices_is_found(tmp_path: Path) -> None:
    files = classic_files()
    for file in files:
        file.RescaleSlope, file.RescaleIntercept = "2", "0"
    outcome = converted(tamper.slope_of_one(files), tmp_path)
    assert outcome.is_doubted or not outcome.faults(), outcome.warnings


def b_value_is_visible(outcome: Outcome) -> bool:
    """Return whether the changed b-value is in the table or in a warning."""
    return any(350 in row for row in outcome.b_values()) or any("350" in text for text in outcome.warnings)


@pytest.mark.parametrize(
    ("vendor", "name"), [(Vendor.SIEMENS, "b-siemens"), (Vendor.SIEMENS, "b-csa"), (Vendor.UIH, "b-uih")]
)
def test_a_changed_b_value_of_a_mosaic_is_used_or_reported(tmp_path: Path, vendor: Vendor, name: str) -> None:
    files = B_VALUES[name](mosaic_files(vendor, (0, 700, 700)))
    assert files is not None
    assert b_value_is_visible(converted(files, tmp_path))


def diffusion(vendor: Vendor) -> Files:
    """Return a b0 and two diffusion-weighted volumes as classic files with the elements of a vendor."""
    files = classic_files()
    for k, file in enumerate(files):
        b_value = 0.0 if k < 8 else 700.0
        file.Manufacturer = vendor.value
        direction = [0.0, 0.0, 1.0] if b_value else [0.0, 0.0, 0.0]
        ELEMENTS[vendor](file, b_value, direction)
    return files


def _ge(file: Dataset, b_value: float, direction: list[float]) -> None:
    block_19 = file.private_block(0x0019, "GEMS_ACQU_01", create=True)
    for element, part in zip((0xBB, 0xBC, 0xBD), direction, strict=True):
        block_19.add_new(element, "DS", f"{part:g}")
    file.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x39, "IS", [str(int(b_value)), "8", "0", "0"])
    file.private_block(0x0043, "GEMS_PARM_01").add_new(0x30, "SS", 14 if b_value == 0 else 16)


def _philips(file: Dataset, b_value: float, direction: list[float]) -> None:
    file.add_new(STANDARD, "FD", b_value)
    file.DiffusionGradientOrientation = direction
    file.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", b_value)
    block = file.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    for element, part in zip((0xB0, 0xB1, 0xB2), direction, strict=True):
        block.add_new(element, "FL", part)


ELEMENTS: dict[Vendor, Callable[[Dataset, float, list[float]], None]] = {Vendor.GE: _ge, Vendor.PHILIPS: _philips}


@pytest.mark.parametrize(
    ("vendor", "name"),
    [(Vendor.GE, "b-ge"), (Vendor.PHILIPS, "b-standard"), (Vendor.PHILIPS, "b-philips")],
)
def test_a_changed_b_value_of_classic_files_is_used_or_reported(tmp_path: Path, vendor: Vendor, name: str) -> None:
    files = B_VALUES[name](diffusion(vendor))
    assert files is not None
    assert b_value_is_visible(converted(files, tmp_path))


@pytest.mark.parametrize("vendor", [Vendor.GE, Vendor.PHILIPS])
def test_diffusion_without_private_elements_is_correct_or_without_table(tmp_path: Path, vendor: Vendor) -> None:
    outcome = converted(without_private(diffusion(vendor)), tmp_path)
    assert outcome.faults() == []
    assert outcome.b_values() == [[0, 700, 700]] or vendor is Vendor.GE


def test_values_with_a_lookup_table_are_for_review(tmp_path: Path) -> None:
    """ModalityLUTSequence (PS3.3 C.11.1): converters store the values without it."""
    files = classic_files()
    for file in files:
        table = Dataset()
        table.LUTDescriptor = [4096, 0, 16]
        table.ModalityLUTType = "US"
        table.add_new(0x00283006, "OW", np.arange(7, 4103, dtype="<u2").tobytes())
        file.ModalityLUTSequence = Sequence([table])
    outcome = converted(files, tmp_path)
    assert any("not compared with the DICOM: a lookup table of values" in text for text in outcome.notes), outcome.notes
    assert any("have a lookup table of values" in text for text in outcome.warnings), outcome.warnings


def test_b_values_of_ge_without_gradient_elements_are_not_taken_for_zero(tmp_path: Path) -> None:
    files = diffusion(Vendor.GE)
    for file in files:
        for element in (0xBB, 0xBC, 0xBD):
            del file.private_block(0x0019, "GEMS_ACQU_01")[element]
    outcome = converted(files, tmp_path)
    paths = sorted(str(path) for path in (tmp_path / "dicom").rglob("*") if path.is_file())
    compared = SeriesFrames(paths).compare([str(output.nifti) for output in outcome.conversion.outputs], [False])
    assert compared.checks[0].b_values == [(0.0, None), (700.0, None), (700.0, None)]
