"""Each field map is linked to the images that it corrects."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from qxbatch.bids.sidecars.fieldmaps import FieldMapLinks, field_map_links
from qxbatch.bids.sidecars.intended_for import IntendedForFormat
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
PA = {"PhaseEncodingDirection": "j"}
AP = {"PhaseEncodingDirection": "j-"}


def pair(number: int, minute: int, shim: tuple[int, ...] = SHIM, **facts: Any) -> list[Scan]:
    """Return both directions of a field map, one minute apart."""
    return [
        Scan(number, "SE_AP", f"10:{minute:02}:00", 10, shim=shim, sidecar=AP, facts=facts),
        Scan(number + 1, "SE_PA", f"10:{minute + 1:02}:00", 10, shim=shim, sidecar=PA, facts=facts),
    ]


def rest(number: int, minute: int, seconds: int = 300, shim: tuple[int, ...] = SHIM, **facts: Any) -> Scan:
    """Return a run of a time series."""
    return Scan(number, "rest", f"10:{minute:02}:00", seconds, volumes=10, shim=shim, sidecar=AP, facts=facts)


def links_of(
    folder: Path, *scans: Scan, form: IntendedForFormat = IntendedForFormat.URI, rules: str = RULES
) -> FieldMapLinks:
    """Return the links of one session."""
    session_plan = plan(folder, rules, *scans)
    assert session_plan.undecided_series == ()
    return field_map_links(session_plan.placed_images, form)


def short(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return a table by file names without the subject."""
    return {path.rpartition("/")[2].removeprefix("sub-S01_"): fields for path, fields in table.items()}


def sources(links: FieldMapLinks) -> dict[str, Any]:
    """Return the field maps of each image."""
    return {name: fields["B0FieldSource"] for name, fields in short(links.fields).items() if "B0FieldSource" in fields}


def identifiers(links: FieldMapLinks) -> dict[str, Any]:
    """Return the identifier of each field map image."""
    table = short(links.fields)
    return {name: fields["B0FieldIdentifier"] for name, fields in table.items() if "B0FieldIdentifier" in fields}


def test_both_directions_of_a_pair_have_one_identifier_that_the_run_refers_to(tmp_path):
    links = links_of(tmp_path, *pair(1, 0), rest(3, 5))
    assert identifiers(links) == {"dir-AP_epi": "pepolar1", "dir-PA_epi": "pepolar1"}
    assert sources(links) == {"task-rest_bold": "pepolar1"}
    assert links.warnings == ()


def test_intended_for_is_a_uri_or_a_path_relative_to_the_subject(tmp_path):
    scans = (*pair(1, 0), rest(3, 5))
    (tmp_path / "b").mkdir()
    uri = short(links_of(tmp_path, *scans).fields)
    path = short(links_of(tmp_path / "b", *scans, form=IntendedForFormat.PATH).fields)
    assert uri["dir-AP_epi"]["IntendedFor"] == ["bids::sub-S01/func/sub-S01_task-rest_bold.nii.gz"]
    assert path["dir-PA_epi"]["IntendedFor"] == ["func/sub-S01_task-rest_bold.nii.gz"]


def test_runs_before_and_after_a_new_shim_get_the_field_map_with_their_shim(tmp_path):
    links = links_of(
        tmp_path, *pair(1, 0), rest(3, 5), rest(4, 20, shim=RESHIM), *pair(5, 30, RESHIM), rest(7, 27, 60, RESHIM)
    )
    assert sources(links) == {
        "task-rest_run-1_bold": "pepolar1",
        "task-rest_run-2_bold": "pepolar2",
        "task-rest_run-3_bold": "pepolar2",
    }


def test_a_run_without_a_field_map_of_its_shim_gets_none_and_a_warning(tmp_path):
    links = links_of(tmp_path, *pair(1, 0), rest(3, 5), rest(4, 20, shim=RESHIM))
    assert sources(links) == {"task-rest_run-1_bold": "pepolar1"}
    assert len(links.warnings) == 1
    assert "task-rest_run-2_bold: no field map has its shim" in links.warnings[0]
    (tmp_path / "two").mkdir()
    links = links_of(tmp_path / "two", *pair(1, 0), rest(3, 5), rest(4, 20, shim=RESHIM), rest(5, 30, shim=RESHIM))
    assert "task-rest_run-2_bold and 1 other run: no field map has their shim" in links.warnings[0]


def test_a_rule_may_allow_any_shim(tmp_path):
    serves = '\nserves = { by = ["geometry", "nearest-time"], write = ["B0FieldIdentifier"] }'
    rules = RULES.replace('_epi"', f'_epi"{serves}', 1)
    links = links_of(tmp_path, *pair(1, 0), rest(3, 20, shim=RESHIM), rules=rules)
    assert sources(links) == {"task-rest_bold": "pepolar1"}
    assert "IntendedFor" not in short(links.fields)["dir-AP_epi"]


def test_a_run_between_two_pairs_gets_the_pair_nearest_to_its_start_or_end(tmp_path):
    long_run = rest(3, 4, 20 * 60)
    links = links_of(tmp_path, *pair(1, 0), long_run, *pair(4, 25), rest(6, 30))
    assert sources(links) == {"task-rest_run-1_bold": "pepolar2", "task-rest_run-2_bold": "pepolar2"}
    assert "another field map was selected by shim, geometry, nearest-time" in links.warnings[0]


def test_a_field_map_that_ignores_the_shim_is_not_said_to_be_unused_because_of_it(tmp_path):
    serves = '\nserves = { by = ["geometry", "nearest-time"] }'
    links = links_of(
        tmp_path, *pair(1, 0), *pair(4, 25), rest(6, 30, shim=RESHIM), rules=RULES.replace('_epi"', f'_epi"{serves}', 1)
    )
    (warning,) = links.warnings
    assert "another field map was selected by geometry, nearest-time" in warning
    assert "shim" not in warning


def test_scans_are_paired_by_time_and_not_by_series_number(tmp_path):
    links = links_of(tmp_path, *pair(8, 0), rest(3, 5), *pair(1, 20), rest(5, 25))
    assert sources(links) == {"task-rest_run-1_bold": "pepolar1", "task-rest_run-2_bold": "pepolar2"}
    assert set(identifiers(links).values()) == {"pepolar1", "pepolar2"}


def test_only_the_nearer_scan_of_a_repeated_direction_is_paired_and_the_other_gives_a_warning(tmp_path):
    repeated, nearer, opposite = (
        Scan(1, "SE_AP", "10:00:00", 10, shim=SHIM, sidecar=AP),
        Scan(2, "SE_AP", "10:02:00", 10, shim=SHIM, sidecar=AP),
        Scan(3, "SE_PA", "10:03:00", 10, shim=SHIM, sidecar=PA),
    )
    links = links_of(tmp_path, repeated, nearer, opposite, rest(4, 5))
    ids = identifiers(links)
    assert ids["dir-AP_run-2_epi"] == ids["dir-PA_epi"] == sources(links)["task-rest_bold"]
    assert ids["dir-AP_run-1_epi"] != ids["dir-PA_epi"]
    assert len(links.warnings) == 1


def test_two_scans_of_each_direction_are_paired_in_order(tmp_path):
    scans = [
        Scan(number, name, f"10:{number:02}:00", 10, shim=SHIM, sidecar=sidecar)
        for number, name, sidecar in (
            (1, "SE_AP", AP),
            (2, "SE_AP", AP),
            (3, "SE_PA", PA),
            (4, "SE_PA", PA),
        )
    ]
    ids = identifiers(links_of(tmp_path, *scans, rest(5, 6)))
    assert ids["dir-AP_run-1_epi"] == ids["dir-PA_run-1_epi"]
    assert ids["dir-AP_run-2_epi"] == ids["dir-PA_run-2_epi"]


def test_a_run_gets_the_pair_with_its_geometry(tmp_path):
    fine: dict[str, Any] = {"fov_mm": (200.0, 200.0, 120.0), "matrix": (100, 100, 60)}
    links = links_of(tmp_path, *pair(1, 0), *pair(3, 3, **fine), rest(5, 6), rest(6, 20, **fine))
    assert sources(links) == {"task-rest_run-1_bold": "pepolar1", "task-rest_run-2_bold": "pepolar2"}


def test_a_pair_with_another_phase_encoding_axis_corrects_no_image(tmp_path):
    other_axis = [
        Scan(1, "SE_LR", "10:00:00", 10, shim=SHIM, sidecar={"PhaseEncodingDirection": "i"}),
        Scan(2, "SE_RL", "10:01:00", 10, shim=SHIM, sidecar={"PhaseEncodingDirection": "i-"}),
    ]
    links = links_of(tmp_path, *other_axis, rest(3, 5))
    assert sources(links) == {}
    assert "phase encoding axis" in links.warnings[0]


def test_a_single_reverse_scan_is_paired_with_the_diffusion_scan_itself(tmp_path):
    reverse = Scan(1, "SE_PA", "10:00:00", 10, shim=SHIM, sidecar=PA)
    dwi = Scan(2, "dwi_AP", "10:01:00", 300, volumes=3, bvals=(0, 1000, 1000), shim=SHIM, sidecar=AP)
    links = links_of(tmp_path, reverse, dwi)
    assert identifiers(links) == {"dir-PA_epi": "pepolar1", "dir-AP_dwi": "pepolar1"}
    assert sources(links) == {"dir-AP_dwi": "pepolar1"}


def test_a_single_reverse_scan_is_paired_with_the_sbref_of_the_run(tmp_path):
    reverse = Scan(1, "SE_PA", "10:00:00", 10, shim=SHIM, sidecar=PA)
    reference = Scan(2, "rest_SBRef", "10:04:50", 5, shim=SHIM, sidecar=AP)
    links = links_of(tmp_path, reverse, reference, rest(3, 5))
    assert identifiers(links) == {"dir-PA_epi": "pepolar1", "task-rest_sbref": "pepolar1"}
    assert sources(links) == {"task-rest_bold": "pepolar1", "task-rest_sbref": "pepolar1"}


def test_a_single_scan_of_the_same_direction_corrects_no_image(tmp_path):
    same = Scan(1, "SE_AP", "10:00:00", 10, shim=SHIM, sidecar=AP)
    links = links_of(tmp_path, same, rest(3, 5))
    assert sources(links) == {}
    assert "opposite phase encoding direction" in links.warnings[0]


def gre(number: int, minute: int, shim: tuple[int, ...] = SHIM) -> list[Scan]:
    """Return a field map of two echoes: magnitude images, and the phase difference."""
    echoes = (Image("e1", te=4.92), Image("e2", te=7.38))
    return [
        Scan(number, "gre", f"10:{minute:02}:00", 50, te=None, images=echoes, shim=shim),
        Scan(number + 1, "gre", f"10:{minute:02}:00", 50, te=7.38, kind="phase", images=(Image("e2_ph"),), shim=shim),
    ]


def test_magnitude_and_phase_images_have_one_identifier_and_correct_all_runs(tmp_path):
    links = links_of(tmp_path, *gre(1, 0), rest(3, 5), rest(4, 15), Scan(5, "t1", "10:30:00"))
    assert identifiers(links) == {"magnitude1": "phase1", "magnitude2": "phase1", "phasediff": "phase1"}
    assert sources(links) == {"task-rest_run-1_bold": "phase1", "task-rest_run-2_bold": "phase1"}
    assert len(short(links.fields)["magnitude1"]["IntendedFor"]) == 2


def test_field_maps_of_both_kinds_correct_a_run_together(tmp_path):
    links = links_of(tmp_path, *pair(1, 0), *gre(3, 3), rest(5, 5))
    assert sources(links) == {"task-rest_bold": ["pepolar1", "phase1"]}


def test_magnitude_images_without_a_phase_image_give_a_warning(tmp_path):
    links = links_of(tmp_path, gre(1, 0)[0], rest(3, 5))
    assert sources(links) == {}
    assert "no phase image" in links.warnings[0]


def test_a_field_map_without_images_to_correct_gives_a_warning(tmp_path):
    links = links_of(tmp_path, *pair(1, 0), Scan(3, "t1", "10:30:00"))
    assert identifiers(links) == {"dir-AP_epi": "pepolar1", "dir-PA_epi": "pepolar1"}
    assert "no functional, diffusion or perfusion image" in links.warnings[0]


@pytest.mark.parametrize("shim", [(), SHIM])
def test_a_missing_shim_or_time_gives_no_warning(tmp_path, shim):
    scans = [Scan(1, "SE_AP", None, sidecar=AP, shim=shim), Scan(2, "SE_PA", None, sidecar=PA, shim=shim)]
    links = links_of(tmp_path, *scans, Scan(3, "rest", None, volumes=10, sidecar=AP, shim=shim))
    assert sources(links) == {"task-rest_bold": "pepolar1"}
    assert links.warnings == ()


def test_all_echoes_of_a_run_get_its_field_map(tmp_path):
    echoes = tuple(Image(f"e{k}", te=10.0 * k) for k in (1, 2, 3))
    run = Scan(3, "rest", "10:05:00", 300, volumes=10, te=None, images=echoes, shim=SHIM, sidecar=AP)
    links = links_of(tmp_path, *pair(1, 0), run)
    assert sources(links) == {f"task-rest_echo-{k}_bold": "pepolar1" for k in (1, 2, 3)}


def test_the_identifier_contains_session_and_acquisition_as_letters_and_digits(tmp_path):
    rules = RULES.replace("fmap/dir-{dir}_epi", "fmap/acq-a+b_dir-{dir}_epi") + '\n[session.S01]\nsession = "x1"\n'
    links = field_map_links(plan(tmp_path, rules, *pair(1, 0), rest(3, 5)).placed_images)
    assert {fields["B0FieldIdentifier"] for fields in links.fields.values() if "B0FieldIdentifier" in fields} == {
        "sesx1_acqab_pepolar1"
    }


def test_two_diffusion_scans_of_opposite_directions_correct_each_other(tmp_path):
    rules = RULES.replace(
        'as = "dwi/dir-{dir}_dwi"',
        'as = "dwi/dir-{dir}_dwi"\nserves = { by = ["shim", "geometry", "nearest-time"], write = ["B0FieldIdentifier"] }',
    )
    scans = [
        Scan(number, f"dwi_{name}", f"10:{number:02}:00", 50, volumes=3, bvals=(0, 9, 9), shim=SHIM, sidecar=sidecar)
        for number, name, sidecar in ((1, "AP", AP), (2, "PA", PA))
    ]
    links = links_of(tmp_path, *scans, rules=rules)
    assert identifiers(links) == sources(links) == {"dir-AP_dwi": "pepolar1", "dir-PA_dwi": "pepolar1"}
    assert links.warnings == ()


def test_a_field_map_of_another_study_corrects_a_run_only_with_the_same_shim(tmp_path):
    other_study = {"StudyInstanceUID": "1.2.3"}
    for shim, expected in (((), {}), (SHIM, {"task-rest_bold": "pepolar1"})):
        folder = tmp_path / f"shim{len(shim)}"
        folder.mkdir()
        run = Scan(3, "rest", "10:05:00", 300, volumes=10, shim=shim, sidecar=AP, header=other_study)
        links = links_of(folder, *pair(1, 0, shim), run)
        assert sources(links) == expected
        assert any("none is known to have its shim" in text for text in links.warnings) == (not shim)


def test_the_distance_of_a_pair_is_that_of_its_farthest_scan(tmp_path):
    scans = [
        Scan(1, "SE_AP", "10:00:00", 5, sidecar=AP, shim=SHIM),
        Scan(2, "SE_PA", "10:00:10", 5, sidecar=PA, shim=SHIM),
        Scan(3, "rest", "10:01:00", 200, volumes=3, shim=SHIM, sidecar=PA),
        Scan(4, "SE_AP", "10:05:00", 5, sidecar=AP, shim=SHIM),
        Scan(5, "rest", "10:06:00", 200, volumes=3, shim=SHIM, sidecar=PA),
        Scan(6, "SE_PA", "10:10:00", 5, sidecar=PA, shim=SHIM),
    ]
    links = links_of(tmp_path, *scans)
    assert sources(links) == {"task-rest_run-1_bold": "pepolar1", "task-rest_run-2_bold": "pepolar2"}
