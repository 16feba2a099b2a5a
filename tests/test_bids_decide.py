"""The decision on every series of a study."""

import json

import pytest

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.images.facts import facts_of, images_of
from qxbatch.model import State
from qxbatch.session.folder import SessionFolder
from tests.build.bids import Image, Scan, names, plan, rules, session

T1 = '[[rule]]\nmatch = { name = "T1" }\nas = "anat/T1w"\n'


def study(tmp_path, text, *sessions):
    """Return the plans of sessions, given as (id, subject, session)."""
    made = [session(tmp_path, name, Scan(2, "T1"), subject=subject, ses=ses) for name, subject, ses in sessions]
    return decide(made, rules(tmp_path, text))


def test_a_series_that_no_rule_matches_is_named_with_what_to_write(tmp_path):
    found = plan(tmp_path, T1, Scan(2, "T1"), Scan(3, 'T2* "new"'))
    (undecided,) = found.undecided
    assert (undecided.series.n, undecided.reason) == (30, "no rule matches it")
    assert 'match = { name = "T2[*] \\"new\\"" }' in undecided.hint
    assert not found.is_ready


def test_the_rule_of_the_hint_decides_it(tmp_path):
    (undecided,) = plan(tmp_path / "a", T1, Scan(3, "T2* [x]?")).undecided
    match = undecided.hint.partition("[[rule]] ")[2].partition(" and ")[0]
    assert plan(tmp_path / "b", f'[[rule]]\n{match}\nignore = "x"\n', Scan(3, "T2* [x]?")).is_ready


def test_every_series_is_in_the_plan_once(tmp_path):
    text = T1 + '[[rule]]\nmatch = { kind = "localizer" }\nignore = "localizer"\n'
    scans = (
        Scan(1, "loc", kind="localizer"),
        Scan(2, "T1"),
        Scan(3, "new"),
        Scan(4, "report", images=(), state=State.NOTHING),
        Scan(5, "broken", images=(), state=State.FAILED),
    )
    found = plan(tmp_path, text, *scans)
    assert [each.image.number for each in found.placed] == [21]
    assert [each.reason for each in found.ignored] == [
        'localizer; rule in line 4: kind = "localizer"',
        "no image",
        "no image: its conversion failed",
    ]
    assert [each.series.n for each in found.undecided] == [30]


def test_the_session_is_a_level_where_the_study_has_sessions(tmp_path):
    one, two = study(tmp_path, T1, ("A", "A", None), ("B_v1", "B", "v1"))
    assert [each.path for each in one.placed] == ["sub-A/anat/sub-A_T1w"]
    assert [each.path for each in two.placed] == ["sub-B/ses-v1/anat/sub-B_ses-v1_T1w"]


def test_labels_are_reduced_to_letters_and_digits(tmp_path):
    (found,) = study(tmp_path, T1, ("OP_38-6", "OP_38-6", "pre.op"))
    assert (found.subject, found.label) == ("OP386", "preop")


def test_two_sessions_with_one_label_are_refused_by_both_names_and_the_others_are_not(tmp_path):
    found = study(tmp_path, T1, ("S-1", "S-1", None), ("S2", "S2", None), ("S_1", "S_1", None))
    assert [bool(each.problem) for each in found] == [True, False, True]
    assert found[0].problem == found[2].problem == "sessions S-1 and S_1 have one label, sub-S1"
    assert "[session.S_1]" in found[0].hint
    assert found[0].placed == ()
    assert found[1].placed != ()


def test_labels_that_differ_in_case_alone_are_one_folder_on_some_disks(tmp_path):
    found = study(tmp_path, T1, ("abc", "abc", None), ("ABC", "ABC", None))
    assert all("have one label" in each.problem for each in found)


def test_a_session_table_gives_labels(tmp_path):
    text = T1 + '[session.S-1]\nsubject = "01"\nsession = "a"\n'
    found = study(tmp_path, text, ("S-1", "S-1", None), ("S_1", "S_1", None))
    assert [each.path for plan_ in found for each in plan_.placed] == [
        "sub-01/ses-a/anat/sub-01_ses-a_T1w",
        "sub-S1/anat/sub-S1_T1w",
    ]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('subject = "s{subject}"', ("sP7", "pre")),
        ('session = ""', ("P7", "")),
        ('subjects = { P7 = "01" }\nsessions = { pre = "1" }', ("01", "1")),
        ('sessions = { pre = "" }', ("P7", "")),
        ('pattern = "{subject}_{session}_x"', ("P7", "pre")),
        ('pattern = "{subject}_*"', ("P7", "")),
    ],
)
def test_labels_change_all_sessions(tmp_path, table, expected):
    (found,) = study(tmp_path, f"{T1}[labels]\n{table}\n", ("P7_pre_x", "P7", "pre"))
    assert (found.subject, found.label) == expected


def test_a_session_that_does_not_fit_the_pattern_is_refused_alone(tmp_path):
    text = f'{T1}[labels]\npattern = "{{subject}}_{{session}}"\n'
    bad, good = study(tmp_path, text, ("P7", "P7", None), ("P8_a", "P8_a", None))
    assert bad.problem == "its name does not fit the pattern of [labels]"
    assert "[session.P7]" in bad.hint
    assert (good.subject, good.label, good.problem) == ("P8", "a", "")


def test_a_series_of_one_session_has_its_own_rule(tmp_path):
    text = T1 + '[session.S01]\n"3" = { ignore = "moved" }\n"n40" = { as = "anat/T2w" }\n"5.2" = { ignore = "empty" }\n'
    twice = (Image(), Image("real", kind="real"))
    scans = (
        Scan(2, "T1", "10:00:00"),
        Scan(3, "T1", "11:00:00"),
        Scan(4, "new"),
        Scan(5, "T1", "12:00:00", images=twice),
    )
    found = plan(tmp_path, text, *scans)
    assert names(found) == {21: "anat/run-1_T1w", 41: "anat/T2w", 51: "anat/run-2_T1w"}
    assert [each.reason for each in found.ignored] == ["moved; [session.S01], line 5", "empty; [session.S01], line 7"]
    assert found.remarks == ()


def test_the_rule_of_one_session_leaves_the_others(tmp_path):
    text = T1 + '[session.A]\n"2" = { ignore = "moved" }\n'
    one, two = study(tmp_path, text, ("A", "A", None), ("B", "B", None))
    assert (len(one.placed), len(two.placed)) == (0, 1)


def test_a_rule_for_a_series_that_the_session_does_not_have_is_remarked(tmp_path):
    text = T1 + '[session.S01]\n"7" = { ignore = "moved" }\n"9" = { ignore = "report" }\n'
    found = plan(tmp_path, text, Scan(2, "T1"), Scan(9, "report", images=(), state=State.NOTHING))
    assert found.remarks == ("[session.S01], line 5: the session has no such series.",)
    assert found.is_ready


def test_a_table_of_a_session_that_does_not_exist_is_remarked_where_it_was_probably_meant(tmp_path):
    found = study(
        tmp_path, T1 + '[session.S-0I2]\n"2" = { ignore = "moved" }\n', ("S-012", "1", None), ("X", "2", None)
    )
    expected = ("[session.S-0I2], line 4: there is no such session. Did you mean S-012?",)
    assert [each.remarks for each in found] == [expected, ()]


def test_names_that_become_one_label_are_remarked(tmp_path):
    text = '[[rule]]\nmatch = { name = "*" }\nas = "func/task-{name}_bold"\n'
    found = plan(
        tmp_path, text, Scan(2, "n-back", "10:00:00"), Scan(3, "n back", "11:00:00"), Scan(4, "rest", "12:00:00")
    )
    assert names(found)[31] == "func/task-nback_run-2_bold"
    expected = (
        "series 2 (n-back) and series 3 (n back) have different names and one label, task-nback: they count as runs."
    )
    assert found.remarks == (expected,)


def test_a_prefix_of_bids_is_no_part_of_a_label(tmp_path):
    (found,) = study(tmp_path, T1, ("x", "sub-01", "ses-2"))
    assert (found.subject, found.label) == ("01", "2")


def test_a_bad_session_leaves_the_others(tmp_path):
    made = [session(tmp_path, name, Scan(2, "T1")) for name in ("A", "B", "C", "D")]
    made[0].paths.summary.write_text("{")
    made[1].paths.image(21, "json").write_text("no JSON")
    made[2].paths.summary.unlink()
    bad = decide([SessionFolder(each.path) for each in made], rules(tmp_path, T1))
    assert [bool(each.problem) for each in bad] == [True, True, True, False]
    assert "summary.json: cannot be read" in bad[0].problem
    assert "21.json: cannot be read" in bad[1].problem
    assert "another program made the session" in bad[2].problem
    assert bad[2].hint == f"qxbatch inspect {made[2].path} --update"
    assert [each.path for each in bad[3].placed] == ["sub-D/anat/sub-D_T1w"]


@pytest.mark.parametrize("name", ["qxbatch/summary.json", "nii/21.json"])
def test_a_file_of_a_session_that_cannot_be_opened_is_named_with_the_reason(tmp_path, name):
    made = session(tmp_path, "A", Scan(2, "T1"))
    (made.path / name).unlink()
    (made.path / name).mkdir()
    (bad,) = decide([SessionFolder(made.path)], rules(tmp_path, T1))
    assert bad.problem.startswith(f"{made.path}/{name} cannot be read: ")
    assert "Errno" not in bad.problem
    assert bad.hint == "Make it readable, and run again."


def test_a_session_of_a_former_version_names_the_command_that_adds_its_facts(tmp_path):
    made = session(tmp_path, "A", Scan(2, "T1"))
    content = json.loads(made.paths.summary.read_text())
    for series in content["series"]:
        series.pop("acquisition")
    made.paths.summary.write_text(json.dumps({**content, "schema": 1}))
    (found,) = decide([SessionFolder(made.path)], rules(tmp_path, T1))
    assert "an older version imported it" in found.problem
    assert found.hint == f"qxbatch inspect {made.path} --update"


def test_the_same_sessions_give_the_same_plan(tmp_path):
    scans = (Scan(2, "T1", "10:00:00"), Scan(3, "T1", "11:00:00"), Scan(4, "x"))
    made = session(tmp_path, "A", *scans)
    text = rules(tmp_path, T1)
    one, two = decide([SessionFolder(made.path)], text), decide([SessionFolder(made.path)], text)
    assert [(each.path, each.reason) for each in one[0].placed] == [(each.path, each.reason) for each in two[0].placed]


def test_facts_of_the_header_complete_a_sidecar(tmp_path):
    made = session(tmp_path, "A", Scan(2, "T1", tr=2500.0, te=3.0))
    made.paths.image(21, "json").write_text("{}")
    (found,) = decide([SessionFolder(made.path)], rules(tmp_path, T1))
    assert found.placed[0].image.sidecar == {"RepetitionTime": 2.5, "EchoTime": 0.003, "FlipAngle": 77.0}


def test_values_of_a_sidecar_that_are_none_are_not_known(tmp_path):
    made = session(tmp_path, "A", Scan(2, "T1"))
    odd = '{"EchoTime": NaN, "FlipAngle": "x", "EchoNumber": 1e400, "BidsGuess": [3], "ImageType": "M", "MTState": 1}'
    made.paths.image(21, "json").write_text(odd)
    (facts,) = facts_of(SessionFolder(made.path))
    assert (facts.te_ms, facts.flip_angle_deg, facts.echo, facts.guess, facts.direction) == (None, None, None, "", "")
    assert (facts.kind, facts.mt) == ("magnitude", "")


def test_what_a_sidecar_has_comes_before_the_header(tmp_path):
    made = session(tmp_path, "A", Scan(2, "T1", tr=2500.0, te=3.0))
    made.paths.image(21, "json").write_text('{"RepetitionTime": 2.3}')
    (found,) = decide([SessionFolder(made.path)], rules(tmp_path, T1))
    assert found.placed[0].image.sidecar["RepetitionTime"] == 2.3


def test_the_echo_time_of_a_series_with_several_is_of_none_of_its_images(tmp_path):
    made = session(tmp_path, "A", Scan(2, "T1", images=(Image("e1", 3.0), Image("e2", 5.0))))
    made.paths.image(21, "json").write_text("{}")
    assert ["EchoTime" in each.sidecar for each in images_of(made)] == [False, True]
