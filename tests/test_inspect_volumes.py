"""Planned, complete and partial volumes of interrupted, damaged and complete scans, and the verdict."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.inspect.verdict import missing_text, verdict
from tests.build.dicom import Vendor
from tests.build.scans import PLANNED, SLICES, VOLUMES, classic, copied, counted, enhanced, facts_of, mosaics, without
from tests.build.slices import PHASE, Slice, block, enhanced_object
from tests.build.slices import classic as classic_slice

LAST_FOUR = tuple(range(-4, 0))
BOLD = f"lRepetitions = {PLANNED - 1}\nlContrasts = 1\nsDiffusion.ulMode = 0x1\nsAsl.ulMode = 0x1"


def philips() -> list[Dataset]:
    """Return a classic Philips scan with its number of dynamics."""
    return counted(classic(Vendor.PHILIPS), 0x2001, "Philips Imaging DD 001", 0x81, "IS", str(PLANNED))


def ge(*, standard: bool) -> list[Dataset]:
    """Return a classic GE scan with its number of images, in the standard element or in GE's private one."""
    images = PLANNED * SLICES
    if standard:
        return classic(Vendor.GE, ImagesInAcquisition=images)
    return counted(classic(Vendor.GE), 0x0025, "GEMS_SERS_01", 0x07, "SL", images)


def counts(acquisition: Acquisition) -> tuple[int | None, ...]:
    """Return planned, acquired and complete volumes, and slices of a partial volume, missing and duplicate slices."""
    return (
        acquisition.planned_volumes,
        acquisition.acquired_volumes,
        acquisition.complete_volumes,
        acquisition.partial_slices,
        acquisition.missing_slices,
        acquisition.duplicate_slices,
    )


CLASSIC = {
    "Siemens": (lambda: classic(NumberOfTemporalPositions=PLANNED)),
    "GE, standard count": (lambda: ge(standard=True)),
    "GE, private count": (lambda: ge(standard=False)),
    "Philips": philips,
    "Canon": (lambda: classic(Vendor.CANON, NumberOfTemporalPositions=PLANNED)),
}


@pytest.mark.parametrize("make", CLASSIC.values(), ids=CLASSIC.keys())
def test_a_stopped_classic_scan_is_incomplete_and_counted(make: Callable[[], list[Dataset]], tmp_path: Path) -> None:
    acquisition = facts_of(without(make(), *LAST_FOUR), tmp_path)
    assert counts(acquisition) == (PLANNED, VOLUMES, VOLUMES - 1, 2, 4, 0)
    assert acquisition.slices_per_volume == SLICES
    assert verdict(acquisition) is SeriesVerdict.INCOMPLETE
    assert missing_text(acquisition) == "planned 8 volumes, 4 complete, 2 slices of one more"


@pytest.mark.parametrize("make", CLASSIC.values(), ids=CLASSIC.keys())
def test_missing_last_volumes_are_found_by_the_planned_number(
    make: Callable[[], list[Dataset]], tmp_path: Path
) -> None:
    acquisition = facts_of(make(), tmp_path)
    assert counts(acquisition) == (PLANNED, VOLUMES, VOLUMES, None, 0, 0)
    assert missing_text(acquisition) == "planned 8 volumes, 5 complete"


def test_without_a_planned_number_only_a_partial_volume_is_incomplete(tmp_path: Path) -> None:
    assert verdict(facts_of(classic(), tmp_path / "complete")) is SeriesVerdict.COMPLETE
    stopped = facts_of(without(classic(), -1), tmp_path / "stopped")
    assert counts(stopped) == (None, 5, 4, 5, 1, 0)
    assert missing_text(stopped) == "5 volumes, 4 complete, 5 slices of one more"


def test_slices_missing_in_the_middle_count_for_their_volume(tmp_path: Path) -> None:
    acquisition = facts_of(without(classic(), 7, 8, 14), tmp_path)
    assert counts(acquisition) == (None, 5, 3, None, 3, 0)
    assert missing_text(acquisition) == "5 volumes, 3 complete, 3 slices missing before the last volume"


def test_a_volume_missing_in_the_middle_is_found_by_its_temporal_position(tmp_path: Path) -> None:
    acquisition = facts_of(without(classic(), *range(6, 12)), tmp_path)
    assert counts(acquisition) == (None, 4, 4, None, SLICES, 0)
    assert verdict(acquisition) is SeriesVerdict.INCOMPLETE


def test_lost_slices_of_several_volumes_are_found_by_temporal_positions(tmp_path: Path) -> None:
    """Each place keeps three frames: the second volume lacks its middle slice, and of the fourth volume only that exists."""
    slices = [
        part.with_(changes={"TemporalPositionIdentifier": part.volume + 1, "AcquisitionNumber": 1})
        for part in block(places=3, volumes=4)
    ]
    kept = [part for k, part in enumerate(slices) if k not in {4, 9, 11}]
    acquisition = facts_of([classic_slice(part, k) for k, part in enumerate(kept, start=1)], tmp_path)
    assert verdict(acquisition) is SeriesVerdict.INCOMPLETE
    assert counts(acquisition) == (None, 4, 2, 1, 3, 0)


@pytest.mark.parametrize("twice", [(0,), (3, 17), tuple(range(SLICES * VOLUMES))])
def test_copies_with_another_uid_are_duplicates_and_not_volumes(twice: tuple[int, ...], tmp_path: Path) -> None:
    acquisition = facts_of(copied(classic(), *twice), tmp_path)
    assert counts(acquisition) == (None, 5, 5, None, 0, len(twice))
    assert verdict(acquisition) is SeriesVerdict.COMPLETE


def test_volumes_that_differ_only_in_instance_numbers_are_counted(tmp_path: Path) -> None:
    datasets = classic()
    for dataset in datasets:
        del dataset.TemporalPositionIdentifier
        dataset.AcquisitionNumber, dataset.AcquisitionTime = 1, "101500"
    assert counts(facts_of(without(datasets, 8), tmp_path / "by-volume")) == (None, 5, 4, None, 1, 0)
    for index, dataset in enumerate(datasets):
        dataset.InstanceNumber = index % SLICES * VOLUMES + index // SLICES + 1
    assert counts(facts_of(without(datasets, 8, -1), tmp_path / "by-slice")) == (None, 5, 3, 5, 2, 0)


def test_missing_last_mosaics_are_found_by_the_protocol(tmp_path: Path) -> None:
    acquisition = facts_of(mosaics(protocol=BOLD, SequenceName="epfid2d1_64"), tmp_path)
    assert counts(acquisition) == (PLANNED, VOLUMES, VOLUMES, None, 0, 0)
    assert acquisition.slices_per_volume == SLICES


def test_a_mosaic_missing_in_the_middle_is_found_by_instance_numbers(tmp_path: Path) -> None:
    acquisition = facts_of(without(mosaics(), 2), tmp_path)
    assert counts(acquisition) == (None, 4, 4, None, SLICES, 0)
    assert counts(facts_of(copied(mosaics(), 2), tmp_path / "twice")) == (None, 5, 5, None, 0, SLICES)


@pytest.mark.parametrize(
    ("line", "sequence"),
    [
        ("lContrasts = 3", "epfid2d1_64"),
        ("sAsl.ulMode = 0x4", "epfid2d1_64"),
        ("sDiffusion.ulMode = 0x80", "ep_b0"),
        ('tSequenceFileName = ""%CustomerSeq%\\ep2d_pcasl""', "epfid2d1_64"),
        ("", "*fl3d1"),
    ],
    ids=["several-echoes", "asl", "diffusion", "asl-by-sequence-file", "no-epi"],
)
def test_repetitions_are_a_planned_number_only_for_plain_bold(line: str, sequence: str, tmp_path: Path) -> None:
    protocol = "\n".join([*BOLD.splitlines(), line])
    acquisition = facts_of(mosaics(protocol=protocol, SequenceName=sequence), tmp_path)
    assert acquisition.planned_volumes is None
    assert verdict(acquisition) is SeriesVerdict.COMPLETE


def test_the_reference_image_of_a_multiband_scan_is_complete(tmp_path: Path) -> None:
    changes = {"SequenceName": "epfid2d1_64", "ImageComments": "Single-band reference SENSE1"}
    acquisition = facts_of(mosaics(1, protocol=BOLD, **changes), tmp_path)
    assert counts(acquisition) == (None, 1, 1, None, 0, 0)


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ((), (PLANNED, 5, 5, None, 0, 0)),
        ((27, 28, 29), (PLANNED, 5, 4, 3, 3, 0)),
        ((9,), (PLANNED, 5, 4, None, 1, 0)),
        (tuple(range(6, 12)), (PLANNED, 4, 4, None, SLICES, 0)),
    ],
    ids=["fewer-volumes", "stopped", "a-frame", "a-volume"],
)
def test_frames_of_an_enhanced_object_are_counted(
    left_out: tuple[int, ...], expected: tuple[int | None, ...], tmp_path: Path
) -> None:
    acquisition = facts_of(enhanced(left_out=left_out, NumberOfTemporalPositions=PLANNED), tmp_path)
    assert counts(acquisition) == expected


def test_each_enhanced_object_of_a_scan_is_one_volume(tmp_path: Path) -> None:
    datasets = []
    for volume in range(3):
        slices = [part.with_(volume=volume) for part in block(SLICES)]
        datasets.append(enhanced_object(slices, dimensions=False, times=False))
        datasets[-1].InstanceNumber = volume + 1
    assert counts(facts_of(datasets, tmp_path)) == (None, 3, 3, None, 0, 0)


def test_a_complete_scan_of_several_echoes_and_components_is_complete(tmp_path: Path) -> None:
    parts = [
        part
        for volume in range(4)
        for echo in (10.0, 20.0, 30.0)
        for part in block(SLICES, echo=echo)
        for part in (part.with_(volume=volume), part.with_(volume=volume, kind=PHASE))
    ]
    files = [classic_slice(part, number + 1) for number, part in enumerate(parts)]
    acquisition = facts_of(files, tmp_path / "complete")
    assert (acquisition.acquired_volumes, acquisition.complete_volumes, acquisition.missing_slices) == (4, 4, 0)
    assert acquisition.te_ms == (10.0, 20.0, 30.0)
    assert verdict(acquisition) is SeriesVerdict.COMPLETE
    stopped = facts_of(files[:-1], tmp_path / "stopped")
    assert (stopped.acquired_volumes, stopped.complete_volumes, stopped.missing_slices) == (4, 3, 1)


def test_a_complete_diffusion_scan_is_complete_with_any_temporal_positions(tmp_path: Path) -> None:
    datasets = classic(Vendor.PHILIPS, NumberOfTemporalPositions=1)
    for index, dataset in enumerate(datasets):
        volume = index // SLICES
        del dataset.TemporalPositionIdentifier
        dataset.AcquisitionNumber, dataset.AcquisitionTime = 1, "101500"
        dataset.DiffusionBValue = 1000.0 if volume else 0.0
        dataset.DiffusionGradientOrientation = (
            [float(volume == axis) for axis in (1, 2, 3)] if volume < 4 else [0.6, 0.8, 0]
        )
    acquisition = facts_of(datasets, tmp_path)
    assert counts(acquisition) == (None, 5, 5, None, 0, 0)
    assert acquisition.b_values == ((0.0, 1), (1000.0, 4))
    assert acquisition.directions == 4
    assert verdict(acquisition) is SeriesVerdict.COMPLETE


def test_missing_slices_of_one_volume_are_found_by_gap_or_count(tmp_path: Path) -> None:
    volume = [classic_slice(part, k + 1) for k, part in enumerate(block(9))]
    gap = facts_of(without(volume, 4), tmp_path / "gap")
    assert counts(gap) == (None, 1, 0, 8, 1, 0)
    assert missing_text(gap) == "1 volume, 0 complete, 8 slices of one, which has 9"
    planned = counted(without(volume, -1, -2), 0x2001, "Philips Imaging DD 001", 0x18, "SL", 9)
    assert counts(facts_of(planned, tmp_path / "count")) == (None, 1, 0, 7, 2, 0)


def test_missing_slices_of_one_ge_volume_are_found_by_the_number_of_images(tmp_path: Path) -> None:
    volume = [classic_slice(part, k + 1, {"Manufacturer": Vendor.GE.value}) for k, part in enumerate(block(7))]
    acquisition = facts_of(counted(volume, 0x0025, "GEMS_SERS_01", 0x07, "SL", 9), tmp_path)
    assert counts(acquisition) == (1, 1, 0, 7, 2, 0)
    assert missing_text(acquisition) == "planned 1 volume, 0 complete, 7 slices of one, which has 9"


def test_a_derived_series_has_no_planned_number(tmp_path: Path) -> None:
    kind = ["DERIVED", "PRIMARY", "M", "ND"]
    acquisition = facts_of(classic(NumberOfTemporalPositions=PLANNED, ImageType=kind), tmp_path)
    assert counts(acquisition)[:3] == (None, 5, 5)


def test_orthogonal_views_are_a_localizer_and_not_evaluable(tmp_path: Path) -> None:
    views = [(1.0, 0, 0, 0, 1.0, 0), (1.0, 0, 0, 0, 0, -1.0), (0, 1.0, 0, 0, 0, -1.0)]
    parts = [Slice(4.0 * z, orientation=view) for view in views for z in range(3)]
    acquisition = facts_of([classic_slice(part, k + 1) for k, part in enumerate(parts)], tmp_path)
    assert acquisition.kinds == ("magnitude", "localizer")
    assert verdict(acquisition) is SeriesVerdict.NOT_EVALUABLE


def test_reports_and_screen_captures_are_not_evaluable() -> None:
    complete = Acquisition(acquired_volumes=1, complete_volumes=1)
    assert verdict(complete) is SeriesVerdict.COMPLETE
    assert verdict(complete, evaluable=False) is SeriesVerdict.NOT_EVALUABLE
    assert verdict(Acquisition()) is SeriesVerdict.NOT_EVALUABLE
