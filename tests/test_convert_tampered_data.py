"""Real series of each vendor and storage form with tampered headers: the image is correct, or a warning states the difference."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.build import tamper, tamper_enhanced
from tests.build.outcome import converted, wrong_outcomes
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
"""Changes that leave complete data and consistent headers: a correct image needs no warning."""
NAMED = ("b-sequence-name", "b-comments")
"""Nominal b-values, which a numeric element overrides."""
DIFFUSION_SERIES = ("siemens-dwi", "ge-dti", "philips-dwi", "canon-dti", "uih")
LARGE = ("philips-b0", "philips-dwi-adc", "siemens-xa30-field-map", "siemens-xa10-stc")
"""Large enhanced objects; the sets contain smaller ones of the same kind."""
JPEG = "siemens-xa30-jpeg"
"""Its pixels cannot be changed: pydicom cannot decompress them without a plugin."""


def one_third(samples: Mapping[str, Sample], sample: str, changes: Mapping[str, Change]) -> dict[str, Change]:
    """Return every third change with a different start for each sample, so that a third of the samples has each change."""
    start = list(samples).index(sample) % 3
    names = list(changes)[start::3]
    return {name: changes[name] for name in names if sample != JPEG or name not in tamper.PIXELS}


@pytest.mark.parametrize("sample", ALL)
def test_an_unchanged_series_is_converted_without_a_warning(data: Path, tmp_path: Path, sample: str) -> None:
    outcome = converted(ALL[sample].files(data), tmp_path)
    assert outcome.image_warnings == []
    assert outcome.faults() == []


@pytest.mark.parametrize("sample", CLASSIC)
def test_changed_classic_files_are_correct_or_reported(data: Path, tmp_path: Path, sample: str) -> None:
    changes = one_third(CLASSIC, sample, OF_CLASSIC)
    complete = COMPLETE - {"moved-volume"}  # dcm2niix stacks some of these incorrectly, which is reported
    assert wrong_outcomes(lambda: CLASSIC[sample].files(data), changes, tmp_path, complete) == {}


@pytest.mark.parametrize("sample", MOSAICS)
def test_changed_mosaics_are_correct_or_reported(data: Path, tmp_path: Path, sample: str) -> None:
    changes = one_third(MOSAICS, sample, OF_MOSAICS)
    assert wrong_outcomes(lambda: MOSAICS[sample].files(data), changes, tmp_path, COMPLETE) == {}


@pytest.mark.parametrize("sample", [sample for sample in ENHANCED if sample not in LARGE])
def test_changed_enhanced_objects_are_correct_or_reported(data: Path, tmp_path: Path, sample: str) -> None:
    changes = one_third(ENHANCED, sample, tamper_enhanced.ENHANCED)
    assert wrong_outcomes(lambda: ENHANCED[sample].files(data), changes, tmp_path, COMPLETE) == {}


@pytest.mark.parametrize("sample", DIFFUSION_SERIES)
def test_a_changed_b_value_is_used_or_reported(data: Path, tmp_path: Path, sample: str) -> None:
    changed = 0
    for name, change in DIFFUSION.items():
        files = change(ALL[sample].files(data))
        if files is None or name in NAMED:
            continue
        changed += 1
        outcome = converted(files, tmp_path / name)
        in_table = any(350 in row for row in outcome.b_values())
        assert in_table or any("350" in text for text in outcome.warnings), (name, outcome.b_values(), outcome.warnings)
    assert changed
