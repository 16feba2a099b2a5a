"""The words of a command line: one form for docopt, and misuse in our own words."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.cli.request import read
from qxbatch.problems import UsageError
from qxbatch.settings.parameter import Form, Parameter
from qxbatch.settings.parameters import PARAMETERS


def misuse_in(words: list[str]) -> UsageError | None:
    try:
        read(words)
    except UsageError as wrong:
        return wrong
    return None


WITH_VALUE = [each for each in PARAMETERS if each.form is Form.VALUE]


def given_by(*words: str) -> dict[str, str]:
    return read(words).given


@pytest.mark.parametrize("parameter", WITH_VALUE, ids=lambda each: each.name)
@pytest.mark.parametrize("dash", ["-", "_"])
@pytest.mark.parametrize("joined", [True, False], ids=["equals", "space"])
def test_every_parameter_is_read_with_dashes_or_underscores_and_after_an_equals_sign_or_a_space(
    parameter: Parameter, dash: str, joined: bool
) -> None:
    name = "--" + parameter.name.replace("_", dash)
    words = [f"{name}=a=b_c"] if joined else [name, "a=b_c"]
    assert given_by(*words) == {parameter.name: "a=b_c"}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(chosen=st.dictionaries(st.sampled_from([each.option for each in WITH_VALUE]), TEXT), data=st.data())
def test_values_come_through_unchanged_in_any_order_and_spelling(chosen: dict[str, str], data: st.DataObject) -> None:
    words = []
    for option, value in data.draw(st.permutations(list(chosen.items()))):
        spelled = "--" + option[2:].replace("-", data.draw(st.sampled_from("-_")))
        words += [f"{spelled}={value}"]
    assert given_by(*words) == {option[2:].replace("-", "_"): value for option, value in chosen.items()}


@given(st.lists(st.text(string.ascii_letters + "-_=/.0", max_size=12), max_size=6))
def test_any_words_are_a_request_or_a_usage_error(words: list[str]) -> None:
    said = misuse_in(words)
    assert said is None or (said.message and said.status == 64)
    assert said is None or "Option(" not in said.message + said.hint


@pytest.mark.parametrize("words", [["--overwrite", "yes", "dir"], ["dir", "--overwrite=yes"]])
def test_the_sessions_folder_stands_before_or_behind_the_options(words: list[str]) -> None:
    assert given_by(*words) == {"overwrite": "yes", "sessionsfolder": "dir"}


def test_a_value_may_begin_with_a_dash() -> None:
    assert given_by("--sessions", "-x.*")["sessions"] == "-x.*"


def test_everything_behind_two_dashes_is_positional() -> None:
    assert given_by("--", "--odd")["sessionsfolder"] == "./--odd"


@pytest.mark.parametrize("words", [["--test"], ["--test=yes"], ["--test", "yes"], ["--test", "yes", "--quiet"]])
def test_a_dry_run_may_be_asked_for_without_a_value(words: list[str]) -> None:
    assert given_by(*words)["test"] == "yes"


def test_a_dry_run_without_a_value_leaves_the_folder_alone() -> None:
    assert given_by("--test", "folder") == {"test": "yes", "sessionsfolder": "folder"}


@pytest.mark.parametrize(
    "words",
    [
        ["in", "out", "participant", "--participant-label", "01", "02"],
        ["in", "out", "participant", "--participant_label=01,02"],
        ["--participant_label", "01", "02", "in", "out", "participant"],
        ["--participant_label", "01", "02", "--", "in", "out", "participant"],
    ],
)
def test_labels_take_commas_or_several_words_in_either_order(words: list[str]) -> None:
    request = read(words)
    assert request.level == "participant"
    assert request.given == {"participant_label": "01,02", "masterinbox": "in", "sessionsfolder": "out"}


def test_a_path_is_no_label() -> None:
    request = read(["--participant-label", "01", "/in", "/out", "group"])
    assert request.given["participant_label"] == "01"
    assert request.level == "group"


MISUSE = [
    (["--arch=copy"], "--arch", "--archive"),
    (["--session=x"], "--session", "--sessions"),
    (["--archve", "copy"], "--archve", "--archive"),
    (["--Archive=copy"], "--Archive", "--archive"),
    (["-x"], "-x", "--help"),
    (["--archive=copy", "--archive=copy"], "--archive", "once"),
    (["--n-procs=1", "--n_procs=2"], "--n-procs", "once"),
    (["-w", "a", "--work-dir=b"], "--work-dir", "once"),
    (["--sessions"], "--sessions", "value"),
    (["--sessions", "--overwrite=yes"], "--sessions", "value"),
    (["--quiet=yes"], "--quiet", "no value"),
    (["--participant-label"], "--participant-label", "label"),
    ([""], "empty", "variable"),
    (["", "out", "group"], "empty", "variable"),
    (["a", "b"], "a b", "sessions folder"),
    (["a", "b", "c"], "'c'", "participant or group"),
    (["a", "b", "participant", "d"], "4 words", "sessions folder"),
    (["dir", "--sessionsfolder=other"], "other", "one"),
    (["a", "b", "group", "--masterinbox=c"], "--masterinbox", "Leave out"),
]


@pytest.mark.parametrize(("words", "named", "next_step"), MISUSE, ids=str)
def test_misuse_names_the_option_and_what_to_do(words: list[str], named: str, next_step: str) -> None:
    with pytest.raises(UsageError) as wrong:
        read(words)
    assert named in wrong.value.message
    assert next_step in wrong.value.message + wrong.value.hint
    assert wrong.value.status == 64
