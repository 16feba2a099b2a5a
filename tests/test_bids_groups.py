"""Images of one acquisition: echo, part, inv, flip, mt and run follow from what was scanned together, and when."""

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


def repeated(choice: str) -> str:
    return REST.replace("_bold", f'_bold"\nrepeat = "{choice}', 1)


def test_runs_are_numbered_by_acquisition_time_not_by_series_number(tmp_path):
    found = plan(tmp_path, REST, Scan(5, "rest", "10:20:00", 300), Scan(9, "rest", "10:00:00", 300))
    assert names(found) == {91: "func/task-rest_run-1_bold", 51: "func/task-rest_run-2_bold"}


def test_runs_of_several_rules_with_one_name_are_numbered_together(tmp_path):
    rules = REST + '[[rule]]\nmatch = { name = "again" }\nas = "func/task-rest_bold"\n'
    found = plan(tmp_path, rules, Scan(5, "rest", "10:20:00", 300), Scan(9, "again", "10:00:00", 300))
    assert names(found) == {91: "func/task-rest_run-1_bold", 51: "func/task-rest_run-2_bold"}


def test_one_run_has_no_number(tmp_path):
    assert names(plan(tmp_path, REST, Scan(5, "rest"))) == {51: "func/task-rest_bold"}


def test_a_run_number_in_the_rule_is_kept(tmp_path):
    rules = '[[rule]]\nmatch = { name = "rest_{run}" }\nas = "func/task-rest_run-{run}_bold"\n'
    found = plan(tmp_path, rules, Scan(5, "rest_2", "10:00:00", 9), Scan(6, "rest_01", "11:00:00", 9))
    assert names(found) == {51: "func/task-rest_run-2_bold", 61: "func/task-rest_run-01_bold"}


def test_echoes_in_one_series_are_no_runs(tmp_path):
    echoes = (Image("e1", 12.0), Image("e2", 28.0), Image("e3", 44.0))
    found = plan(tmp_path, REST, Scan(5, "rest", "10:00:00", 300, images=echoes))
    assert names(found) == {50 + k: f"func/task-rest_echo-{k}_bold" for k in (1, 2, 3)}


def test_echoes_in_series_of_their_own_are_no_runs_wherever_their_numbers_are(tmp_path):
    scans = [Scan(number, "rest", "10:00:00", 300, te=te) for number, te in ((4, 28.0), (15, 12.0), (27, 44.0))]
    second = [Scan(number, "rest", "11:00:00", 300, te=te) for number, te in ((5, 12.0), (6, 28.0), (28, 44.0))]
    found = names(plan(tmp_path, REST, *scans, *second))
    assert [found[number] for number in (151, 41, 271)] == [f"func/task-rest_run-1_echo-{k}_bold" for k in (1, 2, 3)]
    assert [found[number] for number in (51, 61, 281)] == [f"func/task-rest_run-2_echo-{k}_bold" for k in (1, 2, 3)]


def test_two_scans_with_other_echo_times_are_two_runs(tmp_path):
    found = plan(tmp_path, REST, Scan(5, "rest", "10:00:00", 300, te=30.0), Scan(6, "rest", "10:10:00", 300, te=32.0))
    assert names(found) == {51: "func/task-rest_run-1_bold", 61: "func/task-rest_run-2_bold"}


def test_a_phase_series_has_run_and_echo_of_its_magnitude(tmp_path):
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


def test_magnitude_alone_has_no_part(tmp_path):
    found = plan(tmp_path, REST, Scan(5, "rest", "10:00:00", 9), Scan(6, "sbref", "09:59:50", kind="phase"))
    assert names(found) == {51: "func/task-rest_bold", 61: "func/task-rest_part-phase_sbref"}


def test_real_and_imaginary_images_of_one_series_are_parts(tmp_path):
    parts = (Image("", kind="magnitude"), Image("real", kind="real"), Image("imaginary", kind="imaginary"))
    found = plan(tmp_path, '[[rule]]\nmatch = { name = "swi" }\nas = "anat/T2starw"\n', Scan(5, "swi", images=parts))
    assert names(found) == {
        51: "anat/part-mag_T2starw",
        52: "anat/part-real_T2starw",
        53: "anat/part-imag_T2starw",
    }


def test_an_sbref_has_the_run_of_the_bold_that_follows(tmp_path):
    found = plan(
        tmp_path,
        REST,
        Scan(10, "sbref", "10:00:00"),
        Scan(11, "rest", "10:00:15", 300),
        Scan(2, "sbref", "10:06:00"),
        Scan(3, "rest", "10:06:15", 300),
    )
    assert names(found) == {
        101: "func/task-rest_run-1_sbref",
        111: "func/task-rest_run-1_bold",
        21: "func/task-rest_run-2_sbref",
        31: "func/task-rest_run-2_bold",
    }


def test_an_sbref_of_the_first_echo_alone_has_its_echo(tmp_path):
    echoes = (Image("e1", 12.0), Image("e2", 28.0))
    found = plan(tmp_path, REST, Scan(4, "sbref", "10:00:00", te=12.0), Scan(5, "rest", "10:00:09", 300, images=echoes))
    assert names(found)[41] == "func/task-rest_echo-1_sbref"


def test_an_sbref_goes_with_its_dropped_run(tmp_path):
    found = plan(
        tmp_path,
        repeated("last"),
        Scan(1, "sbref", "10:00:00"),
        Scan(2, "rest", "10:00:15", 60),
        Scan(3, "sbref", "10:05:00"),
        Scan(4, "rest", "10:05:15", 300),
    )
    assert names(found) == {31: "func/task-rest_sbref", 41: "func/task-rest_bold"}
    reasons = {each.image.number: each.reason for each in found.ignored if each.image}
    assert reasons == dict.fromkeys((11, 21), "repeat = last: series 4 was scanned later")


def test_an_sbref_without_a_run_is_undecided(tmp_path):
    found = plan(tmp_path, REST, Scan(4, "rest", "10:00:00", 300), Scan(5, "sbref", "10:10:00"))
    (undecided,) = found.undecided
    assert undecided.series.n == 50
    assert "no run was scanned after it" in undecided.reason
    assert '[session.S01]: "5" = { ignore = "..." }' in undecided.hint


SBREFS = (Scan(3, "sbref", "10:00:00"), Scan(4, "sbref", "10:03:00"), Scan(5, "rest", "10:03:09", 300))


def test_of_two_sbrefs_before_one_run_the_first_is_undecided(tmp_path):
    found = plan(tmp_path, REST, *SBREFS)
    (undecided,) = found.undecided
    assert undecided.series.n == 30
    assert undecided.reason == "it is the sbref of no run: series 5 has a later one"


def test_with_repeat_the_first_of_two_sbrefs_is_left_out(tmp_path):
    found = plan(tmp_path, REST.replace("_sbref", '_sbref"\nrepeat = "last', 1), *SBREFS)
    assert names(found) == {41: "func/task-rest_sbref", 51: "func/task-rest_bold"}
    assert [each.reason for each in found.ignored] == ["repeat = last: series 5 has a later one"]


@pytest.mark.parametrize(
    ("choice", "kept"),
    [("all", {21, 31, 41}), ("last", {41}), ("longest", {31}), ("complete", {31, 41})],
)
def test_repeat_says_which_runs_are_exported(tmp_path, choice, kept):
    scans = (
        Scan(2, "rest", "10:00:00", 60, volumes=40, verdict=SeriesVerdict.INCOMPLETE),
        Scan(3, "rest", "10:10:00", 300, volumes=300),
        Scan(4, "rest", "10:20:00", 200, volumes=200),
    )
    found = plan(tmp_path, repeated(choice), *scans)
    assert set(names(found)) == kept
    assert {each.image.number for each in found.ignored if each.image} == {21, 31, 41} - kept


def test_two_images_of_one_acquisition_that_nothing_tells_apart_are_undecided_and_named(tmp_path):
    found = plan(tmp_path, REST, Scan(2, "rest", "10:00:00", 9), Scan(7, "rest", "10:00:00", 9))
    assert [each.series.n for each in found.undecided] == [20, 70]
    assert found.placed == ()
    for each in found.undecided:
        assert "series 2 (rest) and series 7 (rest) would have one path" in each.reason
        assert 'copies = "last"' in each.hint


def test_copies_says_which_of_them_is_exported(tmp_path):
    rules = REST.replace("_bold", '_bold"\ncopies = "last', 1)
    scans = (Scan(2, "rest", "10:00:00", 9), Scan(7, "rest", "10:00:00", 9), Scan(8, "rest", "11:00:00", 9))
    assert names(plan(tmp_path, rules, *scans)) == {71: "func/task-rest_run-1_bold", 81: "func/task-rest_run-2_bold"}


@pytest.mark.parametrize(("choice", "kept"), [("last", 41), ("longest", 31), ("complete", 21)])
def test_each_choice_of_a_copy(tmp_path, choice, kept):
    rules = REST.replace("_bold", f'_bold"\ncopies = "{choice}', 1)
    scans = (
        Scan(2, "rest", "10:00:00", 9, volumes=5),
        Scan(3, "rest", "10:00:00", 9, volumes=8, verdict=SeriesVerdict.INCOMPLETE),
        Scan(4, "rest", "10:00:00", 9, volumes=5, verdict=SeriesVerdict.INCOMPLETE),
    )
    found = plan(tmp_path, rules, *scans)
    assert names(found) == {kept: "func/task-rest_bold"}
    reasons = {each.reason for each in found.ignored}
    assert reasons == {f"copies = {choice}: series {kept // 10} is the same acquisition"}


def test_a_study_that_was_sent_again_under_other_uids_is_one_acquisition(tmp_path):
    other = {"StudyInstanceUID": "1.2.3"}
    again = Scan(2, "rest", "10:00:00", 60, header=other, n=100020)
    found = plan(tmp_path, REST, Scan(2, "rest", "10:00:00", 60), again)
    assert [each.series.n for each in found.undecided] == [20, 100020]


def test_scans_of_two_studies_that_overlap_are_two_runs(tmp_path):
    other = {"StudyInstanceUID": "1.2.3"}
    found = plan(tmp_path, REST, Scan(2, "rest", "10:00:00", 60), Scan(3, "rest", "10:00:30", 60, header=other))
    assert names(found) == {21: "func/task-rest_run-1_bold", 31: "func/task-rest_run-2_bold"}


def test_an_sbref_that_begins_with_its_run_belongs_to_it_and_a_later_one_to_the_next(tmp_path):
    found = plan(
        tmp_path,
        REST,
        Scan(1, "rest", "10:00:00", 60),
        Scan(2, "sbref", "10:00:00.500"),
        Scan(3, "sbref", "10:00:02"),
        Scan(4, "rest", "10:09:00", 60),
    )
    assert (names(found)[21], names(found)[31]) == ("func/task-rest_run-1_sbref", "func/task-rest_run-2_sbref")


def test_par_rec_series_have_the_time_of_the_examination_and_are_runs_by_number(tmp_path):
    scans = [Scan(number, "rest", "09:00:00", source=SeriesKind.PARREC) for number in (301, 201)]
    assert names(plan(tmp_path, REST, *scans)) == {2011: "func/task-rest_run-1_bold", 3011: "func/task-rest_run-2_bold"}


def test_series_that_all_have_one_time_are_ordered_by_number(tmp_path):
    scans = [Scan(number, name, "00:00:00") for number, name in ((1, "t1"), (3, "rest"), (2, "rest"))]
    rules = REST + '[[rule]]\nmatch = { name = "t1" }\nas = "anat/T1w"\n'
    assert names(plan(tmp_path, rules, *scans)) == {
        11: "anat/T1w",
        21: "func/task-rest_run-1_bold",
        31: "func/task-rest_run-2_bold",
    }


def test_without_times_magnitude_and_phase_are_still_one_run(tmp_path):
    scans = (Scan(2, "rest", None), Scan(3, "rest", None, kind="phase"))
    assert names(plan(tmp_path, REST, *scans)) == {
        21: "func/task-rest_part-mag_bold",
        31: "func/task-rest_part-phase_bold",
    }


def test_the_reason_says_where_each_entity_comes_from(tmp_path):
    echoes = (Image("e1", 12.0), Image("e2", 28.0))
    found = plan(tmp_path, REST, Scan(5, "rest", images=echoes))
    assert found.placed[1].reason == 'rule in line 2: name = "rest*"; echo-2: EchoTime 28 ms of 12, 28'
