"""The plan is written as a table, edited and read back; the decision on one series is explained."""

from dataclasses import replace

import pytest

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.decide.explanation import explain
from qxbatch.bids.decide.plan_table import COLUMNS, plan_table_text, read_plan_table
from qxbatch.exits import ExitStatus
from qxbatch.model import State
from qxbatch.problems import UsageError
from qxbatch.session.folder import SessionFolder
from tests.build.bids import Image, Scan, names, rules, session

TEXT = """
[[rule]]
match = { kind = "localizer" }
ignore = "localizer"
[[rule]]
match = { name = "rest", EchoTime = "30±1" }
as = "func/task-rest_bold"
set = { CogAtlasID = "x" }
[[rule]]
match = { name = "rest*" }
as = "func/task-other_bold"
"""
SCANS = (
    Scan(1, "loc", kind="localizer"),
    Scan(2, "rest", "10:00:00", 60),
    Scan(3, "rest", "11:00:00", 60, te=40.0),
    Scan(4, "new\tname", images=(Image("e1", 4.0), Image("e2", 8.0))),
    Scan(9, "report", images=(), state=State.NOTHING),
)


@pytest.fixture
def folders(tmp_path):
    return [session(tmp_path, "S01", *SCANS), session(tmp_path, "S02", Scan(2, "rest"))]


def rows_of(text):
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in text.splitlines()[1:]]


def edited(tmp_path, plans, *changes):
    """Return the plans of the table after replacing text in it."""
    text = plan_table_text(plans)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "plan.tsv"
    path.write_text(text)
    return read_plan_table(path, plans)


def test_the_table_has_a_row_for_each_image_and_each_series_without_images(tmp_path, folders):
    rows = rows_of(plan_table_text(decide(folders, rules(tmp_path, TEXT))))
    assert [(row["session"], row["series"], row["image"], row["rule"], row["path"]) for row in rows] == [
        ("S01", "1", "11", "2", "ignore"),
        ("S01", "2", "21", "5", "sub-S01/func/sub-S01_task-rest_bold"),
        ("S01", "3", "31", "9", "sub-S01/func/sub-S01_task-other_bold"),
        ("S01", "4", "41", "", "undecided"),
        ("S01", "4", "42", "", "undecided"),
        ("S01", "9", "", "", "ignore"),
        ("S02", "2", "21", "5", "sub-S02/func/sub-S02_task-rest_bold"),
    ]
    assert rows[3]["name"] == "new\\tname [1/2] e1"
    assert "no rule matches it" in rows[3]["reason"]


def test_a_session_with_a_problem_has_one_row(tmp_path, folders):
    folders[0].paths.summary.write_text("{")
    reopened = [SessionFolder(each.path) for each in folders]
    first, second = rows_of(plan_table_text(decide(reopened, rules(tmp_path, TEXT))))
    assert (first["session"], first["path"]) == ("S01", "undecided")
    assert "cannot be read" in first["reason"]
    assert second["session"] == "S02"


def test_an_unedited_table_gives_the_same_plan(tmp_path, folders):
    plans = decide(folders, rules(tmp_path, TEXT))
    edited_plans = edited(tmp_path, plans)
    assert [names(each) for each in edited_plans] == [names(each) for each in plans]
    assert [each.is_ready for each in edited_plans] == [False, True]
    assert edited_plans[0].placed_images[0].rule.sidecar_fields == {"CogAtlasID": "x"}
    assert [each.series.n for each in edited_plans[0].ignored_items if each.series] == [90]
    assert len(edited_plans[0].ignored_items) == len(plans[0].ignored_items)


def test_edited_paths_are_exported(tmp_path, folders):
    plans = decide(folders, rules(tmp_path, TEXT))
    (first, second) = edited(
        tmp_path,
        plans,
        ("sub-S01/func/sub-S01_task-other_bold", "ignore"),
        ("undecided", "sub-S01/anat/sub-S01_echo-1_MEGRE"),
        ("undecided", "sub-S01/anat/sub-S01_echo-2_MEGRE"),
    )
    assert names(first) == {21: "func/task-rest_bold", 41: "anat/echo-1_MEGRE", 42: "anat/echo-2_MEGRE"}
    assert {each.image.number for each in first.ignored_items if each.image} == {11, 31}
    assert first.is_ready
    assert names(second) == {21: "func/task-rest_bold"}


def test_sessions_that_are_not_in_the_table_are_left_out(tmp_path, folders):
    plans = decide(folders, rules(tmp_path, TEXT))
    path = tmp_path / "plan.tsv"
    path.write_text("".join(line for line in plan_table_text(plans).splitlines(True) if "S01" not in line))
    assert [each.session.id for each in read_plan_table(path, plans)] == ["S02"]


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("sub-S01_task-rest_bold", "sub-S01_task-rest_bld", ":3: the suffix 'bld' is not known.", "Did you mean bold?"),
        ("sub-S01_task-rest_bold", "sub-S01_bold", ":3: func/bold needs the entity task.", "task-"),
        (
            "sub-S01/func/sub-S01_task-rest",
            "sub-X/func/sub-X_task-rest",
            ":3: sub-X/func/",
            "Write sub-S01/<data type>",
        ),
        ("sub-S01_task-rest_bold", "sub-X_task-rest_bold", ":3: sub-S01/func/sub-X", "Write sub-S01/<data type>"),
        ("sub-S01_task-rest_bold", "sub-S01_dir-AP_task-rest_bold", ":3: the entities are not in", "task-rest_dir-AP"),
        (
            "task-other_bold",
            "task-rest_bold",
            ":4: sub-S01/func/sub-S01_task-rest_bold is already in line 3",
            "own path",
        ),
        ("S02\t2\t21", "S03\t2\t21", ":8: there is no session S03.", "--plan"),
        ("S01\t3\t31", "S01\t3\t21", ":4: image 21 is in the table twice.", "--plan"),
        ("S01\t3\t31", "S01\t3\t33", ":4: image 33 does not exist in session S01.", "--plan"),
        ("S01\t3\t31", "S01\t3\tx", ":4: image 'x' is not a number.", "--plan"),
        ("S01\t3\t31", f"S01\t3\t{'9' * 5000}", ":4: image '999", "--plan"),
        ("name\trule\tpath", "path\trule\tpath", ":1: the column path exists twice.", "Leave one"),
        (
            "sub-S01_task-rest_bold",
            "sub-S01_task-rest_bold.nii.gz",
            ":3: func/task-rest_bold.nii.gz has the",
            "rest_bold.",
        ),
        ("image", "picture", ":1: the column image is missing.", "--plan"),
    ],
)
def test_an_error_in_an_edited_table_is_named_with_its_line(tmp_path, folders, old, new, message, hint):
    with pytest.raises(UsageError) as caught:
        edited(tmp_path, decide(folders, rules(tmp_path, TEXT)), (old, new))
    assert caught.value.message.removeprefix(f"{tmp_path}/plan.tsv").startswith(message)
    assert hint in caught.value.hint


def test_control_characters_in_names_add_no_rows_or_lines(tmp_path):
    folders = [session(tmp_path, "S 1\t\x1b", Scan(2, "rest\n\x1b[2J"), subject="1")]
    plans = decide(folders, rules(tmp_path, TEXT.replace('"rest*"', '"*"')))
    text = plan_table_text(plans)
    assert text.count("\n") == 2
    assert "\x1b" not in text + explain(folders, rules(tmp_path, TEXT), folders[0].id, "2")
    path = tmp_path / "plan.tsv"
    path.write_text(text)
    assert [names(each) for each in read_plan_table(path, plans)] == [{21: "func/task-other_bold"}]


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path, folders):
    plans = decide(folders, rules(tmp_path, TEXT))
    path = tmp_path / "plan.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + plan_table_text(plans).replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert [names(each) for each in read_plan_table(path, plans)] == [names(each) for each in plans]


@pytest.mark.parametrize(
    ("scans", "reason"),
    [
        ((Scan(2, "scout"), Scan(3, "t1")), "is for t1, but image 21 is scout now"),
        ((Scan(4, "t1", n=20), Scan(3, "rest")), "is for series 2, but image 21 is of series 4 now"),
    ],
)
@pytest.mark.parametrize("path", ["anat/T1w", "ignore"])
def test_a_row_decides_only_the_scan_that_it_names(tmp_path, scans, reason, path):
    rule_file = rules(tmp_path, '[[rule]]\nmatch = { name = "t1" }\nas = "anat/T1w"\n')
    text = plan_table_text(decide([session(tmp_path / "sessions", "S9", Scan(2, "t1"))], rule_file))
    table = tmp_path / "plan.tsv"
    table.write_text(text.replace("sub-S9/anat/sub-S9_T1w", "ignore") if path == "ignore" else text)
    again = [session(tmp_path / "sessions", "S9", *scans)]
    (plan,) = read_plan_table(table, decide(again, rule_file))
    assert not plan.is_ready
    assert reason in " ".join(undecided.reason for undecided in plan.undecided_series)
    assert not plan.placed_images


def test_a_table_without_names_is_matched_by_the_numbers_of_images(tmp_path, folders):
    plans = decide(folders, rules(tmp_path, TEXT))
    rows = [line.split("\t") for line in plan_table_text(plans).splitlines()]
    table = tmp_path / "plan.tsv"
    table.write_text("".join("\t".join([row[0], row[2], row[5]]) + "\n" for row in rows))
    assert [names(each) for each in read_plan_table(table, plans)] == [names(each) for each in plans]


def test_an_explanation_names_the_deciding_rule_and_why_the_others_do_not_match(tmp_path, folders):
    explanation = explain(folders, rules(tmp_path, TEXT), "S01", "3")
    assert "series 3 (rest) of session S01, image 31 (rest):" in explanation
    assert "sub-S01/func/sub-S01_task-other_bold" in explanation
    assert 'no match: rule in line 2: kind = "localizer": kind is "magnitude", expected "localizer"' in explanation
    assert 'no match: rule in line 5: name = "rest", EchoTime = "30±1": EchoTime is 40, expected "30±1"' in explanation
    assert 'decides: rule in line 9: name = "rest*" -> func/task-other_bold' in explanation


def test_an_explanation_names_later_rules_that_match_too(tmp_path, folders):
    explanation = explain(folders, rules(tmp_path, TEXT), "S01", "2")
    assert 'also matches, but is later: rule in line 9: name = "rest*" -> func/task-other_bold' in explanation


def test_an_undecided_image_of_a_table_is_named_with_its_line(tmp_path, folders):
    plans = decide(folders, rules(tmp_path, TEXT))
    (row,) = [line for line in plan_table_text(plans).splitlines() if "\t42\t" in line]
    first, *_others = edited(tmp_path, plans, ("sub-S01/func/sub-S01_task-other_bold", "undecided"), (f"{row}\n", ""))
    table = tmp_path / "plan.tsv"
    assert [each.reason for each in first.undecided_series] == [
        f"line 4 of {table} does not decide it",
        f"line 5 of {table} does not decide it",
    ]
    (first,) = edited(
        tmp_path, plans[:1], *[(f"{line}\n", "") for line in plan_table_text(plans[:1]).splitlines()[3:6]]
    )
    assert [each.reason for each in first.undecided_series] == [f"image {n} is not in {table}" for n in (31, 41)]


def test_an_undecided_series_is_explained(tmp_path, folders):
    explanation = explain(folders, rules(tmp_path, TEXT), "S01", "n40")
    assert "undecided: no rule matches it." in explanation
    assert explanation.count("image 4") == 2


def test_a_series_without_images_needs_no_rule(tmp_path, folders):
    explanation = explain(folders, rules(tmp_path, TEXT), "S01", "9")
    assert explanation == "series 9 (report) of session S01 is not exported: no image. It needs no rule."


def test_a_key_without_a_value_in_the_headers_is_reported_as_unknown(tmp_path, folders):
    text = '[[rule]]\nmatch = { ti_ms = 900 }\nas = "anat/T1w"\n[[rule]]\nmatch = { not = { name = "re*" } }\nignore = "x"\n'
    explanation = explain(folders, rules(tmp_path, text), "S02", "2")
    assert "ti_ms = 900: ti_ms is not known, expected 900" in explanation
    assert 'not = { name = "re*" }: not = { name = "re*" } excludes it' in explanation


@pytest.mark.parametrize(
    ("session_id", "series", "message", "hint"),
    [
        ("S1", "2", "there is no session S1.", "Did you mean S01?"),
        ("other", "2", "there is no session other.", ""),
        ("S02", "8", "session S02 has no images of a series 8.", "It has: series 2 (rest)."),
    ],
)
def test_a_session_or_series_that_does_not_exist_is_named(tmp_path, folders, session_id, series, message, hint):
    with pytest.raises(UsageError) as caught:
        explain(folders, rules(tmp_path, TEXT), session_id, series)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_series_that_share_a_number_are_listed_with_that_of_their_files(tmp_path):
    scans = (
        Scan(2, "rest", n=20),
        Scan(2, "rest", n=10020),
        Scan(3, "t1", images=(Image("e1", 4.0), Image("e2", 8.0))),
    )
    folder = session(tmp_path, "S03", *scans)
    with pytest.raises(UsageError) as caught:
        explain([folder], rules(tmp_path, TEXT), "S03", "8")
    assert caught.value.hint == "It has: series 2 (rest) n20, series 3 (t1), series 2 (rest) n10020."
    for n in ("n20", "n10020"):
        assert "series 2 (rest) of session S03" in explain([folder], rules(tmp_path, TEXT), "S03", n)


def test_the_word_none_names_no_series_without_a_series_number(tmp_path):
    scans = (
        Scan(2, "rest", header={"SeriesNumber": None}, n=90010),
        Scan(3, "report", header={"SeriesNumber": None}, n=90020, images=(), state=State.NOTHING),
    )
    folder = session(tmp_path, "S03", *scans)
    with pytest.raises(UsageError) as caught:
        explain([folder], rules(tmp_path, TEXT), "S03", "None")
    assert caught.value.message == "session S03 has no images of a series None."
    assert "n90010 (rest) of session S03" in explain([folder], rules(tmp_path, TEXT), "S03", "n90010")


@pytest.mark.parametrize(
    "saved",
    [
        lambda text: text.replace("\n", "\r"),
        lambda text: "".join(f"{_quoted(line)}\r\n" for line in text.splitlines()),
        lambda text: "".join("\t".join(reversed(line.split("\t"))) + "\n" for line in text.splitlines()),
    ],
    ids=["CR line ends", "quoted cells", "reordered columns"],
)
def test_a_table_in_another_form_is_read(tmp_path, folders, saved):
    plans = decide(folders, rules(tmp_path, TEXT))
    path = tmp_path / "plan.tsv"
    path.write_bytes(saved(plan_table_text(plans)).encode())
    paths = {each.image.number: each.path for plan in read_plan_table(path, plans) for each in plan.placed_images}
    assert paths == {each.image.number: each.path for plan in plans for each in plan.placed_images}


def _quoted(line):
    return "\t".join('"' + cell.replace('"', '""') + '"' for cell in line.split("\t"))


def test_a_table_without_images_is_refused(tmp_path, folders):
    plans = decide(folders, rules(tmp_path, TEXT))
    path = tmp_path / "plan.tsv"
    path.write_text(plan_table_text(plans).splitlines()[0] + "\n")
    with pytest.raises(UsageError, match="the table has no image") as caught:
        read_plan_table(path, plans)
    assert caught.value.status is ExitStatus.NOTHING_READY


def test_a_session_that_cannot_be_exported_stays_in_the_plan_of_its_table(tmp_path, folders):
    first, second = decide(folders, rules(tmp_path, TEXT))
    plans = [first, replace(second, problem="its summary cannot be read", hint="Import it again.")]
    path = tmp_path / "plan.tsv"
    path.write_text(plan_table_text(plans))
    assert [(plan.session.id, plan.problem) for plan in read_plan_table(path, plans)] == [
        ("S01", ""),
        ("S02", "its summary cannot be read"),
    ]
    path.write_text(plan_table_text(plans[1:]))
    assert [plan.session.id for plan in read_plan_table(path, plans)] == ["S02"]


def test_reasons_have_one_full_stop(tmp_path, folders):
    folders[1].paths.summary.unlink()
    without_label = '[[rule]]\nmatch = { name = "*" }\nas = "func/task-x_dir-{dir}_bold"\n'
    plans = decide(folders, rules(tmp_path, TEXT + without_label))
    assert not any(".. " in row["reason"] for row in rows_of(plan_table_text(plans)))
    reason = (
        f"qxbatch/summary.json is missing: another program made the session. qxbatch inspect {folders[1].path} --update"
    )
    assert rows_of(plan_table_text(plans[1:]))[0]["reason"] == reason
