"""Every series of a study is exported, ignored or undecided."""

import json

import pytest

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.images.facts import SessionFactsError, facts_of_images, images_of
from qxbatch.model import State
from qxbatch.session.folder import SessionFolder
from tests.build.bids import Image, Scan, names, plan, rules, session

T1 = '[[rule]]\nmatch = { name = "T1" }\nas = "anat/T1w"\n'


def study(tmp_path, text, *sessions):
    """Return the plans of sessions, given as (id, subject, session)."""
    folders = [session(tmp_path, name, Scan(2, "T1"), subject=subject, ses=ses) for name, subject, ses in sessions]
    return decide(folders, rules(tmp_path, text))


def test_a_series_without_a_matching_rule_is_named_with_a_suggested_rule(tmp_path):
    session_plan = plan(tmp_path, T1, Scan(2, "T1"), Scan(3, 'T2* "new"'))
    (undecided,) = session_plan.undecided_series
    assert (undecided.series.n, undecided.reason) == (30, "no rule matches it")
    assert 'match = { name = "T2[*] \\"new\\"" }' in undecided.hint
    assert not session_plan.is_ready


def test_the_suggested_rule_decides_the_series(tmp_path):
    (undecided,) = plan(tmp_path / "a", T1, Scan(3, "T2* [x]?")).undecided_series
    match = undecided.hint.partition("[[rule]] ")[2].partition(" and ")[0]
    assert plan(tmp_path / "b", f'[[rule]]\n{match}\nignore = "x"\n', Scan(3, "T2* [x]?")).is_ready


def test_the_plan_contains_every_series_once(tmp_path):
    text = T1 + '[[rule]]\nmatch = { kind = "localizer" }\nignore = "localizer"\n'
    scans = (
        Scan(1, "loc", kind="localizer"),
        Scan(2, "T1"),
        Scan(3, "new"),
        Scan(4, "report", images=(), state=State.NOTHING),
        Scan(5, "broken", images=(), state=State.FAILED),
    )
    session_plan = plan(tmp_path, text, *scans)
    assert [each.image.number for each in session_plan.placed_images] == [21]
    assert [each.reason for each in session_plan.ignored_items] == [
        'localizer; rule in line 4: kind = "localizer"',
        "no image",
        "no image: its conversion failed",
    ]
    assert [each.series.n for each in session_plan.undecided_series] == [30]


def test_paths_have_a_session_level_if_the_study_has_sessions(tmp_path):
    without_session, with_session = study(tmp_path, T1, ("A", "A", None), ("B_v1", "B", "v1"))
    assert [each.path for each in without_session.placed_images] == ["sub-A/anat/sub-A_T1w"]
    assert [each.path for each in with_session.placed_images] == ["sub-B/ses-v1/anat/sub-B_ses-v1_T1w"]


def test_labels_are_reduced_to_letters_and_digits(tmp_path):
    (session_plan,) = study(tmp_path, T1, ("OP_38-6", "OP_38-6", "pre.op"))
    assert (session_plan.subject_label, session_plan.session_label) == ("OP386", "preop")


def test_sessions_with_the_same_label_are_refused_with_both_names(tmp_path):
    plans = study(tmp_path, T1, ("S-1", "S-1", None), ("S2", "S2", None), ("S_1", "S_1", None))
    assert [bool(each.problem) for each in plans] == [True, False, True]
    assert plans[0].problem == plans[2].problem == "sessions S-1 and S_1 have one label, sub-S1"
    assert "[session.S_1]" in plans[0].hint
    assert plans[0].placed_images == ()
    assert plans[1].placed_images != ()


@pytest.mark.parametrize(("first", "second"), [("A-1", "A1"), ("S1-1", "S11"), ("P_7", "p7")])
def test_subjects_whose_names_become_one_label_are_refused(tmp_path, first, second):
    sessions = ((f"{first}_base", first, "base"), (f"{second}_fu", second, "fu"), ("B_fu", "B", "fu"))
    plans = {each.session.id: each for each in study(tmp_path / "a", T1, *sessions)}
    assert plans["B_fu"].placed_images != ()
    refused = [plans[f"{first}_base"], plans[f"{second}_fu"]]
    assert {each.problem.partition(" have")[0] for each in refused} <= {
        f"subjects {first} and {second}",
        f"subjects {second} and {first}",
    }
    assert all(each.placed_images == () for each in refused)
    text = T1 + f'[session."{second}_fu"]\nsubject = "{second}"\n'
    assert all(each.placed_images for each in study(tmp_path / "b", text, *sessions))


def test_a_prefix_of_a_subject_makes_no_other_subject(tmp_path):
    plans = study(tmp_path, T1, ("sub-01_a", "sub-01", "a"), ("01_b", "01", "b"))
    assert [each.problem for each in plans] == ["", ""]


def test_labels_that_differ_only_in_case_are_refused(tmp_path):
    plans = study(tmp_path, T1, ("abc", "abc", None), ("ABC", "ABC", None))
    assert all("have one label" in each.problem for each in plans)


def test_the_table_of_a_session_sets_its_labels(tmp_path):
    text = T1 + '[session.S-1]\nsubject = "01"\nsession = "a"\n'
    plans = study(tmp_path, text, ("S-1", "S-1", None), ("S_1", "S_1", None))
    assert [each.path for session_plan in plans for each in session_plan.placed_images] == [
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
def test_the_labels_table_applies_to_all_sessions(tmp_path, table, expected):
    (session_plan,) = study(tmp_path, f"{T1}[labels]\n{table}\n", ("P7_pre_x", "P7", "pre"))
    assert (session_plan.subject_label, session_plan.session_label) == expected


def test_only_the_session_that_does_not_fit_the_pattern_is_refused(tmp_path):
    text = f'{T1}[labels]\npattern = "{{subject}}_{{session}}"\n'
    bad, good = study(tmp_path, text, ("P7", "P7", None), ("P8_a", "P8_a", None))
    assert bad.problem == "its name does not fit the pattern of [labels]"
    assert "[session.P7]" in bad.hint
    assert (good.subject_label, good.session_label, good.problem) == ("P8", "a", "")


def test_the_table_of_a_session_has_rules_for_its_series(tmp_path):
    text = T1 + '[session.S01]\n"3" = { ignore = "moved" }\n"n40" = { as = "anat/T2w" }\n"5.2" = { ignore = "empty" }\n'
    two_images = (Image(), Image("real", kind="real"))
    scans = (
        Scan(2, "T1", "10:00:00"),
        Scan(3, "T1", "11:00:00"),
        Scan(4, "new"),
        Scan(5, "T1", "12:00:00", images=two_images),
    )
    session_plan = plan(tmp_path, text, *scans)
    assert names(session_plan) == {21: "anat/run-1_T1w", 41: "anat/T2w", 51: "anat/run-2_T1w"}
    assert [each.reason for each in session_plan.ignored_items] == [
        "moved; [session.S01], line 5",
        "empty; [session.S01], line 7",
    ]
    assert session_plan.remarks == ()


def test_a_rule_of_one_session_does_not_apply_to_the_others(tmp_path):
    text = T1 + '[session.A]\n"2" = { ignore = "moved" }\n'
    first, second = study(tmp_path, text, ("A", "A", None), ("B", "B", None))
    assert (len(first.placed_images), len(second.placed_images)) == (0, 1)


def test_a_rule_for_a_missing_series_adds_a_remark(tmp_path):
    text = T1 + '[session.S01]\n"7" = { ignore = "moved" }\n"9" = { ignore = "report" }\n"90" = { ignore = "x" }\n'
    session_plan = plan(tmp_path, text, Scan(2, "T1"), Scan(9, "report", images=(), state=State.NOTHING))
    assert session_plan.remarks == tuple(
        f"[session.S01], line {line}: the session has no such series." for line in (5, 7)
    ), "the series in dicom/90 is n90"
    assert session_plan.is_ready


def test_a_table_of_an_unknown_session_adds_a_remark_to_the_most_similar_one(tmp_path):
    plans = study(
        tmp_path, T1 + '[session.S-0I2]\n"2" = { ignore = "moved" }\n', ("S-012", "1", None), ("X", "2", None)
    )
    expected = ("[session.S-0I2], line 4: there is no such session. Did you mean S-012?",)
    assert [each.remarks for each in plans] == [expected, ()]


def test_names_that_become_the_same_label_add_a_remark(tmp_path):
    text = '[[rule]]\nmatch = { name = "*" }\nas = "func/task-{name}_bold"\n'
    session_plan = plan(
        tmp_path, text, Scan(2, "n-back", "10:00:00"), Scan(3, "n back", "11:00:00"), Scan(4, "rest", "12:00:00")
    )
    assert names(session_plan)[31] == "func/task-nback_run-2_bold"
    which = "series 2 (n-back) and series 3 (n back)"
    text = "have different names that become one label, task-nback: they are numbered as runs."
    assert session_plan.remarks == (f"{which} {text}",)


def test_bids_prefixes_are_not_part_of_a_label(tmp_path):
    (session_plan,) = study(tmp_path, T1, ("x", "sub-01", "ses-2"))
    assert (session_plan.subject_label, session_plan.session_label) == ("01", "2")


def test_damaged_sessions_do_not_affect_the_others(tmp_path):
    folders = [session(tmp_path, name, Scan(2, "T1")) for name in ("A", "B", "C", "D")]
    folders[0].paths.summary.write_text("{")
    folders[1].paths.image(21, "json").write_text("no JSON")
    folders[2].paths.summary.unlink()
    plans = decide([SessionFolder(each.path) for each in folders], rules(tmp_path, T1))
    assert [bool(each.problem) for each in plans] == [True, True, True, False]
    assert "summary.json: cannot be read" in plans[0].problem
    assert "21.json: cannot be read" in plans[1].problem
    assert "another program made the session" in plans[2].problem
    assert plans[2].hint == f"qxbatch inspect {folders[2].path} --update"
    assert [each.path for each in plans[3].placed_images] == ["sub-D/anat/sub-D_T1w"]


@pytest.mark.parametrize("name", ["qxbatch/summary.json", "nii/21.json"])
def test_an_unreadable_file_of_a_session_is_named_with_the_reason(tmp_path, name):
    folder = session(tmp_path, "A", Scan(2, "T1"))
    (folder.path / name).unlink()
    (folder.path / name).mkdir()
    (session_plan,) = decide([SessionFolder(folder.path)], rules(tmp_path, T1))
    assert session_plan.problem.startswith(f"{folder.path}/{name} cannot be read: ")
    assert "Errno" not in session_plan.problem
    assert session_plan.hint == "Make it readable, and run again."


def test_a_session_of_an_older_version_names_the_command_that_updates_it(tmp_path):
    folder = session(tmp_path, "A", Scan(2, "T1"))
    content = json.loads(folder.paths.summary.read_text())
    for series in content["series"]:
        series.pop("acquisition")
    folder.paths.summary.write_text(json.dumps({**content, "schema": 1}))
    (session_plan,) = decide([SessionFolder(folder.path)], rules(tmp_path, T1))
    assert "an older version imported it" in session_plan.problem
    assert session_plan.hint == f"qxbatch inspect {folder.path} --update"


def test_a_session_whose_headers_cannot_be_read_is_exported(tmp_path):
    """As after an import of a PAR whose last line is cut: no command can compute its facts."""
    folder = session(tmp_path, "A", Scan(2, "T1"))
    content = json.loads(folder.paths.summary.read_text())
    for series in content["series"]:
        series.pop("acquisition")
    folder.paths.summary.write_text(json.dumps(content))
    (session_plan,) = decide([SessionFolder(folder.path)], rules(tmp_path, T1))
    assert session_plan.problem == ""
    assert len(session_plan.placed_images) == 1


def test_the_same_sessions_give_the_same_plan(tmp_path):
    scans = (Scan(2, "T1", "10:00:00"), Scan(3, "T1", "11:00:00"), Scan(4, "x"))
    folder = session(tmp_path, "A", *scans)
    rule_file = rules(tmp_path, T1)
    first, second = decide([SessionFolder(folder.path)], rule_file), decide([SessionFolder(folder.path)], rule_file)
    assert [(each.path, each.reason) for each in first[0].placed_images] == [
        (each.path, each.reason) for each in second[0].placed_images
    ]


def test_facts_of_the_header_complete_a_sidecar(tmp_path):
    folder = session(tmp_path, "A", Scan(2, "T1", tr=2500.0, te=3.0))
    folder.paths.image(21, "json").write_text("{}")
    (session_plan,) = decide([SessionFolder(folder.path)], rules(tmp_path, T1))
    assert session_plan.placed_images[0].image.sidecar == {"RepetitionTime": 2.5, "EchoTime": 0.003, "FlipAngle": 77.0}


def test_invalid_values_of_a_sidecar_are_unknown(tmp_path):
    folder = session(tmp_path, "A", Scan(2, "T1"))
    invalid = (
        '{"EchoTime": NaN, "FlipAngle": "x", "EchoNumber": 1e400, "BidsGuess": [3], "ImageType": "M", "MTState": 1}'
    )
    folder.paths.image(21, "json").write_text(invalid)
    (facts,) = facts_of_images(SessionFolder(folder.path))
    assert (facts.te_ms, facts.flip_angle_deg, facts.echo, facts.guess, facts.polarity) == (None, None, None, "", "")
    assert (facts.kind, facts.mt) == ("magnitude", "")


def test_a_sidecar_takes_precedence_over_the_header(tmp_path):
    folder = session(tmp_path, "A", Scan(2, "T1", tr=2500.0, te=3.0))
    folder.paths.image(21, "json").write_text('{"RepetitionTime": 2.3}')
    (session_plan,) = decide([SessionFolder(folder.path)], rules(tmp_path, T1))
    assert session_plan.placed_images[0].image.sidecar["RepetitionTime"] == 2.3


def test_an_image_gets_no_echo_time_from_a_series_with_several(tmp_path):
    folder = session(tmp_path, "A", Scan(2, "T1", images=(Image("e1", 3.0), Image("e2", 5.0))))
    folder.paths.image(21, "json").write_text("{}")
    assert ["EchoTime" in each.sidecar for each in images_of(folder)] == [False, True]


def test_a_session_with_a_huge_sidecar_is_not_read_into_memory(tmp_path):
    folder = session(tmp_path, "S1", Scan(2, "t1"))
    with folder.paths.image(21, "json").open("wb") as file:
        file.truncate((1 << 24) + 1)
    with pytest.raises(SessionFactsError, match=r"21\.json cannot be read: has more than 16777216 bytes"):
        images_of(folder)
