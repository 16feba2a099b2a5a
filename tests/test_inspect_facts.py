"""Times, geometry, encoding and diffusion of a series, each from its source; unknown values are None."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from qxbatch.acquisition import Acquisition, Orientation, SeriesVerdict
from qxbatch.core import SeriesFrames
from qxbatch.inspect.facts import facts
from qxbatch.inspect.geometry import orientation
from qxbatch.inspect.observed import observe, read_sidecar
from qxbatch.inspect.par import par_acquisition
from qxbatch.inspect.timing import iso
from qxbatch.inspect.verdict import missing_text, verdict
from qxbatch.model import Output
from qxbatch.parrec.header import parse_par
from qxbatch.textfile import MOST_BYTES
from tests.build.dicom import MrSeries, Vendor, encoded
from tests.build.parrec import ParRec
from tests.build.scans import classic, enhanced, facts_of, mosaics
from tests.build.slices import block, write_classic

DYNAMIC, B_VALUE, B_NUMBER, IMAGE_WORDS = 2, 33, 41, 49
"""Indices of words in an image line of a PAR file, and how many words it has."""


def test_times_are_taken_from_the_frames(tmp_path: Path) -> None:
    acquisition = facts_of(classic(), tmp_path)
    assert (acquisition.started, acquisition.ended) == ("2024-01-15T10:15:00", "2024-01-15T10:15:08")
    assert (acquisition.duration_s, acquisition.observed_tr_ms, acquisition.tr_ms) == (8.0, 2000.0, 2000.0)


@pytest.mark.parametrize("dated", [True, False], ids=["the-date-changes", "the-date-stays"])
def test_times_continue_after_midnight(dated: bool, tmp_path: Path) -> None:
    datasets = classic(start="235955", AcquisitionDate="20240131")
    for dataset in datasets if dated else []:
        if dataset.AcquisitionTime.startswith("00"):
            dataset.AcquisitionDate = "20240201"
    acquisition = facts_of(datasets, tmp_path)
    assert (acquisition.started, acquisition.ended) == ("2024-01-31T23:59:55", "2024-02-01T00:00:03")
    assert (acquisition.observed_tr_ms, acquisition.complete_volumes) == (2000.0, 5)


def test_constant_times_give_no_interval(tmp_path: Path) -> None:
    acquisition = facts_of(classic(AcquisitionTime="101500"), tmp_path)
    assert (acquisition.observed_tr_ms, acquisition.ended, acquisition.duration_s) == (None, None, None)


def test_trigger_times_give_the_interval_of_ge_scans_without_gating(tmp_path: Path) -> None:
    def scan(vendor: Vendor, phases: int) -> Acquisition:
        datasets = classic(vendor, AcquisitionTime="101500", CardiacNumberOfImages=phases)
        for index, dataset in enumerate(datasets):
            dataset.TriggerTime = 1350.0 * (index // 6) + 10 * (index % 6)
        return facts_of(datasets, tmp_path / f"{vendor.name}-{phases}")

    assert scan(Vendor.GE, 1).observed_tr_ms == 1350.0
    assert scan(Vendor.GE, 20).observed_tr_ms is None
    assert scan(Vendor.SIEMENS, 1).observed_tr_ms is None


def test_dynamic_scan_begin_times_give_the_interval_of_philips_scans(tmp_path: Path) -> None:
    datasets = classic(Vendor.PHILIPS, AcquisitionTime="101500")
    for index, dataset in enumerate(datasets):
        private_block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        private_block.add_new(0xA0, "FL", 1.5 * (index // 6))
    assert facts_of(datasets, tmp_path).observed_tr_ms == 1500.0


def test_frames_of_enhanced_objects_have_their_own_times(tmp_path: Path) -> None:
    acquisition = facts_of(enhanced(), tmp_path)
    assert acquisition.started == "2024-01-15T10:15:00"
    assert acquisition.observed_tr_ms == 1.0


def test_a_time_without_a_date_has_no_date() -> None:
    assert iso(36900.5) == "10:15:00.500"
    assert iso(36900, "20240115") == "2024-01-15T10:15:00"
    assert iso(86400 + 1, "20241231") == "2025-01-01T00:00:01"


@pytest.mark.parametrize(
    ("clock", "start"), [("101500", "2024-01-15T10:15:00"), ("1\N{SUPERSCRIPT TWO}1500", None), ("1015", None)]
)
def test_without_acquisition_times_the_start_is_a_valid_series_time(
    clock: str, start: str | None, tmp_path: Path
) -> None:
    (tmp_path / "image").write_bytes(encoded(classic(AcquisitionTime=None)[0]))
    frames = SeriesFrames([str(tmp_path / "image")])
    header = {"SeriesDate": "20240115", "SeriesTime": clock}
    assert facts(observe(frames.acquired_stacks(), header, [])).started == start


def test_slice_size_is_the_distance_of_slice_centres(tmp_path: Path) -> None:
    write_classic(tmp_path, block(6, step=2.5))
    frames = SeriesFrames(sorted(map(str, tmp_path.iterdir())))
    acquisition = facts(observe(frames.acquired_stacks(), {}, []))
    assert acquisition.matrix == (6, 8, 6)
    assert acquisition.voxel_mm == (3.0, 3.0, 2.5)
    assert acquisition.fov_mm == (18.0, 24.0, 15.0)
    assert (acquisition.slice_gap_mm, acquisition.orientation) == (0.5, Orientation.AXIAL)


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
def test_the_orientation_is_that_of_the_slice_normal(cosines: tuple[float, ...], plane: Orientation) -> None:
    assert orientation(cosines) is plane


@pytest.mark.parametrize(("direction", "expected"), [("COL", "j-"), ("ROW", "i"), ("COLUMN", "j-"), ("OTHER", None)])
def test_phase_encoding_refers_to_the_axes_of_the_image(direction: str, expected: str | None, tmp_path: Path) -> None:
    acquisition = facts_of(mosaics(InPlanePhaseEncodingDirection=direction), tmp_path)
    assert (acquisition.phase_encoding_direction, acquisition.phase_encoding_axis) == (expected, None)
    unknown = facts_of(classic(Vendor.PHILIPS, InPlanePhaseEncodingDirection=direction), tmp_path / "axis")
    assert unknown.phase_encoding_direction is None
    assert unknown.phase_encoding_axis == (expected[0] if expected else None)


def test_acceleration_is_read_from_the_siemens_protocol(tmp_path: Path) -> None:
    lines = (
        "sPat.lAccelFactPE = 2",
        "sSliceAcceleration.lMultiBandFactor = 3",
        "sKSpace.ucPhasePartialFourier = 0x8",
    )
    acquisition = facts_of(mosaics(protocol="\n".join(lines)), tmp_path)
    assert (acquisition.in_plane_acceleration, acquisition.multiband_factor, acquisition.partial_fourier) == (
        2.0,
        3,
        0.875,
    )
    comment = facts_of(mosaics(ImageComments="Unaliased MB4/PE3"), tmp_path / "comment")
    assert comment.multiband_factor == 4


def test_the_header_has_priority_over_the_sidecar(tmp_path: Path) -> None:
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
        "TotalReadoutTime": 10**400,
    }
    sidecar.write_text(json.dumps(values))
    acquired = SeriesFrames(list(map(str, paths))).acquired_stacks()
    acquisition = facts(observe(acquired, {}, [Output(tmp_path / "30.nii", "", {"json": sidecar})]))
    assert acquisition.tr_ms == 2000.0
    assert (acquisition.phase_encoding_direction, acquisition.partial_fourier) == ("j-", 0.75)
    assert (acquisition.effective_echo_spacing_s, acquisition.pixel_bandwidth_hz) == (0.0005, None)
    assert (acquisition.in_plane_acceleration, acquisition.multiband_factor) == (2, 3)
    alone = facts(observe(acquired, {}, []))
    assert (alone.phase_encoding_direction, alone.partial_fourier, alone.multiband_factor) == (None, None, None)


def test_bval_and_bvec_files_replace_missing_diffusion_elements(tmp_path: Path) -> None:
    paths = MrSeries(volumes=3, vendor=Vendor.CANON).write(tmp_path / "in")
    tables = {"bval": tmp_path / "30.bval", "bvec": tmp_path / "30.bvec"}
    tables["bval"].write_text("0 1000 1000\n")
    tables["bvec"].write_text("0 1 0\n0 0 1\n0 0 0\n")
    acquired = SeriesFrames(list(map(str, paths))).acquired_stacks()
    acquisition = facts(observe(acquired, {}, [Output(tmp_path / "30.nii", "", tables)]))
    assert (acquisition.b_values, acquisition.directions) == (((0.0, 1), (1000.0, 2)), 2)
    assert facts(observe(acquired, {}, [])).b_values is None


def test_a_fifo_in_the_place_of_a_sidecar_does_not_block(tmp_path: Path) -> None:
    paths = MrSeries(volumes=3).write(tmp_path / "in")
    fifos = {kind: tmp_path / f"30.{kind}" for kind in ("json", "bval", "bvec")}
    for fifo in fifos.values():
        os.mkfifo(fifo)
    acquired = SeriesFrames(list(map(str, paths))).acquired_stacks()
    assert facts(observe(acquired, {}, [Output(tmp_path / "30.nii", "", fifos)])) == facts(observe(acquired, {}, []))


def test_a_sidecar_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    sidecar = tmp_path / "30.json"
    with sidecar.open("wb") as file:
        file.write(b'{"EchoTime": 1}')
        file.truncate(MOST_BYTES + 1)
    assert read_sidecar(sidecar) == {}


def test_a_par_file_has_the_planned_and_the_existing_volumes() -> None:
    complete = par_acquisition(parse_par(ParRec(slices=3, volumes=4).par().encode()))
    assert complete is not None
    assert (complete.planned_volumes, complete.acquired_volumes, complete.complete_volumes) == (4, 4, 4)
    assert (complete.matrix, complete.voxel_mm, complete.slice_gap_mm) == ((6, 8, 3), (3.0, 3.0, 4.0), 1.0)
    assert (complete.observed_tr_ms, complete.started) == (2000.0, "2024-01-15T10:15:00")
    assert verdict(complete) is SeriesVerdict.COMPLETE


def test_a_par_file_with_fewer_images_than_planned_is_incomplete() -> None:
    pair = ParRec(slices=3, volumes=4)
    text = pair.par()
    images = [line for line in text.splitlines() if line.endswith("1 7 0 0.000 0.000 0.000 1")]
    assert len(images) == 12

    def remaining(*dropped: int) -> Acquisition:
        lines = [line for line in text.splitlines() if line not in {images[index] for index in dropped}]
        acquisition = par_acquisition(parse_par("\n".join(lines).encode()))
        assert acquisition is not None
        return acquisition

    assert missing_text(remaining(11)) == "planned 4 volumes, 3 complete, 2 slices of one more"
    assert missing_text(remaining(9, 10, 11)) == "planned 4 volumes, 3 complete"
    assert missing_text(remaining(4)) == "planned 4 volumes, 3 complete, 1 slice missing before the last volume"
    assert missing_text(remaining(2, 5, 8, 11)) == "planned 4 volumes, 0 complete, 2 slices of one, which has 3, " + (
        "3 slices missing before the last volume"
    )


def test_a_par_file_without_direction_numbers_has_a_volume_for_each_image_of_a_slice() -> None:
    removed = ("diffusion b value number", "gradient orientation number")
    text = ParRec(slices=3, volumes=4).par()
    lines = [_older_line(line) for line in text.splitlines() if not any(name in line for name in removed)]
    acquisition = par_acquisition(parse_par("\n".join(lines).encode()))
    assert acquisition is not None
    assert (acquisition.b_values, acquisition.acquired_volumes, acquisition.duplicate_slices) == (
        ((0.0, 1), (1000.0, 3)),
        4,
        0,
    )


def _older_line(line: str) -> str:
    """Return an image line in the format of PAR versions before 4.1; return other lines unchanged."""
    words = line.split()
    if len(words) != IMAGE_WORDS or not words[0].isdecimal():
        return line
    words[B_VALUE] = "1000" if int(words[DYNAMIC]) > 1 else "0"
    words[DYNAMIC] = "1"
    return " ".join([*words[:B_NUMBER], *words[B_NUMBER + 2 :]])


def test_an_unreadable_par_file_has_no_facts() -> None:
    assert par_acquisition(parse_par(b"")) is None
    assert par_acquisition(parse_par(ParRec().par().replace(" 30.00 ", " x ").encode())) is None


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_a_par_file_with_a_value_that_is_not_finite_has_no_facts(word: str) -> None:
    text = ParRec().par().replace(" 100 6 8 ", f" 100 {word} {word} ")
    assert par_acquisition(parse_par(text.encode())) is None


def test_a_par_file_that_defines_two_echo_times_has_no_facts() -> None:
    lines = [f"{line} 5" if line.startswith("  ") else line for line in ParRec().par().splitlines()]
    text = "\n".join(lines).replace("label type (ASL)            (imagekey!)  (integer)", "echo_time (2*float)")
    assert par_acquisition(parse_par(text.encode())) is None


def test_a_column_of_width_0_is_ignored() -> None:
    text = ParRec().par().replace("#  echo_time", "#  echo_time (0*float)\n#  unknown")
    acquisition = par_acquisition(parse_par(text.encode()))
    assert acquisition is not None
    assert acquisition.te_ms is None


def test_a_par_file_without_columns_that_number_volumes_has_one_volume() -> None:
    text = ParRec().par()
    for name in ("dynamic scan", "cardiac phase", "diffusion b value", "gradient orientation", "label type"):
        text = text.replace(f"#  {name}", f"#  unknown {name}")
    acquisition = par_acquisition(parse_par(text.encode()))
    assert acquisition is not None
    assert (acquisition.acquired_volumes, acquisition.observed_tr_ms) == (1, None)


def test_the_counts_alone_decide_whether_an_acquisition_is_complete() -> None:
    complete = Acquisition(planned_volumes=3, acquired_volumes=3, complete_volumes=3, missing_slices=0)
    assert missing_text(complete) == ""
    assert missing_text(
        replace(complete, planned_volumes=None, complete_volumes=2, partial_slices=1, slices_per_volume=2)
    )
