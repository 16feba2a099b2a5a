"""Complete scans of every kind are not reported as incomplete, and interrupted ones are."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.inspect.par import par_acquisition
from qxbatch.inspect.verdict import missing_text, verdict
from qxbatch.parrec.header import parse_par
from tests.build.dicom import MrSeries, Syntax, Vendor, encoded
from tests.build.mosaics import Mosaic
from tests.build.objects import item, spectroscopy
from tests.build.parrec import ParRec
from tests.build.scans import SLICES, classic, copied, counted, enhanced, facts_of, mosaics, of_files, without
from tests.build.slices import block, enhanced_object
from tests.build.slices import classic as classic_slice

MAPS = ["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND"]


def echoes(vendor: Vendor, volumes: int, *, images: bool = False) -> list[Dataset]:
    """Return a scan with three echoes; with `images`, ImagesInAcquisition counts the images of all echoes, as on GE."""
    parts = [
        part.with_(volume=v) for v in range(volumes) for te in (10.0, 20.0, 30.0) for part in block(SLICES, echo=te)
    ]
    changes = {"Manufacturer": vendor.value, **({"ImagesInAcquisition": len(parts)} if images else {})}
    return [classic_slice(part, number, changes) for number, part in enumerate(parts, 1)]


def diffusion(vendor: Vendor, **changes: Any) -> list[Dataset]:
    """Return a diffusion scan of five volumes whose NumberOfTemporalPositions is 1."""
    datasets = classic(vendor, NumberOfTemporalPositions=1, **changes)
    for index, dataset in enumerate(datasets):
        volume = index // SLICES
        del dataset.TemporalPositionIdentifier
        dataset.DiffusionBValue = 1000.0 if volume else 0.0
        if volume:
            dataset.DiffusionGradientOrientation = [float(volume == 1), float(volume == 2), float(volume > 2)]
    return datasets


def perfusion_mosaics() -> list[Dataset]:
    """Return ASL mosaics: three pairs of label and control; their protocol has another number of repetitions."""
    protocol = "lRepetitions = 20\nlContrasts = 1\nsAsl.ulMode = 0x4"
    return mosaics(6, protocol=protocol, SequenceName="epfid2d1_64", ImageType=["ORIGINAL", "PRIMARY", "ASL", "MOSAIC"])


COMPLETE: dict[str, Callable[[], list[Dataset]]] = {
    "echoes of Siemens": lambda: echoes(Vendor.SIEMENS, 3),
    "echoes of GE": lambda: echoes(Vendor.GE, 3, images=True),
    "echoes of Philips": lambda: echoes(Vendor.PHILIPS, 1),
    "diffusion of Siemens": lambda: diffusion(Vendor.SIEMENS),
    "diffusion of GE": lambda: diffusion(Vendor.GE, ImagesInAcquisition=SLICES * 5),
    "diffusion of Canon": lambda: diffusion(Vendor.CANON),
    "diffusion of UIH": lambda: Mosaic(vendor=Vendor.UIH, volumes=5, b_values=[0, 1000, 1000, 1000, 1000]).datasets(),
    "perfusion of Siemens": perfusion_mosaics,
    "mosaics of UIH": lambda: Mosaic(vendor=Vendor.UIH, slices=SLICES, volumes=4).datasets(),
    "maps": lambda: classic(NumberOfTemporalPositions=80, ImageType=MAPS),
    "one volume": lambda: [classic_slice(part, k) for k, part in enumerate(block(SLICES), 1)],
}


@pytest.mark.parametrize("make", COMPLETE.values(), ids=COMPLETE.keys())
def test_a_complete_scan_is_not_reported_as_incomplete(make: Callable[[], list[Dataset]], tmp_path: Path) -> None:
    acquisition = facts_of(make(), tmp_path)
    assert (verdict(acquisition), missing_text(acquisition)) == (SeriesVerdict.COMPLETE, "")
    assert acquisition.missing_slices == 0


STACKED = {name: make for name, make in COMPLETE.items() if "UIH" not in name and "perfusion" not in name}


@pytest.mark.parametrize("make", STACKED.values(), ids=STACKED.keys())
def test_the_same_scan_without_its_last_slice_is_incomplete(make: Callable[[], list[Dataset]], tmp_path: Path) -> None:
    datasets = make()
    if len(datasets) == SLICES:  # only this element has the planned number of slices of a single volume
        datasets = counted(datasets, 0x2001, "Philips Imaging DD 001", 0x18, "SL", SLICES)
    acquisition = facts_of(without(datasets, -1), tmp_path / "stopped")
    assert verdict(acquisition) is SeriesVerdict.INCOMPLETE, acquisition
    assert acquisition.missing_slices == 1


@pytest.mark.parametrize("vendor", [Vendor.CANON, Vendor.UIH], ids=str)
def test_canon_and_uih_have_only_the_standard_count_of_volumes(vendor: Vendor, tmp_path: Path) -> None:
    assert facts_of(classic(vendor), tmp_path / "none").planned_volumes is None
    assert facts_of(classic(vendor, NumberOfTemporalPositions=8), tmp_path / "standard").planned_volumes == 8


def test_a_missing_uih_mosaic_in_the_middle_is_found(tmp_path: Path) -> None:
    acquisition = facts_of(without(Mosaic(vendor=Vendor.UIH, slices=SLICES, volumes=5).datasets(), 2), tmp_path)
    assert (acquisition.acquired_volumes, acquisition.missing_slices, verdict(acquisition)) == (
        4,
        SLICES,
        SeriesVerdict.INCOMPLETE,
    )


def test_duplicate_and_missing_slices_are_counted_separately(tmp_path: Path) -> None:
    datasets = classic(NumberOfTemporalPositions=8)
    acquisition = facts_of(without(copied(datasets, 0, 1, 2), 8, 29), tmp_path)
    assert (acquisition.duplicate_slices, acquisition.missing_slices, acquisition.partial_slices) == (3, 2, 5)
    assert (acquisition.planned_volumes, acquisition.acquired_volumes, acquisition.complete_volumes) == (8, 5, 3)
    assert (
        missing_text(acquisition)
        == "planned 8 volumes, 3 complete, 5 slices of one more, 1 slice missing before the last volume"
    )


def test_an_enhanced_object_that_was_sent_twice_is_one_scan(tmp_path: Path) -> None:
    acquisition = facts_of(copied(enhanced(NumberOfTemporalPositions=5), 0), tmp_path)
    assert (acquisition.acquired_volumes, acquisition.slices_per_volume, acquisition.duplicate_slices) == (
        5,
        SLICES,
        5 * SLICES,
    )
    assert verdict(acquisition) is SeriesVerdict.COMPLETE


@pytest.mark.parametrize("dropped", [(), (1,), (2,)], ids=["complete", "in-the-middle", "at-the-end"])
def test_enhanced_objects_with_one_volume_each_are_counted(dropped: tuple[int, ...], tmp_path: Path) -> None:
    datasets = []
    for volume in range(3):
        part = enhanced_object([each.with_(volume=volume) for each in block(SLICES)])
        part.InstanceNumber, part.NumberOfTemporalPositions = volume + 1, 3
        datasets.append(part)
    acquisition = facts_of(without(datasets, *dropped) if dropped else datasets, tmp_path)
    assert (acquisition.planned_volumes, acquisition.complete_volumes) == (3, 3 - len(dropped))
    assert verdict(acquisition) is (SeriesVerdict.INCOMPLETE if dropped else SeriesVerdict.COMPLETE)


def par(pair: ParRec, general: Mapping[str, object]) -> Acquisition:
    """Return the facts of a PAR file with changed values in its general information."""
    lines = pair.par().splitlines()
    for words, value in general.items():
        (index,) = [index for index, line in enumerate(lines) if line.startswith(".") and words in line]
        lines[index] = f"{lines[index].rpartition(':')[0]}:   {value}"
    acquisition = par_acquisition(parse_par("\n".join(lines).encode()))
    assert acquisition is not None
    return acquisition


def test_a_complete_par_of_perfusion_or_diffusion_is_complete() -> None:
    pair = ParRec(slices=3, volumes=4)
    perfusion = par(pair, {"Max. number of dynamics": 2, "Number of label types": 2})
    assert (perfusion.planned_volumes, verdict(perfusion)) == (4, SeriesVerdict.COMPLETE)
    weighted = par(pair, {"Diffusion         <0": 1, "Max. number of dynamics": 1})
    assert (weighted.planned_volumes, verdict(weighted)) == (None, SeriesVerdict.COMPLETE)
    more = par(pair, {"Max. number of dynamics": 9})
    assert missing_text(more) == "planned 9 volumes, 4 complete"


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.BIG, Syntax.DEFLATED], ids=str)
def test_values_of_functional_groups_are_read_in_every_syntax(syntax: Syntax, tmp_path: Path) -> None:
    (dataset,) = enhanced()
    for keyword in ("RepetitionTime", "FlipAngle", "PixelBandwidth"):
        if keyword in dataset:
            delattr(dataset, keyword)
    groups = dataset.SharedFunctionalGroupsSequence[0]
    groups.MRTimingAndRelatedParametersSequence = Items([item(RepetitionTime="1234", FlipAngle="9")])
    groups.MRImagingModifierSequence = Items([item(PixelBandwidth="191.5")])
    groups.MRModifierSequence = Items([item(ParallelReductionFactorInPlane=2.5)])
    groups.MRFOVGeometrySequence = Items([item(InPlanePhaseEncodingDirection="ROW")])
    (tmp_path / "1.dcm").write_bytes(encoded(dataset, syntax))
    acquisition = of_files(tmp_path)
    assert (acquisition.tr_ms, acquisition.flip_angle_deg, acquisition.pixel_bandwidth_hz) == (1234.0, 9.0, 191.5)
    assert (acquisition.in_plane_acceleration, acquisition.phase_encoding_axis) == (2.5, "i")


def test_spectra_have_the_values_of_their_header_and_are_not_evaluable(tmp_path: Path) -> None:
    dataset = spectroscopy(MrSeries(number=9, tr=1500.0))
    dataset.RepetitionTime = 1500.0
    acquisition = facts_of([dataset], tmp_path)
    assert (acquisition.tr_ms, acquisition.acquired_volumes, verdict(acquisition)) == (
        1500.0,
        None,
        SeriesVerdict.NOT_EVALUABLE,
    )
