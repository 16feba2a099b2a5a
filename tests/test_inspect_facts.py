"""Times, geometry, encoding and diffusion of a series, each from its source; what is not known is absent."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from qxbatch.acquisition import Acquisition, Orientation, SeriesVerdict
from qxbatch.core import SeriesFrames
from qxbatch.inspect.facts import facts
from qxbatch.inspect.geometry import orientation
from qxbatch.inspect.observed import observe
from qxbatch.inspect.par import par_facts
from qxbatch.inspect.timing import iso
from qxbatch.inspect.verdict import lacking, verdict
from qxbatch.model import Output
from qxbatch.parrec.header import parse_par
from tests.build.dicom import MrSeries, Vendor
from tests.build.parrec import ParRec
from tests.build.scans import classic, enhanced, facts_of, mosaics
from tests.build.slices import block, write_classic

DYNAMIC, B_VALUE, B_NUMBER, IMAGE_WORDS = 2, 33, 41, 49
"""Words of an image line of a PAR."""


def test_times_are_those_of_the_frames(tmp_path: Path) -> None:
    found = facts_of(classic(), tmp_path)
    assert (found.started, found.ended) == ("2024-01-15T10:15:00", "2024-01-15T10:15:08")
    assert (found.duration_s, found.observed_tr_ms, found.tr_ms) == (8.0, 2000.0, 2000.0)


@pytest.mark.parametrize("dated", [True, False], ids=["the-date-changes", "the-date-stays"])
def test_times_go_on_behind_midnight(dated: bool, tmp_path: Path) -> None:
    datasets = classic(start="235955", AcquisitionDate="20240131")
    for dataset in datasets if dated else []:
        if dataset.AcquisitionTime.startswith("00"):
            dataset.AcquisitionDate = "20240201"
    found = facts_of(datasets, tmp_path)
    assert (found.started, found.ended) == ("2024-01-31T23:59:55", "2024-02-01T00:00:03")
    assert (found.observed_tr_ms, found.complete_volumes) == (2000.0, 5)


def test_constant_times_tell_no_interval(tmp_path: Path) -> None:
    found = facts_of(classic(AcquisitionTime="101500"), tmp_path)
    assert (found.observed_tr_ms, found.ended, found.duration_s) == (None, None, None)


def test_trigger_times_tell_the_interval_at_ge_without_gating(tmp_path: Path) -> None:
    def scan(vendor: Vendor, phases: int) -> Acquisition:
        datasets = classic(vendor, AcquisitionTime="101500", CardiacNumberOfImages=phases)
        for index, dataset in enumerate(datasets):
            dataset.TriggerTime = 1350.0 * (index // 6) + 10 * (index % 6)
        return facts_of(datasets, tmp_path / f"{vendor.name}-{phases}")

    assert scan(Vendor.GE, 1).observed_tr_ms == 1350.0
    assert scan(Vendor.GE, 20).observed_tr_ms is None
    assert scan(Vendor.SIEMENS, 1).observed_tr_ms is None


def test_the_begin_of_dynamics_tells_the_interval_at_philips(tmp_path: Path) -> None:
    datasets = classic(Vendor.PHILIPS, AcquisitionTime="101500")
    for index, dataset in enumerate(datasets):
        block_of = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block_of.add_new(0xA0, "FL", 1.5 * (index // 6))
    assert facts_of(datasets, tmp_path).observed_tr_ms == 1500.0


def test_frames_of_enhanced_objects_have_their_own_times(tmp_path: Path) -> None:
    found = facts_of(enhanced(), tmp_path)
    assert found.started == "2024-01-15T10:15:00"
    assert found.observed_tr_ms == 1.0


def test_a_day_is_never_made_up() -> None:
    assert iso(36900.5) == "10:15:00.500"
    assert iso(36900, "20240115") == "2024-01-15T10:15:00"
    assert iso(86400 + 1, "20241231") == "2025-01-01T00:00:01"


def test_sizes_are_those_of_slice_centres(tmp_path: Path) -> None:
    write_classic(tmp_path, block(6, step=2.5))
    frames = SeriesFrames(sorted(map(str, tmp_path.iterdir())))
    found = facts(observe(frames.acquired(), {}, []))
    assert found.matrix == (6, 8, 6)
    assert found.voxel_mm == (3.0, 3.0, 2.5)
    assert found.fov_mm == (18.0, 24.0, 15.0)
    assert (found.slice_gap_mm, found.orientation) == (0.5, Orientation.AXIAL)


@pytest.mark.parametrize(
    ("cosines", "plane"),
    [
        ((1, 0, 0, 0, 1, 0), Orientation.AXIAL),
        ((1, 0, 0, 0, 0.94, 0.34), Orientation.AXIAL),
        ((1, 0, 0, 0, 0, -1), Orientation.CORONAL),
        ((0, 1, 0, 0, 0, -1), Orientation.SAGITTAL),
        ((1, 0, 0, 0, 0.7, 0.71), Orientation.OBLIQUE),
    ],
)
def test_a_plane_has_the_name_of_its_normal(cosines: tuple[float, ...], plane: Orientation) -> None:
    assert orientation(cosines) is plane


@pytest.mark.parametrize(("direction", "expected"), [("COL", "j-"), ("ROW", "i"), ("COLUMN", "j-"), ("OTHER", None)])
def test_phase_encoding_is_in_the_axes_of_the_image(direction: str, expected: str | None, tmp_path: Path) -> None:
    found = facts_of(mosaics(InPlanePhaseEncodingDirection=direction), tmp_path)
    assert (found.phase_encoding_direction, found.phase_encoding_axis) == (expected, None)
    unknown = facts_of(classic(Vendor.PHILIPS, InPlanePhaseEncodingDirection=direction), tmp_path / "axis")
    assert unknown.phase_encoding_direction is None
    assert unknown.phase_encoding_axis == (expected[0] if expected else None)


def test_acceleration_is_that_of_the_protocol_of_siemens(tmp_path: Path) -> None:
    lines = (
        "sPat.lAccelFactPE = 2",
        "sSliceAcceleration.lMultiBandFactor = 3",
        "sKSpace.ucPhasePartialFourier = 0x8",
    )
    found = facts_of(mosaics(protocol="\n".join(lines)), tmp_path)
    assert (found.in_plane_acceleration, found.multiband_factor, found.partial_fourier) == (2.0, 3, 0.875)
    comment = facts_of(mosaics(ImageComments="Unaliased MB4/PE3"), tmp_path / "comment")
    assert comment.multiband_factor == 4


def test_the_header_comes_before_the_sidecar_and_the_sidecar_before_nothing(tmp_path: Path) -> None:
    paths = MrSeries(volumes=2, vendor=Vendor.GE).write(tmp_path / "in")
    sidecar = tmp_path / "30.json"
    values = {
        "RepetitionTime": 9,
        "PhaseEncodingDirection": "j-",
        "PartialFourier": 0.75,
        "EffectiveEchoSpacing": 0.0005,
        "ParallelReductionFactorInPlane": 2,
        "MultibandAccelerationFactor": 3,
        "PixelBandwidth": float("nan"),
    }
    sidecar.write_text(json.dumps(values))
    acquired = SeriesFrames(list(map(str, paths))).acquired()
    found = facts(observe(acquired, {}, [Output(tmp_path / "30.nii", "", {"json": sidecar})]))
    assert found.tr_ms == 2000.0
    assert (found.phase_encoding_direction, found.partial_fourier) == ("j-", 0.75)
    assert (found.effective_echo_spacing_s, found.pixel_bandwidth_hz) == (0.0005, None)
    assert (found.in_plane_acceleration, found.multiband_factor) == (2, 3)
    alone = facts(observe(acquired, {}, []))
    assert (alone.phase_encoding_direction, alone.partial_fourier, alone.multiband_factor) == (None, None, None)


def test_the_table_of_the_converter_fills_what_headers_lack(tmp_path: Path) -> None:
    paths = MrSeries(volumes=3, vendor=Vendor.CANON).write(tmp_path / "in")
    tables = {"bval": tmp_path / "30.bval", "bvec": tmp_path / "30.bvec"}
    tables["bval"].write_text("0 1000 1000\n")
    tables["bvec"].write_text("0 1 0\n0 0 1\n0 0 0\n")
    acquired = SeriesFrames(list(map(str, paths))).acquired()
    found = facts(observe(acquired, {}, [Output(tmp_path / "30.nii", "", tables)]))
    assert (found.b_values, found.directions) == (((0.0, 1), (1000.0, 2)), 2)
    assert facts(observe(acquired, {}, [])).b_values is None


def test_a_par_says_what_was_planned_and_lists_what_exists() -> None:
    whole = par_facts(parse_par(ParRec(slices=3, volumes=4).par().encode()))
    assert whole is not None
    assert (whole.planned_volumes, whole.acquired_volumes, whole.complete_volumes) == (4, 4, 4)
    assert (whole.matrix, whole.voxel_mm, whole.slice_gap_mm) == ((6, 8, 3), (3.0, 3.0, 4.0), 1.0)
    assert (whole.observed_tr_ms, whole.started) == (2000.0, "2024-01-15T10:15:00")
    assert verdict(whole) is SeriesVerdict.COMPLETE


def test_a_par_with_fewer_images_than_announced_is_incomplete() -> None:
    pair = ParRec(slices=3, volumes=4)
    text = pair.par()
    images = [line for line in text.splitlines() if line.endswith("1 7 0 0.000 0.000 0.000 1")]
    assert len(images) == 12

    def left(*dropped: int) -> Acquisition:
        lines = [line for line in text.splitlines() if line not in {images[index] for index in dropped}]
        found = par_facts(parse_par("\n".join(lines).encode()))
        assert found is not None
        return found

    assert lacking(left(11)) == "planned 4 volumes, 3 complete, 2 slices of one more"
    assert lacking(left(9, 10, 11)) == "planned 4 volumes, 3 complete"
    assert lacking(left(4)) == "planned 4 volumes, 3 complete, 1 slice missing before the last volume"
    assert lacking(left(2, 5, 8, 11)) == "planned 4 volumes, 0 complete, 2 slices of one, which has 3, " + (
        "3 slices missing before the last volume"
    )


def test_a_par_without_numbers_of_directions_has_a_volume_for_each_image_of_a_slice() -> None:
    named = ("diffusion b value number", "gradient orientation number")
    text = ParRec(slices=3, volumes=4).par()
    lines = [_as_before(line) for line in text.splitlines() if not any(name in line for name in named)]
    found = par_facts(parse_par("\n".join(lines).encode()))
    assert found is not None
    assert (found.b_values, found.acquired_volumes, found.duplicate_slices) == (((0.0, 1), (1000.0, 3)), 4, 0)


def _as_before(line: str) -> str:
    """Return a line of an image as versions before 4.1 write it, and other lines as they are."""
    words = line.split()
    if len(words) != IMAGE_WORDS or not words[0].isdecimal():
        return line
    words[B_VALUE] = "1000" if int(words[DYNAMIC]) > 1 else "0"
    words[DYNAMIC] = "1"
    return " ".join([*words[:B_NUMBER], *words[B_NUMBER + 2 :]])


def test_a_par_that_cannot_be_read_has_no_facts() -> None:
    assert par_facts(parse_par(b"")) is None
    assert par_facts(parse_par(ParRec().par().replace(" 30.00 ", " x ").encode())) is None


def test_an_acquisition_is_complete_by_its_counts_alone() -> None:
    whole = Acquisition(planned_volumes=3, acquired_volumes=3, complete_volumes=3, missing_slices=0)
    assert lacking(whole) == ""
    assert lacking(replace(whole, planned_volumes=None, complete_volumes=2, partial_slices=1, slices_per_volume=2))
