"""Numbers of headers that no scan has: they never get into facts, and a small file cannot ask for much memory or time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from qxbatch.acquisition import SeriesVerdict
from qxbatch.convert.conversions import not_requested_conversion
from qxbatch.convert.header_values import numbers
from qxbatch.convert.series_facts import TOO_MANY_FRAMES
from qxbatch.core import SeriesFrames
from qxbatch.inspect.plausible import is_plausible
from qxbatch.inspect.volumes import gap_slices
from qxbatch.model import Series, SeriesKind
from qxbatch.problems import Code
from qxbatch.record.names import series_number
from qxbatch.study.majority import shells_of
from tests.build.dicom import MrSeries, Vendor
from tests.build.mosaics import csa_header
from tests.build.scans import SLICES, VOLUMES, classic, facts_of

ROUNDED = [0.7, 0.7, 0, 0, 0, -1]
"""Direction cosines with one digit; the length of their normal is 0.99."""


def with_csa(values: Mapping[str, Sequence[str]]) -> list[Dataset]:
    """Return a scan of Siemens with a CSA header."""
    datasets = classic(InPlanePhaseEncodingDirection="COL")
    for dataset in datasets:
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", csa_header(values))
    return datasets


def with_asset_factor(factor: str) -> list[Dataset]:
    """Return a scan of GE with a factor of acceleration."""
    datasets = classic(Vendor.GE)
    for dataset in datasets:
        dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x83, "DS", [factor, "1"])
    return datasets


@pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:The value length")
@pytest.mark.parametrize(
    "build",
    [
        lambda: classic(AcquisitionTime="1015inf"),
        lambda: classic(AcquisitionTime="1015nan"),
        lambda: classic(AcquisitionDateTime="202401151015inf"),
        lambda: with_csa({"BandwidthPerPixelPhaseEncode": ["nan"]}),
        lambda: with_csa({"PhaseEncodingDirectionPositive": ["nan"]}),
        lambda: with_asset_factor("1e-310"),
        lambda: classic(ImageComments=f"Unaliased MB{'9' * 5000}"),
        lambda: classic(ImageComments="b=inf"),
        lambda: classic(ImageComments="b=1e300"),
        lambda: classic(SequenceName=f"ep_b1{'0' * 400}"),
        lambda: classic(PixelSpacing=["1e308", "1e308"]),
        lambda: classic(Rows=0, InPlanePhaseEncodingDirection="COL"),
        lambda: classic(RepetitionTime="1e300", ImagesInAcquisition="999999999999"),
    ],
)
def test_facts_are_plausible_and_the_volumes_are_counted(build: Callable[[], list[Dataset]], tmp_path: Path) -> None:
    acquisition = facts_of(build(), tmp_path)
    assert all(map(is_plausible, astuple(acquisition)))
    assert (acquisition.acquired_volumes, acquisition.complete_volumes) == (VOLUMES, VOLUMES)
    assert (acquisition.b_values, acquisition.phase_encoding_direction, acquisition.multiband_factor) == (None,) * 3


def test_a_position_far_away_is_no_gap() -> None:
    assert gap_slices([0, 2, 4, 8, 10]) == 1
    assert gap_slices([0, 1e-3, 2e-3, 3e-3, 1e308]) == 0
    assert gap_slices([-1.7e308, 0, 1, 2, 1.7e308]) == 0


def test_only_b_values_that_a_protocol_can_contain_are_shells() -> None:
    assert shells_of(((-1000.0, 1), (0.0, 1), (1000.0, 6), (1e6, 2), (1e14, 1))) == ((0.0, 1), (1000.0, 6))
    assert shells_of(((1e6, 2),)) is None


def test_a_text_or_an_integer_with_hundreds_of_digits_is_no_number() -> None:
    assert numbers({"SeriesNumber": 10**400}, "SeriesNumber") == []
    assert series_number({"SeriesNumber": "9" * 5000}) is None


@pytest.mark.parametrize("cosines", [[0.99, 0, 0, 0, 0.99, 0], [0.5, 0, 0, 0, 0.5, 0], [0] * 6], ids=str)
def test_direction_cosines_of_another_length_do_not_split_a_series(cosines: list[float], tmp_path: Path) -> None:
    acquisition = facts_of(classic(ImageOrientationPatient=cosines), tmp_path)
    assert (acquisition.complete_volumes, acquisition.slices_per_volume) == (VOLUMES, SLICES)
    assert acquisition.kinds == ("magnitude",)


def test_direction_cosines_with_one_digit_give_the_distance_of_the_slices(tmp_path: Path) -> None:
    datasets = classic(ImageOrientationPatient=ROUNDED)
    for index, dataset in enumerate(datasets):
        across = 4 * (index % SLICES) / 2**0.5
        dataset.ImagePositionPatient = [-across, across, 0]
    acquisition = facts_of(datasets, tmp_path)
    assert (acquisition.complete_volumes, acquisition.slices_per_volume) == (VOLUMES, SLICES)
    assert acquisition.voxel_mm is not None
    assert acquisition.voxel_mm[2] == pytest.approx(4.0, abs=1e-4)


def test_a_series_with_too_many_frames_is_not_evaluable(tmp_path: Path) -> None:
    frames = 3 << 17
    changes = {"Rows": 1, "Columns": 1, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "NumberOfFrames": frames}
    files = MrSeries(slices=3, changes={**changes, "PixelData": bytes(frames)}).write(tmp_path)
    assert not SeriesFrames([str(files[0])], pixels=False).has_too_many_frames
    assert SeriesFrames(list(map(str, files))).has_too_many_frames
    conversion = not_requested_conversion(Series(30, SeriesKind.DICOM, {}, 3, 3 * frames, tmp_path))
    assert conversion.verdict is SeriesVerdict.NOT_EVALUABLE
    assert [(problem.code, problem.message) for problem in conversion.problems] == [
        (Code.CONVERT_REVIEW, TOO_MANY_FRAMES)
    ]
