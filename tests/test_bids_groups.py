"""Images of one acquisition: their times and parameters determine echo, part, inv, flip, mt and run."""

import pytest

from qxbatch.acquisition import SeriesVerdict
from qxbatch.model import SeriesKind
from tests.build.bids import Image, Scan, names, plan

REST = """
[[rule]]
match = { name = "rest*" }
as = "func/task-rest_bold"
[[rule]]
match = { name = "sbref*" }
as = "func/task-rest_sbref"
"""


def rules_with_repeat(choice: str) -> str:
    return REST.replace("_bold", f'_bold"\nrepeat = "{choice}', 1)


def test_runs_are_numbered_by_acquisition_time_not_by_series_number(tmp_path):
    session_plan = plan(tmp_path, REST, Scan(5, "rest", "10:20:00", 300), Scan(9, "rest", "10:00:00", 300))
    assert names(session_plan) == {91: "func/task-rest_run-1_bold", 51: "func/task-rest_run-2_bold"}


def test_runs_of_several_rules_with_the_same_target_are_numbered_together(tmp_path):
    rules = REST + '[[rule]]\nmatch = { name = "again" }\nas = "func/task-rest_bold"\n'
    session_plan = plan(tmp_path, rules, Scan(5, "rest", "10:20:00", 300), Scan(9, "again", "10:00:00", 300))
    assert names(session_plan) == {91: "func/task-rest_run-1_bold", 51: "func/task-rest_run-2_bold"}


def test_a_single_run_has_no_number(tmp_path):
    assert names(plan(tmp_path, REST, Scan(5, "rest"))) == {51: "func/task-rest_bold"}


def test_a_run_number_in_the_rule_is_kept(tmp_path):
    rules = '[[rule]]\nmatch = { name = "rest_{run}" }\nas = "func/task-rest_run-{run}_bold"\n'
    session_plan = plan(tmp_path, rules, Scan(5, "rest_2", "10:00:00", 9), Scan(6, "rest_01", "11:00:00", 9))
    assert names(session_plan) == {51: "func/task-rest_run-2_bold", 61: "func/task-rest_run-01_bold"}


def test_echoes_in_one_series_are_not_runs(tmp_path):
    echoes = (Image("e1", 12.0), Image("e2", 28.0), Image("e3", 44.0))
    session_plan = plan(tmp_path, REST, Scan(5, "rest", "10:00:00", 300, images=echoes))
    assert names(session_plan) == {50 + k: f"func/task-rest_echo-{k}_bold" for k in (1, 2, 3)}


def test_echoes_in_separate_series_are_not_runs(tmp_path):
    scans = [Scan(number, "rest", "10:00:00", 300, te=te) for number, te in ((4, 28.0), (15, 12.0), (27, 44.0))]
    second = [Scan(number, "rest", "11:00:00", 300, te=te) for number, te in ((5, 12.0), (6, 28.0), (28, 44.0))]
    paths = names(plan(tmp_path, REST, *scans, *second))
    assert [paths[number] for number in (151, 41, 271)] == [f"func/task-rest_run-1_echo-{k}_bold" for k in (1, 2, 3)]
    assert [paths[number] for number in (51, 61, 281)] == [f"func/task-rest_run-2_echo-{k}_bold" for k in (1, 2, 3)]


def test_two_scans_with_different_echo_times_are_two_runs(tmp_path):
    session_plan = plan(
        tmp_path, REST, Scan(5, "rest", "10:00:00", 300, te=30.0), Scan(6, "rest", "10:10:00", 300, te=32.0)
    )
    assert names(session_plan) == {51: "func/task-rest_run-1_bold", 61: "func/task-rest_run-2_bold"}


def test_a_phase_series_has_the_run_and_echo_of_its_magnitude_series(tmp_path):
    echoes = (Image("e1", 12.0), Image("e2", 28.0))
    phases = (Image("e1_ph", 12.0), Image("e2_ph", 28.0))
    scans = []
    for start, magnitude, phase in (("11:00:00", 3, 20), ("10:00:00", 8, 21)):
        scans.append(Scan(magnitude, "rest", start, 300, images=echoes))
        scans.append(Scan(phase, "rest_Pha", start, 300, kind="phase", images=phases))
    assert names(plan(tmp_path, REST, *scans)) == {
        81: "func/task-rest_run-1_echo-1_part-mag_bold",
        82: "func/task-rest_run-1_echo-2_part-mag_bold",
        211: "func/task-rest_run-1_echo-1_part-phase_bold",
        212: "func/task-rest_run-1_echo-2_part-phase_bold",
        31: "func/task-rest_run-2_echo-1_part-mag_bold",
        32: "func/task-rest_run-2_echo-2_part-mag_bold",
        201: "func/task-rest_run-2_echo-1_part-phase_bold",
        202: "func/task-rest_run-2_echo-2_part-phase_bold",
    }


def test_magnitude_images_without_phase_images_have_no_part(tmp_path):
    session_plan = plan(tmp_path, REST, Scan(5, "rest", "10:00:00", 9), Scan(6, "sbref", "09:59:50", kind="phase"))
    assert names(session_plan) == {51: "func/task-rest_bold", 61: "func/task-rest_part-phase_sbref"}


def test_real_and_imaginary_images_of_one_series_get_the_entity_part(tmp_path):
    parts = (Image("", kind="magnitude"), Image("real", kind="real"), Image("imaginary", kind="imaginary"))
    session_plan = plan(
        tmp_path, '[[rule]]\nmatch = { name = "swi" }\nas = "anat/T2starw"\n', Scan(5, "swi", images=parts)
    )
    assert names(session_plan) == {
        51: "anat/part-mag_T2starw",
        52: "anat/part-real_T2starw",
        53: "anat/part-imag_T2starw",
    }


def test_an_sbref_has_the_run_of_the_next_bold_series(tmp_path):
    session_plan = plan(
        tmp_path,
        REST,
        Scan(10, "sbref", "10:00:00"),
        Scan(11, "rest", "10:00:15", 300),
        Scan(2, "sbref", "10:06:00"),
        Scan(3, "rest", "10:06:15", 300),
    )
    assert names(session_plan) == {
        101: "func/task-rest_run-1_sbref",
        111: "func/task-rest_run-1_bold",
        21: "func/task-rest_run-2_sbref",
        31: "func/task-rest_run-2_bold",
    }


def test_an_sbref_of_only_the_first_echo_has_the_entity_echo(tmp_path):
    echoes = (Image("e1", 12.0), Image("e2", 28.0))
    session_plan = plan(
        tmp_path, REST, Scan(4, "sbref", "10:00:00", te=12.0), Scan(5, "rest", "10:00:09", 300, images=echoes)
    )
    assert names(session_plan)[41] == "func/task-rest_echo-1_sbref"


def test_an_sbref_is_ignored_together_with_its_run(tmp_path):
    session_plan = plan(
        tmp_path,
        rules_with_repeat("last"),
        Scan(1, "sbref", "10:00:00"),
        Scan(2, "rest", "10:00:15", 60),
        Scan(3, "sbref", "10:05:00"),
        Scan(4, "rest", "10:05:15", 300),
    )
    assert names(session_plan) == {31: "func/task-rest_sbref", 41: "func/task-rest_bold"}
    reasons = {each.image.number: each.reason for each in session_plan.ignored_items if each.image}
    assert reasons == dict.fromkeys((11, 21), "repeat = last: series 4 was scanned later")


def test_an_sbref_without_a_run_is_undecided(tmp_path):
    session_plan = plan(tmp_path, REST, Scan(4, "rest", "10:00:00", 300), Scan(5, "sbref", "10:10:00"))
    (undecided,) = session_plan.undecided_series
    assert undecided.series.n == 50
    assert "no run was scanned after it" in undecided.reason
    assert '[session.S01]: "5" = { ignore = "..." }' in undecided.hint


SBREFS = (Scan(3, "sbref", "10:00:00"), Scan(4, "sbref", "10:03:00"), Scan(5, "rest", "10:03:09", 300))


def test_the_first_of_two_sbrefs_before_one_run_is_undecided(tmp_path):
    session_plan = plan(tmp_path, REST, *SBREFS)
    (undecided,) = session_plan.undecided_series
    assert undecided.series.n == 30
    assert undecided.reason == "it is the sbref of no run: series 5 has a later one"


def test_repeat_ignores_the_first_of_two_sbrefs(tmp_path):
    session_plan = plan(tmp_path, REST.replace("_sbref", '_sbref"\nrepeat = "last', 1), *SBREFS)
    assert names(session_plan) == {41: "func/task-rest_sbref", 51: "func/task-rest_bold"}
    assert [each.reason for each in session_plan.ignored_items] == ["repeat = last: series 5 has a later one"]


@pytest.mark.parametrize(
    ("choice", "exported"),
    [("all", {21, 31, 41}), ("last", {41}), ("longest", {31}), ("complete", {31, 41})],
)
def test_repeat_chooses_the_exported_runs(tmp_path, choice, exported):
    scans = (
        Scan(2, "rest", "10:00:00", 60, volumes=40, verdict=SeriesVerdict.INCOMPLETE),
        Scan(3, "rest", "10:10:00", 300, volumes=300),
        Scan(4, "rest", "10:20:00", 200, volumes=200),
    )
    session_plan = plan(tmp_path, rules_with_repeat(choice), *scans)
    assert set(names(session_plan)) == exported
    assert {each.image.number for each in session_plan.ignored_items if each.image} == {21, 31, 41} - exported


def test_a_dropped_run_says_whether_the_kept_run_is_longer_or_only_later(tmp_path):
    short, equal, kept = (
        Scan(number, "rest", f"10:{number}0:00", 60, volumes=volumes)
        for number, volumes in ((2, 40), (3, 300), (4, 300))
    )
    session_plan = plan(tmp_path, rules_with_repeat("longest"), short, equal, kept)
    assert [each.reason for each in session_plan.ignored_items] == [
        "repeat = longest: series 4 has 300 volumes, this run has 40",
        "repeat = longest: series 4 has as many volumes and was scanned later",
    ]


def test_indistinguishable_images_of_one_acquisition_are_undecided(tmp_path):
    session_plan = plan(tmp_path, REST, Scan(2, "rest", "10:00:00", 9), Scan(7, "rest", "10:00:00", 9))
    assert [each.series.n for each in session_plan.undecided_series] == [20, 70]
    assert session_plan.placed_images == ()
    for each in session_plan.undecided_series:
        assert "series 2 (rest) and series 7 (rest) would have one path" in each.reason
        assert 'copies = "complete"' in each.hint


def test_copies_chooses_the_exported_image(tmp_path):
    rules = REST.replace("_bold", '_bold"\ncopies = "last', 1)
    scans = (Scan(2, "rest", "10:00:00", 9), Scan(7, "rest", "10:00:00", 9), Scan(8, "rest", "11:00:00", 9))
    assert names(plan(tmp_path, rules, *scans)) == {71: "func/task-rest_run-1_bold", 81: "func/task-rest_run-2_bold"}


@pytest.mark.parametrize(("choice", "exported"), [("last", 41), ("longest", 31), ("complete", 21)])
def test_each_value_of_copies_chooses_one_image(tmp_path, choice, exported):
    rules = REST.replace("_bold", f'_bold"\ncopies = "{choice}', 1)
    scans = (
        Scan(2, "rest", "10:00:00", 9, volumes=5),
        Scan(3, "rest", "10:00:00", 9, volumes=8, verdict=SeriesVerdict.INCOMPLETE),
        Scan(4, "rest", "10:00:00", 9, volumes=5, verdict=SeriesVerdict.INCOMPLETE),
    )
    session_plan = plan(tmp_path, rules, *scans)
    assert names(session_plan) == {exported: "func/task-rest_bold"}
    reasons = {each.reason for each in session_plan.ignored_items}
    assert reasons == {f"copies = {choice}: series {exported // 10} is the same acquisition"}


PARTS = (Image("[1/2]"), Image("[2/2]"))


@pytest.mark.parametrize("option", ["", "copies", "repeat"])
def test_parts_of_one_series_are_not_copies_of_each_other(tmp_path, option):
    rules = REST.replace("_bold", f'_bold"\n{option} = "last', 1) if option else REST
    session_plan = plan(tmp_path, rules, Scan(3, "rest", images=PARTS, verdict=SeriesVerdict.INCOMPLETE))
    (undecided,) = session_plan.undecided_series
    assert session_plan.placed_images == ()
    assert "images 31 and 32 of series 3 (rest) would have one path" in undecided.reason
    assert "copies" not in undecided.hint
    assert 'in [session.S01]: "3" = { ignore = "..." }, or all but one' in undecided.hint


@pytest.mark.parametrize(("key", "exported"), [("3", {}), ("3.1", {32: "func/task-rest_bold"})])
def test_the_advice_on_parts_of_one_series_works(tmp_path, key, exported):
    rules = f'{REST}[session.S01]\n"{key}" = {{ ignore = "it is incomplete" }}\n'
    session_plan = plan(tmp_path, rules, Scan(3, "rest", images=PARTS, verdict=SeriesVerdict.INCOMPLETE))
    assert session_plan.is_ready
    assert names(session_plan) == exported


@pytest.mark.parametrize("verdict", [SeriesVerdict.COMPLETE, SeriesVerdict.INCOMPLETE])
def test_copies_prefers_one_complete_image_to_parts_of_a_series(tmp_path, verdict):
    scans = (Scan(2, "rest", "10:00:00", 9), Scan(3, "rest", "10:00:00", 9, images=PARTS, verdict=verdict))
    undecided = plan(tmp_path / "a", REST, *scans).undecided_series
    assert "series 2 (rest) and images 31 and 32 of series 3 (rest) would have one path" in undecided[0].reason
    assert all('copies = "complete"' in each.hint for each in undecided)
    rules = REST.replace("_bold", '_bold"\ncopies = "complete', 1)
    assert names(plan(tmp_path / "b", rules, *scans)) == {21: "func/task-rest_bold"}


@pytest.mark.parametrize("option", ["copies", "repeat"])
def test_an_incomplete_copy_that_is_exported_in_place_of_a_complete_one_is_a_remark(tmp_path, option):
    rules = REST.replace("_bold", f'_bold"\n{option} = "last', 1)
    complete = Scan(2, "rest", "10:00:00", 9)
    incomplete = Scan(3, "rest", "10:00:00", 9, verdict=SeriesVerdict.INCOMPLETE)
    session_plan = plan(tmp_path / "a", rules, complete, incomplete)
    assert names(session_plan) == {31: "func/task-rest_bold"}
    (remark,) = session_plan.remarks
    assert "series 3 (rest), which is incomplete, and not its complete copy series 2 (rest)" in remark
    assert 'copies = "complete"' in remark
    assert plan(tmp_path / "b", rules, complete, Scan(3, "rest", "10:00:00", 9)).remarks == ()


def test_a_series_without_a_number_is_named_by_its_files(tmp_path):
    rules = REST.replace("_bold", '_bold"\nrepeat = "last', 1)
    scans = (Scan(2, "rest", "10:00:00", 9), Scan(3, "rest", "11:00:00", 9, header={"SeriesNumber": None}))
    session_plan = plan(tmp_path, rules, *scans)
    assert [each.reason for each in session_plan.ignored_items] == ["repeat = last: series n30 was scanned later"]


def test_a_study_sent_again_with_other_uids_is_one_acquisition(tmp_path):
    other_study = {"StudyInstanceUID": "1.2.3"}
    sent_again = Scan(2, "rest", "10:00:00", 60, header=other_study, n=100020)
    session_plan = plan(tmp_path, REST, Scan(2, "rest", "10:00:00", 60), sent_again)
    assert [each.series.n for each in session_plan.undecided_series] == [20, 100020]


def test_overlapping_scans_of_two_studies_are_two_runs(tmp_path):
    other_study = {"StudyInstanceUID": "1.2.3"}
    session_plan = plan(
        tmp_path, REST, Scan(2, "rest", "10:00:00", 60), Scan(3, "rest", "10:00:30", 60, header=other_study)
    )
    assert names(session_plan) == {21: "func/task-rest_run-1_bold", 31: "func/task-rest_run-2_bold"}


def test_an_sbref_belongs_to_the_run_it_starts_with_or_else_to_the_next_run(tmp_path):
    session_plan = plan(
        tmp_path,
        REST,
        Scan(1, "rest", "10:00:00", 60),
        Scan(2, "sbref", "10:00:00.500"),
        Scan(3, "sbref", "10:00:02"),
        Scan(4, "rest", "10:09:00", 60),
    )
    assert (names(session_plan)[21], names(session_plan)[31]) == (
        "func/task-rest_run-1_sbref",
        "func/task-rest_run-2_sbref",
    )


def test_par_rec_series_are_numbered_by_series_number_since_they_share_one_time(tmp_path):
    scans = [Scan(number, "rest", "09:00:00", source=SeriesKind.PARREC) for number in (301, 201)]
    assert names(plan(tmp_path, REST, *scans)) == {2011: "func/task-rest_run-1_bold", 3011: "func/task-rest_run-2_bold"}


def test_series_with_the_same_time_are_ordered_by_number(tmp_path):
    scans = [Scan(number, name, "00:00:00") for number, name in ((1, "t1"), (3, "rest"), (2, "rest"))]
    rules = REST + '[[rule]]\nmatch = { name = "t1" }\nas = "anat/T1w"\n'
    assert names(plan(tmp_path, rules, *scans)) == {
        11: "anat/T1w",
        21: "func/task-rest_run-1_bold",
        31: "func/task-rest_run-2_bold",
    }


def test_magnitude_and_phase_without_times_are_one_run(tmp_path):
    scans = (Scan(2, "rest", None), Scan(3, "rest", None, kind="phase"))
    assert names(plan(tmp_path, REST, *scans)) == {
        21: "func/task-rest_part-mag_bold",
        31: "func/task-rest_part-phase_bold",
    }


def test_the_reason_names_the_source_of_each_entity(tmp_path):
    echoes = (Image("e1", 12.0), Image("e2", 28.0))
    session_plan = plan(tmp_path, REST, Scan(5, "rest", images=echoes))
    assert session_plan.placed_images[1].reason == 'rule in line 2: name = "rest*"; echo-2: EchoTime 28 ms of 12, 28'
