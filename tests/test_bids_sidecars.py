"""Sidecars of a data set contain fields that the converter did not write."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.planned_files import FileOptions, PlannedFile, planned_session_files
from qxbatch.bids.files.sources import Sources
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.sidecars.asl import context_problem, volume_types
from qxbatch.bids.sidecars.fieldmaps import field_map_links
from qxbatch.bids.sidecars.sidecar_fields import bids_sidecars, sidecar_bytes
from qxbatch.model import SeriesKind
from tests.build.bids import Image, Scan, plan

REST = '[[rule]]\nmatch = { name = "rest" }\nas = "func/task-rest_bold"\n'


def fields(session_plan: ExportPlan, **options: Any) -> dict[str, Any]:
    """Return the sidecars by file name without the subject."""
    completed = bids_sidecars(session_plan.placed_images, {}, **options)
    return {path.rpartition("/")[2].removeprefix("sub-S01_"): dict(each) for path, each in completed.fields.items()}


def files(session_plan: ExportPlan) -> dict[str, PlannedFile]:
    """Return the files of a session by file name without the subject."""
    exported = planned_session_files(session_plan, FileOptions(), Sources(ExportCache(None), lambda _path: True)).files
    return {each.path.rpartition("/")[2].removeprefix("sub-S01_"): each for each in exported}


def test_a_sidecar_keeps_all_fields_of_the_converter(tmp_path):
    session_plan = plan(
        tmp_path, REST, Scan(1, "rest", volumes=2, sidecar={"SliceTiming": [0, 1.5e-05], "X": {"y": None}})
    )
    converted = dict(session_plan.placed_images[0].image.sidecar)
    written = fields(session_plan)["task-rest_bold"]
    assert {key: written[key] for key in converted} == converted
    assert set(written) - set(converted) == {"TaskName"}


def test_the_task_name_is_the_entity_task_unless_the_rule_sets_it(tmp_path):
    (tmp_path / "b").mkdir()
    assert fields(plan(tmp_path, REST, Scan(1, "rest")))["task-rest_bold"]["TaskName"] == "rest"
    rule = REST + 'set = { TaskName = "resting state", Instructions = "Lie still" }\n'
    written = fields(plan(tmp_path / "b", rule, Scan(1, "rest")))["task-rest_bold"]
    assert (written["TaskName"], written["Instructions"]) == ("resting state", "Lie still")


def test_identifying_fields_are_removed_unless_they_are_requested(tmp_path):
    person = {
        "PatientName": "Doe",
        "PatientBirthDate": "1970",
        "SeriesInstanceUID": "1.2",
        "AcquisitionDateTime": "2024",
    }
    session_plan = plan(tmp_path, REST, Scan(1, "rest", sidecar=person))
    assert not set(person) & set(fields(session_plan)["task-rest_bold"])
    assert set(person) <= set(fields(session_plan, keep_identifying=True)["task-rest_bold"])


GRE = """
[[rule]]
match = { name = "gre", kind = "magnitude", EchoTime = 4.92 }
as = "fmap/magnitude1"
[[rule]]
match = { name = "gre", kind = "magnitude", EchoTime = 7.38 }
as = "fmap/magnitude2"
[[rule]]
match = { name = "gre", kind = "phase" }
as = "fmap/phasediff"
"""


def test_identifying_fields_of_other_converters_are_removed(tmp_path):
    own = {"PatientWeight": 70, "OtherPatientIDs": "x", "PatientPosition": "HFS", "ScanDate": "2024-05-06"}
    own |= {"SOPClassUID": "1.2", "IrradiationEventUID": "1.20240506", "ConcatenationUID": "1.20240506"}
    nested = {
        "global": {"const": {"PatientName": "A", "StudyDate": "20240506", "EchoTime": 1}},
        "list": [{"PatientName": "A", "EchoTime": 1}, 2],
    }
    sidecar = fields(plan(tmp_path, REST, Scan(1, "rest", sidecar={**own, **nested})))["task-rest_bold"]
    assert sidecar["PatientPosition"] == "HFS"
    assert sidecar["global"] == {"const": {"EchoTime": 1}}
    assert sidecar["list"] == [{"EchoTime": 1}, 2]
    assert not {"PatientWeight", "OtherPatientIDs", "ScanDate", "IrradiationEventUID", "ConcatenationUID"} & set(
        sidecar
    )
    assert sidecar["SOPClassUID"] == "1.2"


def test_a_phase_difference_gets_both_echo_times_of_its_magnitude_images(tmp_path):
    echoes = (Image("e1", te=4.92), Image("e2", te=7.38))
    session_plan = plan(
        tmp_path,
        GRE,
        Scan(1, "gre", te=None, images=echoes),
        Scan(2, "gre", te=7.38, kind="phase", images=(Image("e2_ph"),)),
    )
    written = fields(session_plan)["phasediff"]
    assert (written["EchoTime1"], written["EchoTime2"], written["Units"]) == (0.00492, 0.00738, "arbitrary")


def test_numbers_beyond_all_floats_are_not_compared(tmp_path):
    big = 10**400
    rule = '[[rule]]\nmatch = { name = "rest", SAR = ">1" }\nas = "func/task-rest_bold"\n'
    assert not plan(tmp_path / "match", rule, Scan(1, "rest", sidecar={"SAR": big})).placed_images
    rule = '[[rule]]\nmatch = { name = "rest" }\nas = "func/task-rest_bold"\n'
    values = {"ShimSetting": [big], "RepetitionTime": big}
    session_plan = plan(tmp_path / "rest", rule, Scan(1, "rest", volumes=3, sidecar=values))
    assert not field_map_links(session_plan.placed_images).fields
    assert fields(session_plan)["task-rest_bold"]["RepetitionTime"] == big
    scan = Scan(2, "gre", kind="phase", sidecar={"EchoTime": big})
    assert "EchoTime1" not in fields(plan(tmp_path / "gre", GRE, scan))["phasediff"]


def test_unknown_echo_times_give_a_warning_with_the_fields_to_set(tmp_path):
    session_plan = plan(tmp_path, GRE, Scan(2, "gre", kind="phase", te=7.38))
    warnings = bids_sidecars(session_plan.placed_images, {}).warnings
    assert "EchoTime1" in warnings[0]
    assert "set = {" in warnings[0]


def units_of_direct_field_map(folder: Path, manufacturer: str) -> tuple[Any, Sequence[str]]:
    """Return Units in the sidecar of a field map in Hz, and the warnings."""
    rules = (
        '[[rule]]\nmatch = { name = "b0 map" }\nas = "fmap/fieldmap"\n'
        '[[rule]]\nmatch = { name = "b0 mag" }\nas = "fmap/magnitude"\n'
    )
    folder.mkdir()
    scans = [
        Scan(1, "b0 map", kind="phase", sidecar={"Manufacturer": manufacturer}),
        Scan(2, "b0 mag", sidecar={"Manufacturer": manufacturer}),
    ]
    session_plan = plan(folder, rules, *scans)
    return fields(session_plan)["fieldmap"].get("Units"), bids_sidecars(session_plan.placed_images, {}).warnings


def test_the_units_of_a_direct_field_map_depend_on_the_manufacturer(tmp_path):
    assert units_of_direct_field_map(tmp_path / "ge", "GE") == ("Hz", ())
    assert units_of_direct_field_map(tmp_path / "philips", "Philips") == ("Hz", ())
    units, warnings = units_of_direct_field_map(tmp_path / "other", "Siemens")
    assert units is None
    assert "Units" in warnings[0]


def test_a_phase_part_has_units(tmp_path):
    images = (Image("", kind="magnitude"), Image("ph", kind="phase"))
    session_plan = plan(tmp_path, REST, Scan(1, "rest", volumes=2, images=images))
    written = fields(session_plan)
    assert written["task-rest_part-phase_bold"]["Units"] == "arbitrary"
    assert "Units" not in written["task-rest_part-mag_bold"]


ASL = """
[[rule]]
match = { name = "asl" }
as = "perf/asl"
context = ["m0scan", "control", "label"]
set = { BackgroundSuppression = true }
"""


def test_the_asl_context_is_repeated_for_all_volumes_and_gives_the_number_of_pairs(tmp_path):
    session_plan = plan(tmp_path, ASL, Scan(1, "asl", volumes=5, tr=4000.0))
    written = fields(session_plan)["asl"]
    assert written["TotalAcquiredPairs"] == 2
    assert written["M0Type"] == "Included"
    assert written["RepetitionTimePreparation"] == 4
    assert written["BackgroundSuppression"] is True
    assert files(session_plan)["aslcontext.tsv"].content == b"volume_type\nm0scan\ncontrol\nlabel\ncontrol\nlabel\n"


def test_an_asl_context_that_does_not_fit_the_volumes_gives_a_warning_and_no_file(tmp_path):
    session_plan = plan(tmp_path, ASL, Scan(1, "asl", volumes=4))
    assert volume_types(session_plan.placed_images[0]) is None
    assert "do not fit the 4 volumes" in context_problem(session_plan.placed_images[0])
    assert "aslcontext.tsv" not in files(session_plan)


def test_a_separate_m0_scan_is_intended_for_the_nearest_asl_image(tmp_path):
    rules = ASL.replace('"m0scan", ', "") + '[[rule]]\nmatch = { name = "m0" }\nas = "perf/m0scan"\n'
    scans = [
        Scan(1, "m0", "10:00:00", 10),
        Scan(2, "asl", "10:01:00", 60, volumes=4),
        Scan(3, "m0", "10:20:00", 10),
        Scan(4, "asl", "10:21:00", 60, volumes=4),
    ]
    session_plan = plan(tmp_path, rules, *scans)
    assert fields(session_plan)["run-1_asl"]["M0Type"] == "Separate"
    content = files(session_plan)["run-2_m0scan.json"].content
    assert isinstance(content, bytes)
    assert json.loads(content)["IntendedFor"] == ["bids::sub-S01/perf/sub-S01_run-2_asl.nii.gz"]


def test_a_diffusion_scan_with_b_values_of_zero_gets_gradients_of_zero(tmp_path):
    rules = '[[rule]]\nmatch = { name = "b0" }\nas = "dwi/dwi"\n'
    by_name = files(plan(tmp_path, rules, Scan(1, "b0", volumes=2, facts={"b_values": ((0.0, 2),)})))
    assert by_name["dwi.bval"].content == b"0 0\n"
    assert by_name["dwi.bvec"].content == b"0 0\n0 0\n0 0\n"


def test_a_diffusion_scan_with_unknown_b_values_gets_no_gradients(tmp_path):
    rules = '[[rule]]\nmatch = { name = "dwi" }\nas = "dwi/dwi"\n'
    assert "dwi.bval" not in files(plan(tmp_path, rules, Scan(1, "dwi", volumes=2)))


def test_quantitative_suffixes_and_mt_entities_get_their_required_fields(tmp_path):
    rules = (
        '[[rule]]\nmatch = { name = "vfa" }\nas = "anat/flip-1_VFA"\n'
        '[[rule]]\nmatch = { name = "mton" }\nas = "anat/acq-x_mt-on_MTR"\n'
    )
    written = fields(plan(tmp_path, rules, Scan(1, "vfa", tr=15.0, flip=5.0), Scan(2, "mton")))
    assert written["flip-1_VFA"]["RepetitionTimeExcitation"] == 0.015
    assert written["acq-x_mt-on_MTR"]["MTState"] is True


@pytest.mark.parametrize(
    ("observed", "timing_fields"),
    [
        (1350.0, {"VolumeTiming": [0, 1.35, 2.7], "FrameAcquisitionDuration": 2}),
        (2000.0, {"RepetitionTime": 2, "DelayTime": 0.5}),
        (None, {"RepetitionTime": 1.35, "DelayTime": 0.5}),
    ],
)
def test_a_different_repetition_time_in_the_image_gives_timing_fields_and_a_warning(tmp_path, observed, timing_fields):
    sidecar = {"RepetitionTime": 1.35, "DelayTime": 0.5}
    scan = Scan(1, "rest", volumes=3, tr=2000.0, sidecar=sidecar, facts={"observed_tr_ms": observed})
    session_plan = plan(tmp_path, REST, scan)
    completed = bids_sidecars(session_plan.placed_images, {})
    written = completed.fields[session_plan.placed_images[0].path]
    names = ("RepetitionTime", "DelayTime", "VolumeTiming", "FrameAcquisitionDuration")
    assert {key: written[key] for key in names if key in written} == timing_fields
    assert "1.35 s in the sidecar and 2 s in the image" in completed.warnings[0]


def test_a_par_of_a_3d_scan_gets_the_time_between_its_volumes(tmp_path):
    facts = {"tr_ms": 20.0, "observed_tr_ms": 2000.0}
    scan = Scan(
        1, "rest", volumes=3, tr=2000.0, source=SeriesKind.PARREC, sidecar={"RepetitionTime": 0.02}, facts=facts
    )
    session_plan = plan(tmp_path, REST, scan)
    completed = bids_sidecars(session_plan.placed_images, {})
    assert completed.fields[session_plan.placed_images[0].path]["RepetitionTime"] == 2
    assert "0.02 s in the sidecar and 2 s in the image" in completed.warnings[0]


def test_the_same_repetition_time_in_sidecar_and_image_gives_no_warning(tmp_path):
    session_plan = plan(tmp_path, REST, Scan(1, "rest", volumes=3, tr=1950.0, sidecar={"RepetitionTime": 2}))
    assert bids_sidecars(session_plan.placed_images, {}).warnings == ()


def test_mp2rage_gets_repetition_time_preparation_and_a_warning_about_missing_fields(tmp_path):
    rules = '[[rule]]\nmatch = { name = "mp2rage" }\nas = "anat/MP2RAGE"\n'
    inversions = [
        Scan(number, f"mp2rage_INV{number}", "10:00:00", 300, tr=5000.0, ti=ti)
        for number, ti in ((1, 700.0), (2, 2500.0))
    ]
    session_plan = plan(tmp_path, rules.replace('"mp2rage"', '"mp2rage*"'), *inversions)
    completed = bids_sidecars(session_plan.placed_images, {})
    written = completed.fields["sub-S01/anat/sub-S01_inv-1_MP2RAGE"]
    assert written["RepetitionTimePreparation"] == 5
    assert "RepetitionTimeExcitation" not in written
    assert "BIDS requires RepetitionTimeExcitation, NumberShots" in completed.warnings[0]


def test_required_fields_of_asl_depend_on_its_type(tmp_path):
    session_plan = plan(tmp_path, ASL, Scan(1, "asl", volumes=5, sidecar={"ArterialSpinLabelingType": "PCASL"}))
    (warning,) = bids_sidecars(session_plan.placed_images, {}).warnings
    assert "LabelingDuration" in warning
    assert "BolusCutOffFlag" not in warning


def test_numbers_that_are_not_valid_json_are_left_out():
    text = sidecar_bytes({"EchoTime": 0.03, "SAR": float("nan"), "SliceTiming": [0.0, float("inf")], "x": {"y": [1.5]}})
    assert json.loads(text, parse_constant=pytest.fail) == {"EchoTime": 0.03, "x": {"y": [1.5]}}
