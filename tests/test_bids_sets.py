"""Sets of images: field maps, MP2RAGE, multi-echo, flip angles, magnetisation transfer, diffusion."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from qxbatch.model import SeriesKind
from tests.build.bids import Image, Scan, names, plan

SHORT, LONG = 4.92, 7.38
"""Echo times of a field map in ms."""


def gre(magnitudes: int, phase: int, start: str = "10:00:00") -> tuple[Scan, Scan]:
    """Return a field map as Siemens scanners store it: magnitude images of both echoes, and the phase difference."""
    echoes = (Image("e1", SHORT), Image("e2", LONG))
    return (
        Scan(magnitudes, "gre", start, 60, images=echoes),
        Scan(phase, "gre", start, 60, kind="phase", te=LONG, images=(Image("e2_ph"),)),
    )


FIELD_MAP = """
[[rule]]
match = { name = "gre*" }
as = "fmap/phasediff"
"""


def test_a_phase_difference_field_map_gets_its_suffixes_from_echo_and_kind(tmp_path):
    session_plan = plan(tmp_path, FIELD_MAP, *gre(4, 11))
    assert names(session_plan) == {41: "fmap/magnitude1", 42: "fmap/magnitude2", 111: "fmap/phasediff"}


def test_two_field_maps_are_two_runs_by_time(tmp_path):
    session_plan = plan(tmp_path, FIELD_MAP, *gre(4, 5, "12:00:00"), *gre(8, 2, "10:00:00"))
    assert names(session_plan) == {
        81: "fmap/run-1_magnitude1",
        82: "fmap/run-1_magnitude2",
        21: "fmap/run-1_phasediff",
        41: "fmap/run-2_magnitude1",
        42: "fmap/run-2_magnitude2",
        51: "fmap/run-2_phasediff",
    }


def test_field_maps_with_different_echo_times_are_two_runs(tmp_path):
    other_echoes = (Image("e1", 5.19), Image("e2", 7.65))
    third = Scan(8, "gre", "11:00:00", 60, images=other_echoes)
    session_plan = plan(tmp_path, FIELD_MAP, *gre(4, 5), third)
    assert names(session_plan) == {
        41: "fmap/run-1_magnitude1",
        42: "fmap/run-1_magnitude2",
        51: "fmap/run-1_phasediff",
        81: "fmap/run-2_magnitude1",
        82: "fmap/run-2_magnitude2",
    }


def test_two_scans_can_be_the_two_echoes_of_a_field_map(tmp_path):
    scans = (
        Scan(2, "gre_te1", "10:00:00", 60, te=SHORT),
        Scan(3, "gre_te1_P", "10:00:00", 60, te=SHORT, kind="phase"),
        Scan(4, "gre_te2", "10:02:00", 60, te=LONG),
        Scan(5, "gre_te2_P", "10:02:00", 60, te=LONG, kind="phase"),
    )
    assert names(plan(tmp_path, FIELD_MAP, *scans)) == {
        21: "fmap/magnitude1",
        31: "fmap/phase1",
        41: "fmap/magnitude2",
        51: "fmap/phase2",
    }


def test_a_field_map_of_two_phases_has_phase1_and_phase2(tmp_path):
    parts = (
        *(Image("e1", SHORT), Image("e2", LONG)),
        *(Image("e1_ph", SHORT, kind="phase"), Image("e2_ph", LONG, kind="phase")),
    )
    session_plan = plan(tmp_path, FIELD_MAP, Scan(4, "gre", images=parts))
    assert names(session_plan) == {
        41: "fmap/magnitude1",
        42: "fmap/magnitude2",
        43: "fmap/phase1",
        44: "fmap/phase2",
    }


def test_a_field_map_of_three_echoes_is_undecided(tmp_path):
    echoes = tuple(Image(f"e{k}", float(k)) for k in (1, 2, 3))
    session_plan = plan(tmp_path, FIELD_MAP, Scan(4, "gre", images=echoes))
    assert [(each.reason, each.hint) for each in session_plan.undecided_series] == [
        (
            "fmap/magnitude3: its field map has more than 2 echoes",
            "Ignore the images of all but two echoes; the key te_ms of match selects them.",
        )
    ]
    ignored_echo = '[[rule]]\nmatch = { te_ms = ">2.5" }\nignore = "third echo"\n'
    session_plan = plan(tmp_path / "two", ignored_echo + FIELD_MAP, Scan(4, "gre", images=echoes))
    assert names(session_plan) == {41: "fmap/magnitude1", 42: "fmap/magnitude2"}


def test_two_field_maps_of_three_echoes_are_undecided(tmp_path):
    echoes = tuple(Image(f"e{k}", float(k)) for k in (1, 2, 3))
    scans = (Scan(4, "gre", "10:00:00", 60, images=echoes), Scan(5, "gre", "11:00:00", 60, images=echoes))
    session_plan = plan(tmp_path, FIELD_MAP, *scans)
    problem = "fmap/magnitude3: its field map has more than 2 echoes"
    assert [(each.series.n, each.reason) for each in session_plan.undecided_series] == [(40, problem), (50, problem)]


def test_a_direct_field_map_has_the_suffixes_fieldmap_and_magnitude(tmp_path):
    in_hz = Image("fieldmaphz", sidecar={"ImageType": ["ORIGINAL", "FIELDMAPHZ"]})
    session_plan = plan(tmp_path, FIELD_MAP, Scan(4, "gre", te=SHORT, images=(Image("e1"), in_hz)))
    assert names(session_plan) == {41: "fmap/magnitude", 42: "fmap/fieldmap"}


def test_a_captured_direction_distinguishes_opposite_polarities(tmp_path):
    rules = '[[rule]]\nmatch = { name = "SpinEchoFieldMap_{dir}" }\nas = "fmap/dir-{dir}_epi"\n'
    scans = (Scan(4, "SpinEchoFieldMap_AP", "10:00:00", 9), Scan(5, "spinechofieldmap_PA", "10:01:00", 9))
    assert names(plan(tmp_path, rules, *scans)) == {41: "fmap/dir-AP_epi", 51: "fmap/dir-PA_epi"}


def test_diffusion_scans_have_a_direction_an_sbref_and_maps(tmp_path):
    rules = """
[[rule]]
match = { name = "dwi_{dir}_SBRef" }
as = "dwi/dir-{dir}_sbref"
[[rule]]
match = { name = "dwi_{dir}_ADC" }
as = "dwi/dir-{dir}_ADC"
[[rule]]
match = { name = "dwi_{dir}" }
as = "dwi/dir-{dir}_dwi"
"""
    scans = (
        Scan(3, "dwi_AP_SBRef", "10:00:00"),
        Scan(4, "dwi_AP", "10:00:10", 300, volumes=3, bvals=(0, 1000, 1000)),
        Scan(5, "dwi_AP_ADC", "10:00:10", kind="derived"),
        Scan(6, "dwi_PA", "10:10:00", 20, volumes=2, bvals=(0, 0)),
        Scan(7, "dwi_AP", "10:20:10", 300, volumes=3, bvals=(0, 1000, 1000)),
        Scan(8, "dwi_AP_ADC", "10:20:10", kind="derived"),
    )
    assert names(plan(tmp_path, rules, *scans)) == {
        31: "dwi/dir-AP_run-1_sbref",
        41: "dwi/dir-AP_run-1_dwi",
        51: "dwi/dir-AP_run-1_ADC",
        61: "dwi/dir-PA_dwi",
        71: "dwi/dir-AP_run-2_dwi",
        81: "dwi/dir-AP_run-2_ADC",
    }


DIFFUSION = """
[[rule]]
match = { name = "ADC" }
as = "dwi/ADC"
[[rule]]
match = { name = "sbref" }
as = "dwi/sbref"
[[rule]]
match = { name = "dwi" }
as = "dwi/dwi"
"""


@pytest.mark.parametrize("start", [None, "00:00:00"], ids=["no times", "equal times"])
@pytest.mark.parametrize(
    ("scans", "expected"),
    [
        (((4, "dwi"), (5, "ADC"), (7, "dwi")), {4: "run-1_dwi", 5: "run-1_ADC", 7: "run-2_dwi"}),
        (
            ((4, "dwi"), (5, "ADC"), (7, "dwi"), (8, "ADC")),
            {4: "run-1_dwi", 5: "run-1_ADC", 7: "run-2_dwi", 8: "run-2_ADC"},
        ),
        (((3, "ADC"), (4, "dwi"), (7, "dwi")), {3: "run-1_ADC", 4: "run-1_dwi", 7: "run-2_dwi"}),
        (((4, "dwi"), (6, "sbref"), (7, "dwi")), {4: "run-1_dwi", 6: "run-2_sbref", 7: "run-2_dwi"}),
    ],
)
def test_without_times_maps_have_the_run_before_them_and_an_sbref_the_next_one(
    tmp_path: Path, start: str | None, scans: Sequence[tuple[int, str]], expected: dict[int, str]
) -> None:
    session_plan = plan(tmp_path, DIFFUSION, *(Scan(number, name, start) for number, name in scans))
    assert names(session_plan) == {10 * number + 1: f"dwi/{name}" for number, name in expected.items()}


def test_a_map_without_a_time_has_the_run_before_it_by_number(tmp_path: Path) -> None:
    scans = (Scan(4, "dwi", "10:00:00"), Scan(5, "ADC", None), Scan(7, "dwi", "10:20:00"), Scan(8, "ADC", None))
    paths = names(plan(tmp_path, DIFFUSION, *scans))
    assert (paths[51], paths[81]) == ("dwi/run-1_ADC", "dwi/run-2_ADC")


@pytest.mark.parametrize(
    ("scans", "expected"),
    [
        (((401, "dwi"), (402, "ADC"), (701, "dwi"), (702, "ADC")), {402: "run-1_ADC", 702: "run-2_ADC"}),
        (((401, "dwi"), (402, "ADC"), (701, "dwi")), {402: "run-1_ADC"}),
        (((401, "dwi"), (701, "ADC"), (702, "dwi")), {701: "run-2_ADC"}),
        (((401, "dwi"), (501, "ADC"), (701, "dwi")), {501: "run-1_ADC"}),
        (((401, "dwi"), (402, "sbref"), (701, "dwi")), {402: "run-1_sbref"}),
    ],
)
def test_par_rec_images_with_the_same_acquisition_number_have_the_same_run(
    tmp_path: Path, scans: Sequence[tuple[int, str]], expected: dict[int, str]
) -> None:
    series = (Scan(number, name, "09:00:00", source=SeriesKind.PARREC) for number, name in scans)
    paths = names(plan(tmp_path, DIFFUSION, *series))
    companions = {10 * number + 1: f"dwi/{name}" for number, name in expected.items()}
    assert companions == {number: name for number, name in paths.items() if not name.endswith("_dwi")}


MP2RAGE = """
[[rule]]
match = { name = "mp2rage*UNI*" }
as = "anat/UNIT1"
[[rule]]
match = { name = "mp2rage*T1*" }
as = "anat/T1map"
[[rule]]
match = { name = "mp2rage*" }
as = "anat/MP2RAGE"
"""


def mp2rage(first: int, start: str) -> list[Scan]:
    """Return the series of an MP2RAGE; the second inversion is two seconds later."""
    second = f"{start[:-1]}2"
    return [
        Scan(first, "mp2rage_INV1", start, ti=700.0, flip=4.0),
        Scan(first + 1, "mp2rage_INV2", second, ti=2500.0, flip=5.0),
        Scan(first + 2, "mp2rage_INV2_PHS", second, kind="phase", ti=2500.0, flip=5.0),
        Scan(first + 3, "mp2rage_UNI_Images", start, kind="derived"),
        Scan(first + 4, "mp2rage_T1_Images", start, kind="derived"),
    ]


def test_an_mp2rage_has_the_entities_inv_and_part(tmp_path):
    assert names(plan(tmp_path, MP2RAGE, *mp2rage(3, "10:00:00"))) == {
        31: "anat/inv-1_part-mag_MP2RAGE",
        41: "anat/inv-2_part-mag_MP2RAGE",
        51: "anat/inv-2_part-phase_MP2RAGE",
        61: "anat/UNIT1",
        71: "anat/T1map",
    }


def test_the_maps_of_a_second_mp2rage_have_its_run_number(tmp_path):
    paths = names(plan(tmp_path, MP2RAGE, *mp2rage(3, "12:00:00"), *mp2rage(13, "10:00:00")))
    assert {number: name for number, name in paths.items() if "UNIT1" in name or "T1map" in name} == {
        161: "anat/run-1_UNIT1",
        171: "anat/run-1_T1map",
        61: "anat/run-2_UNIT1",
        71: "anat/run-2_T1map",
    }
    assert paths[131] == "anat/run-1_inv-1_part-mag_MP2RAGE"
    assert paths[51] == "anat/run-2_inv-2_part-phase_MP2RAGE"


def test_the_maps_of_two_mp2rage_without_times_have_the_run_before_them(tmp_path: Path) -> None:
    scans = [replace(scan, start=None) for scan in (*mp2rage(3, "10:00:00"), *mp2rage(13, "12:00:00"))]
    paths = names(plan(tmp_path, MP2RAGE, *scans))
    assert {number: paths.get(number) for number in (61, 71, 161, 171)} == {
        61: "anat/run-1_UNIT1",
        71: "anat/run-1_T1map",
        161: "anat/run-2_UNIT1",
        171: "anat/run-2_T1map",
    }


def test_a_multi_echo_gre_of_two_series_has_the_entities_echo_and_part(tmp_path):
    times = (4.0, 8.0, 12.0)
    magnitudes = [Image(f"e{k}", te) for k, te in enumerate(times, 1)]
    phases = [Image(f"e{k}_ph", te) for k, te in enumerate(times, 1)]
    rules = '[[rule]]\nmatch = { name = "megre" }\nas = "anat/MEGRE"\n'
    scans = (
        Scan(5, "megre", "10:00:00", 60, images=magnitudes),
        Scan(9, "megre", "10:00:00", 60, kind="phase", images=phases),
    )
    expected = {50 + k: f"anat/echo-{k}_part-mag_MEGRE" for k in (1, 2, 3)}
    assert names(plan(tmp_path, rules, *scans)) == expected | {
        90 + k: f"anat/echo-{k}_part-phase_MEGRE" for k in (1, 2, 3)
    }


def test_a_series_without_its_required_echo_time_is_undecided(tmp_path):
    rules = '[[rule]]\nmatch = { name = "megre" }\nas = "anat/MEGRE"\n'
    session_plan = plan(tmp_path, rules, Scan(5, "megre", te=None))
    (undecided,) = session_plan.undecided_series
    assert "anat/MEGRE: it needs the entity echo, and no header of series 5 has EchoTime" in undecided.reason
    assert undecided.hint == "Write echo-<label> into `as` of its rule."


def test_consecutive_scans_with_different_flip_angles_are_one_set(tmp_path):
    rules = '[[rule]]\nmatch = { name = "vfa*" }\nas = "anat/VFA"\n'
    scans = [
        Scan(number, "vfa", f"10:0{number}:00", 60, flip=flip) for number, flip in ((3, 20.0), (4, 5.0), (5, 10.0))
    ]
    assert names(plan(tmp_path, rules, *scans)) == {41: "anat/flip-1_VFA", 51: "anat/flip-2_VFA", 31: "anat/flip-3_VFA"}


def test_a_second_set_of_flip_angles_is_a_second_run(tmp_path):
    rules = '[[rule]]\nmatch = { name = "vfa*" }\nas = "anat/VFA"\n'
    flips = ((1, 5.0), (2, 20.0), (3, 5.0), (4, 20.0))
    scans = [Scan(number, "vfa", f"10:0{number}:00", 30, flip=flip) for number, flip in flips]
    assert names(plan(tmp_path, rules, *scans)) == {
        11: "anat/run-1_flip-1_VFA",
        21: "anat/run-1_flip-2_VFA",
        31: "anat/run-2_flip-1_VFA",
        41: "anat/run-2_flip-2_VFA",
    }


def test_an_optional_entity_is_added_only_if_its_values_differ(tmp_path):
    rules = '[[rule]]\nmatch = { name = "b1" }\nas = "fmap/TB1TFL"\n'
    by_flip = (Image(sidecar={"FlipAngle": 8}), Image("x", sidecar={"FlipAngle": 80}))
    by_inversion = (Image(sidecar={"InversionTime": 0.7}), Image("x", sidecar={"InversionTime": 1.8}))
    assert names(plan(tmp_path / "a", rules, Scan(1, "b1"))) == {11: "fmap/TB1TFL"}
    assert names(plan(tmp_path / "b", rules, Scan(1, "b1", images=by_flip))) == {
        11: "fmap/flip-1_TB1TFL",
        12: "fmap/flip-2_TB1TFL",
    }
    assert names(plan(tmp_path / "c", rules, Scan(1, "b1", images=by_inversion))) == {
        11: "fmap/inv-1_TB1TFL",
        12: "fmap/inv-2_TB1TFL",
    }


def test_magnetization_transfer_is_on_or_off(tmp_path):
    rules = '[[rule]]\nmatch = { name = "mts*" }\nas = "anat/MTS"\n'
    session_plan = plan(
        tmp_path,
        rules,
        Scan(1, "mts_mtw", "10:00:00", 60, flip=6.0, sidecar={"MTState": True}),
        Scan(2, "mts_pdw", "10:02:00", 60, flip=6.0, sidecar={"MTState": False}),
        Scan(3, "mts_t1w", "10:04:00", 60, flip=21.0, sidecar={"MTState": False}),
    )
    assert names(session_plan) == {
        11: "anat/flip-1_mt-on_MTS",
        21: "anat/flip-1_mt-off_MTS",
        31: "anat/flip-2_mt-off_MTS",
    }
