"""Series of each vendor and form of storage, changed after the scan: the image is right, or a warning says what differs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.build import tamper, tamper_enhanced
from tests.build.outcome import converted, unsafe
from tests.build.sample_series import CLASSIC, ENHANCED, MOSAICS, SYNTAXES, Sample
from tests.build.tamper import Change, moved_volume, without_middle_slice, without_private
from tests.build.tamper_diffusion import DIFFUSION

pytestmark = pytest.mark.data

ALL = {**MOSAICS, **CLASSIC, **ENHANCED, **SYNTAXES}
OF_CLASSIC = {**tamper.CLASSIC, **tamper.PIXELS, "moved-volume": moved_volume, "without-private": without_private}
OF_MOSAICS = {
    **tamper.PIXELS,
    "without-one": without_middle_slice,
    "duplicated": tamper.duplicated,
    "moved-volume": moved_volume,
    "without-private": without_private,
}
COMPLETE = frozenset({*tamper.PIXELS, "moved-volume", "permuted", "without-dimensions", "permuted-without-dimensions"})
"""Changes after which the data are complete and the headers agree, so that a right image deserves no warning."""
NAMED = ("b-sequence-name", "b-comments")
"""Nominal values, which have less weight than an element that gives the b-value as a number."""
DIFFUSION_SERIES = ("siemens-dwi", "ge-dti", "philips-dwi", "canon-dti", "uih")
LARGE = ("philips-b0", "philips-dwi-adc", "siemens-xa30-field-map", "siemens-xa10-stc")
"""Enhanced objects with smaller ones of the same kind beside them."""
JPEG = "siemens-xa30-jpeg"
"""Its pixels cannot be changed: pydicom alone does not decompress them."""


def one_third(samples: Mapping[str, Sample], sample: str, changes: Mapping[str, Change]) -> dict[str, Change]:
    """Return every third change, from another one for each sample: each change meets a third of the samples."""
    first = list(samples).index(sample) % 3
    names = list(changes)[first::3]
    return {name: changes[name] for name in names if sample != JPEG or name not in tamper.PIXELS}


@pytest.mark.parametrize("sample", ALL)
def test_an_untouched_series_is_right_without_a_warning(data: Path, tmp_path: Path, sample: str) -> None:
    outcome = converted(ALL[sample].files(data), tmp_path)
    assert outcome.of_images == []
    assert outcome.faults() == []


@pytest.mark.parametrize("sample", CLASSIC)
def test_classic_files(data: Path, tmp_path: Path, sample: str) -> None:
    changes = one_third(CLASSIC, sample, OF_CLASSIC)
    complete = COMPLETE - {"moved-volume"}  # dcm2niix stacks some of these wrongly, and is found out
    assert unsafe(lambda: CLASSIC[sample].files(data), changes, tmp_path, complete) == {}


@pytest.mark.parametrize("sample", MOSAICS)
def test_mosaics(data: Path, tmp_path: Path, sample: str) -> None:
    changes = one_third(MOSAICS, sample, OF_MOSAICS)
    assert unsafe(lambda: MOSAICS[sample].files(data), changes, tmp_path, COMPLETE) == {}


@pytest.mark.parametrize("sample", [sample for sample in ENHANCED if sample not in LARGE])
def test_enhanced_objects(data: Path, tmp_path: Path, sample: str) -> None:
    changes = one_third(ENHANCED, sample, tamper_enhanced.ENHANCED)
    assert unsafe(lambda: ENHANCED[sample].files(data), changes, tmp_path, COMPLETE) == {}


@pytest.mark.parametrize("sample", DIFFUSION_SERIES)
def test_a_changed_b_value_is_in_the_table_or_in_a_warning(data: Path, tmp_path: Path, sample: str) -> None:
    changed = 0
    for name, change in DIFFUSION.items():
        files = change(ALL[sample].files(data))
        if files is None or name in NAMED:
            continue
        changed += 1
        outcome = converted(files, tmp_path / name)
        in_table = any(350 in row for row in outcome.table())
        assert in_table or any("350" in text for text in outcome.warnings), (name, outcome.table(), outcome.warnings)
    assert changed
