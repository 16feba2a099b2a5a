"""Which images each field map is tied to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from qxbatch.bids.sidecars.fieldmaps import Links, link
from qxbatch.bids.sidecars.intended_for import IntendedFor
from tests.build.bids import Image, Scan, plan

RULES = """
[[rule]]
match = { name = "SE_{dir}" }
as = "fmap/dir-{dir}_epi"
[[rule]]
match = { name = "gre", kind = "magnitude", EchoTime = 4.92 }
as = "fmap/magnitude1"
[[rule]]
match = { name = "gre", kind = "magnitude", EchoTime = 7.38 }
as = "fmap/magnitude2"
[[rule]]
match = { name = "gre", kind = "phase" }
as = "fmap/phasediff"
[[rule]]
match = { name = "*_SBRef" }
as = "func/task-rest_sbref"
[[rule]]
match = { name = "rest" }
as = "func/task-rest_bold"
[[rule]]
match = { name = "dwi_{dir}" }
as = "dwi/dir-{dir}_dwi"
[[rule]]
match = { name = "t1" }
as = "anat/T1w"
"""
SHIM, RESHIM = (1, 2, 3), (4, 5, 6)
EPI = {"PhaseEncodingDirection": "j"}
OPPOSITE = {"PhaseEncodingDirection": "j-"}


def pair(number: int, minute: int, shim: tuple[int, ...] = SHIM, **facts: Any) -> list[Scan]:
    """Both directions of a field map, one minute apart."""
    return [
        Scan(number, "SE_AP", f"10:{minute:02}:00", 10, shim=shim, sidecar=OPPOSITE, facts=facts),
        Scan(number + 1, "SE_PA", f"10:{minute + 1:02}:00", 10, shim=shim, sidecar=EPI, facts=facts),
    ]


def rest(number: int, minute: int, seconds: int = 300, shim: tuple[int, ...] = SHIM, **facts: Any) -> Scan:
    """A run of a time series."""
    return Scan(number, "rest", f"10:{minute:02}:00", seconds, volumes=10, shim=shim, sidecar=OPPOSITE, facts=facts)


def links(folder: Path, *scans: Scan, form: IntendedFor = IntendedFor.URI, rules: str = RULES) -> Links:
    """The links of one session."""
    found = plan(folder, rules, *scans)
    assert found.undecided == ()
    return link(found.placed, form)


def short(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """By the file name without the subject."""
    return {path.rpartition("/")[2].removeprefix("sub-S01_"): fields for path, fields in table.items()}


def sources(found: Links) -> dict[str, Any]:
    """The field maps of each image."""
    return {name: fields["B0FieldSource"] for name, fields in short(found.fields).items() if "B0FieldSource" in fields}


def identifiers(found: Links) -> dict[str, Any]:
    """The identifier of each field map image."""
    table = short(found.fields)
    return {name: fields["B0FieldIdentifier"] for name, fields in table.items() if "B0FieldIdentifier" in fields}


def test_both_directions_of_a_pair_have_one_identifier_and_the_run_names_it(tmp_path):
    found = links(tmp_path, *pair(1, 0), rest(3, 5))
    assert identifiers(found) == {"dir-AP_epi": "pepolar1", "dir-PA_epi": "pepolar1"}
    assert sources(found) == {"task-rest_bold": "pepolar1"}
    assert found.warnings == ()


def test_intended_for_is_a_uri_or_a_path_of_the_subject(tmp_path):
    scans = (*pair(1, 0), rest(3, 5))
    (tmp_path / "b").mkdir()
    uri = short(links(tmp_path, *scans).fields)
    path = short(links(tmp_path / "b", *scans, form=IntendedFor.PATH).fields)
    assert uri["dir-AP_epi"]["IntendedFor"] == ["bids::sub-S01/func/sub-S01_task-rest_bold.nii.gz"]
    assert path["dir-PA_epi"]["IntendedFor"] == ["func/sub-S01_task-rest_bold.nii.gz"]


def test_runs_before_and_after_a_new_shim_have_the_field_map_of_their_shim(tmp_path):
    found = links(
        tmp_path, *pair(1, 0), rest(3, 5), rest(4, 20, shim=RESHIM), *pair(5, 30, RESHIM), rest(7, 27, 60, RESHIM)
    )
    assert sources(found) == {
        "task-rest_run-1_bold": "pepolar1",
        "task-rest_run-2_bold": "pepolar2",
        "task-rest_run-3_bold": "pepolar2",
    }


def test_a_run_with_a_shim_that_no_field_map_has_is_tied_to_none_and_that_is_a_warning(tmp_path):
    found = links(tmp_path, *pair(1, 0), rest(3, 5), rest(4, 20, shim=RESHIM))
    assert sources(found) == {"task-rest_run-1_bold": "pepolar1"}
    assert len(found.warnings) == 1
    assert "task-rest_run-2_bold: no field map has its shim" in found.warnings[0]
    (tmp_path / "two").mkdir()
    found = links(tmp_path / "two", *pair(1, 0), rest(3, 5), rest(4, 20, shim=RESHIM), rest(5, 30, shim=RESHIM))
    assert "task-rest_run-2_bold and 1 other run: no field map has their shim" in found.warnings[0]


def test_a_rule_may_allow_any_shim(tmp_path):
    serves = '\nserves = { by = ["geometry", "nearest-time"], write = ["B0FieldIdentifier"] }'
    rules = RULES.replace('_epi"', f'_epi"{serves}', 1)
    found = links(tmp_path, *pair(1, 0), rest(3, 20, shim=RESHIM), rules=rules)
    assert sources(found) == {"task-rest_bold": "pepolar1"}
    assert "IntendedFor" not in short(found.fields)["dir-AP_epi"]


def test_a_run_between_two_pairs_has_the_nearer_one_counted_from_its_ends(tmp_path):
    long = rest(3, 4, 20 * 60)
    found = links(tmp_path, *pair(1, 0), long, *pair(4, 25), rest(6, 30))
    assert sources(found) == {"task-rest_run-1_bold": "pepolar2", "task-rest_run-2_bold": "pepolar2"}
    assert "another field map is nearer" in found.warnings[0]


def test_pairs_are_made_by_time_and_not_by_series_number(tmp_path):
    found = links(tmp_path, *pair(8, 0), rest(3, 5), *pair(1, 20), rest(5, 25))
    assert sources(found) == {"task-rest_run-1_bold": "pepolar1", "task-rest_run-2_bold": "pepolar2"}
    assert set(identifiers(found).values()) == {"pepolar1", "pepolar2"}


def test_a_repeated_direction_pairs_with_the_nearer_one_and_the_other_is_a_warning(tmp_path):
    bad, good, opposite = (
        Scan(1, "SE_AP", "10:00:00", 10, shim=SHIM, sidecar=OPPOSITE),
        Scan(2, "SE_AP", "10:02:00", 10, shim=SHIM, sidecar=OPPOSITE),
        Scan(3, "SE_PA", "10:03:00", 10, shim=SHIM, sidecar=EPI),
    )
    found = links(tmp_path, bad, good, opposite, rest(4, 5))
    ids = identifiers(found)
    assert ids["dir-AP_run-2_epi"] == ids["dir-PA_epi"] == sources(found)["task-rest_bold"]
    assert ids["dir-AP_run-1_epi"] != ids["dir-PA_epi"]
    assert len(found.warnings) == 1


def test_two_of_each_direction_are_two_pairs_in_their_order(tmp_path):
    scans = [
        Scan(number, name, f"10:{number:02}:00", 10, shim=SHIM, sidecar=sidecar)
        for number, name, sidecar in (
            (1, "SE_AP", OPPOSITE),
            (2, "SE_AP", OPPOSITE),
            (3, "SE_PA", EPI),
            (4, "SE_PA", EPI),
        )
    ]
    ids = identifiers(links(tmp_path, *scans, rest(5, 6)))
    assert ids["dir-AP_run-1_epi"] == ids["dir-PA_run-1_epi"]
    assert ids["dir-AP_run-2_epi"] == ids["dir-PA_run-2_epi"]


def test_of_two_pairs_the_one_with_the_geometry_of_the_run_is_taken(tmp_path):
    fine: dict[str, Any] = {"fov_mm": (200.0, 200.0, 120.0), "matrix": (100, 100, 60)}
    found = links(tmp_path, *pair(1, 0), *pair(3, 3, **fine), rest(5, 6), rest(6, 20, **fine))
    assert sources(found) == {"task-rest_run-1_bold": "pepolar1", "task-rest_run-2_bold": "pepolar2"}


def test_a_pair_of_another_phase_axis_serves_nothing(tmp_path):
    turned = [
        Scan(1, "SE_LR", "10:00:00", 10, shim=SHIM, sidecar={"PhaseEncodingDirection": "i"}),
        Scan(2, "SE_RL", "10:01:00", 10, shim=SHIM, sidecar={"PhaseEncodingDirection": "i-"}),
    ]
    found = links(tmp_path, *turned, rest(3, 5))
    assert sources(found) == {}
    assert "phase encoding axis" in found.warnings[0]


def test_a_single_reverse_scan_makes_a_pair_with_the_diffusion_scan_itself(tmp_path):
    reverse = Scan(1, "SE_PA", "10:00:00", 10, shim=SHIM, sidecar=EPI)
    dwi = Scan(2, "dwi_AP", "10:01:00", 300, volumes=3, bvals=(0, 1000, 1000), shim=SHIM, sidecar=OPPOSITE)
    found = links(tmp_path, reverse, dwi)
    assert identifiers(found) == {"dir-PA_epi": "pepolar1", "dir-AP_dwi": "pepolar1"}
    assert sources(found) == {"dir-AP_dwi": "pepolar1"}


def test_a_single_reverse_scan_makes_a_pair_with_the_reference_of_the_run(tmp_path):
    reverse = Scan(1, "SE_PA", "10:00:00", 10, shim=SHIM, sidecar=EPI)
    reference = Scan(2, "rest_SBRef", "10:04:50", 5, shim=SHIM, sidecar=OPPOSITE)
    found = links(tmp_path, reverse, reference, rest(3, 5))
    assert identifiers(found) == {"dir-PA_epi": "pepolar1", "task-rest_sbref": "pepolar1"}
    assert sources(found) == {"task-rest_bold": "pepolar1", "task-rest_sbref": "pepolar1"}


def test_a_single_scan_of_the_same_direction_corrects_nothing(tmp_path):
    same = Scan(1, "SE_AP", "10:00:00", 10, shim=SHIM, sidecar=OPPOSITE)
    found = links(tmp_path, same, rest(3, 5))
    assert sources(found) == {}
    assert "opposite phase encoding direction" in found.warnings[0]


def gre(number: int, minute: int, shim: tuple[int, ...] = SHIM) -> list[Scan]:
    """A field map of two echoes: magnitudes, and their phase difference."""
    echoes = (Image("e1", te=4.92), Image("e2", te=7.38))
    return [
        Scan(number, "gre", f"10:{minute:02}:00", 50, te=None, images=echoes, shim=shim),
        Scan(number + 1, "gre", f"10:{minute:02}:00", 50, te=7.38, kind="phase", images=(Image("e2_ph"),), shim=shim),
    ]


def test_magnitude_and_phase_images_have_one_identifier_and_serve_all_runs(tmp_path):
    found = links(tmp_path, *gre(1, 0), rest(3, 5), rest(4, 15), Scan(5, "t1", "10:30:00"))
    assert identifiers(found) == {"magnitude1": "phase1", "magnitude2": "phase1", "phasediff": "phase1"}
    assert sources(found) == {"task-rest_run-1_bold": "phase1", "task-rest_run-2_bold": "phase1"}
    assert len(short(found.fields)["magnitude1"]["IntendedFor"]) == 2


def test_field_maps_of_both_kinds_serve_a_run_together(tmp_path):
    found = links(tmp_path, *pair(1, 0), *gre(3, 3), rest(5, 5))
    assert sources(found) == {"task-rest_bold": ["pepolar1", "phase1"]}


def test_magnitude_images_alone_are_a_warning(tmp_path):
    found = links(tmp_path, gre(1, 0)[0], rest(3, 5))
    assert sources(found) == {}
    assert "no phase image" in found.warnings[0]


def test_a_field_map_in_a_session_without_images_to_correct_is_a_warning(tmp_path):
    found = links(tmp_path, *pair(1, 0), Scan(3, "t1", "10:30:00"))
    assert identifiers(found) == {"dir-AP_epi": "pepolar1", "dir-PA_epi": "pepolar1"}
    assert "no functional, diffusion or perfusion image" in found.warnings[0]


@pytest.mark.parametrize("shim", [(), SHIM])
def test_a_scanner_that_tells_no_shim_or_no_time_is_no_warning(tmp_path, shim):
    scans = [Scan(1, "SE_AP", None, sidecar=OPPOSITE, shim=shim), Scan(2, "SE_PA", None, sidecar=EPI, shim=shim)]
    found = links(tmp_path, *scans, Scan(3, "rest", None, volumes=10, sidecar=OPPOSITE, shim=shim))
    assert sources(found) == {"task-rest_bold": "pepolar1"}
    assert found.warnings == ()


def test_echoes_and_parts_of_a_run_share_its_field_map(tmp_path):
    rules = RULES.replace('as = "func/task-rest_bold"', 'as = "func/task-rest_bold"')
    echoes = tuple(Image(f"e{k}", te=10.0 * k) for k in (1, 2, 3))
    run = Scan(3, "rest", "10:05:00", 300, volumes=10, te=None, images=echoes, shim=SHIM, sidecar=OPPOSITE)
    found = links(tmp_path, *pair(1, 0), run, rules=rules)
    assert sources(found) == {f"task-rest_echo-{k}_bold": "pepolar1" for k in (1, 2, 3)}


def test_the_identifier_has_session_and_acquisition_and_no_character_that_tools_replace(tmp_path):
    rules = RULES.replace("fmap/dir-{dir}_epi", "fmap/acq-a+b_dir-{dir}_epi") + '\n[session.S01]\nsession = "x1"\n'
    found = link(plan(tmp_path, rules, *pair(1, 0), rest(3, 5)).placed)
    assert {fields["B0FieldIdentifier"] for fields in found.fields.values() if "B0FieldIdentifier" in fields} == {
        "sesx1_acqab_pepolar1"
    }


def test_two_diffusion_scans_of_opposite_directions_correct_themselves(tmp_path):
    rules = RULES.replace(
        'as = "dwi/dir-{dir}_dwi"',
        'as = "dwi/dir-{dir}_dwi"\nserves = { by = ["shim", "geometry", "nearest-time"], write = ["B0FieldIdentifier"] }',
    )
    scans = [
        Scan(number, f"dwi_{name}", f"10:{number:02}:00", 50, volumes=3, bvals=(0, 9, 9), shim=SHIM, sidecar=sidecar)
        for number, name, sidecar in ((1, "AP", OPPOSITE), (2, "PA", EPI))
    ]
    found = links(tmp_path, *scans, rules=rules)
    assert identifiers(found) == sources(found) == {"dir-AP_dwi": "pepolar1", "dir-PA_dwi": "pepolar1"}
    assert found.warnings == ()


def test_a_field_map_of_another_study_is_tied_to_no_run_unless_the_shim_is_the_same(tmp_path):
    other = {"StudyInstanceUID": "1.2.3"}
    for shim, expected in (((), {}), (SHIM, {"task-rest_bold": "pepolar1"})):
        folder = tmp_path / f"shim{len(shim)}"
        folder.mkdir()
        run = Scan(3, "rest", "10:05:00", 300, volumes=10, shim=shim, sidecar=OPPOSITE, header=other)
        found = links(folder, *pair(1, 0, shim), run)
        assert sources(found) == expected
        assert any("another StudyInstanceUID" in text for text in found.warnings) == (not shim)


def test_a_pair_with_a_run_between_its_scans_is_as_far_as_its_farthest_scan(tmp_path):
    scans = [
        Scan(1, "SE_AP", "10:00:00", 5, sidecar=OPPOSITE, shim=SHIM),
        Scan(2, "SE_PA", "10:00:10", 5, sidecar=EPI, shim=SHIM),
        Scan(3, "rest", "10:01:00", 200, volumes=3, shim=SHIM, sidecar=EPI),
        Scan(4, "SE_AP", "10:05:00", 5, sidecar=OPPOSITE, shim=SHIM),
        Scan(5, "rest", "10:06:00", 200, volumes=3, shim=SHIM, sidecar=EPI),
        Scan(6, "SE_PA", "10:10:00", 5, sidecar=EPI, shim=SHIM),
    ]
    found = links(tmp_path, *scans)
    assert sources(found) == {"task-rest_run-1_bold": "pepolar1", "task-rest_run-2_bold": "pepolar2"}
