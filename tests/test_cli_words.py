"""The words of a command line are normalised for docopt, and misuse is explained in our own messages."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.cli.commands import COMMANDS
from qxbatch.cli.request import read
from qxbatch.cli.words import Reader
from qxbatch.problems import UsageError
from qxbatch.settings.parameter import Form, Parameter
from qxbatch.settings.parameters import PARAMETERS


def misuse_in(words: list[str]) -> UsageError | None:
    try:
        read(words)
    except UsageError as error:
        return error
    return None


WITH_VALUE = [each for each in PARAMETERS if each.form is Form.VALUE]


def values_in(*words: str) -> dict[str, str]:
    return read(words).values


@pytest.mark.parametrize("parameter", WITH_VALUE, ids=lambda each: each.name)
@pytest.mark.parametrize("dash", ["-", "_"])
@pytest.mark.parametrize("joined", [True, False], ids=["equals", "space"])
def test_every_parameter_accepts_dashes_underscores_equals_sign_and_space(
    parameter: Parameter, dash: str, joined: bool
) -> None:
    name = "--" + parameter.name.replace("_", dash)
    words = [f"{name}=a=b_c"] if joined else [name, "a=b_c"]
    assert values_in(*words) == {parameter.name: "a=b_c"}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(chosen=st.dictionaries(st.sampled_from([each.option for each in WITH_VALUE]), TEXT), data=st.data())
def test_values_are_read_unchanged_in_any_order_and_spelling(chosen: dict[str, str], data: st.DataObject) -> None:
    words = []
    for option, value in data.draw(st.permutations(list(chosen.items()))):
        spelled = "--" + option[2:].replace("-", data.draw(st.sampled_from("-_")))
        words += [f"{spelled}={value}"]
    assert values_in(*words) == {option[2:].replace("-", "_"): value for option, value in chosen.items()}


@given(st.lists(st.text(string.ascii_letters + "-_=/.0", max_size=12), max_size=6))
def test_any_words_are_a_request_or_a_usage_error(words: list[str]) -> None:
    error = misuse_in(words)
    assert error is None or (error.message and error.status == 64)
    assert error is None or "Option(" not in error.message + error.hint


@pytest.mark.parametrize("words", [["--overwrite", "yes", "dir"], ["dir", "--overwrite=yes"]])
def test_the_sessions_folder_precedes_or_follows_the_options(words: list[str]) -> None:
    assert values_in(*words) == {"overwrite": "yes", "sessionsfolder": "dir"}


def test_a_value_can_start_with_a_dash() -> None:
    assert values_in("--sessions", "-x.*")["sessions"] == "-x.*"


def test_words_after_two_dashes_are_positional() -> None:
    assert values_in("--", "--odd")["sessionsfolder"] == "./--odd"


@pytest.mark.parametrize("words", [["--test"], ["--test=yes"], ["--test", "yes"], ["--test", "yes", "--quiet"]])
def test_the_value_of_test_is_optional(words: list[str]) -> None:
    assert values_in(*words)["test"] == "yes"


def test_a_folder_after_test_is_not_its_value() -> None:
    assert values_in("--test", "folder") == {"test": "yes", "sessionsfolder": "folder"}


@pytest.mark.parametrize(
    "words",
    [
        ["in", "out", "participant", "--participant-label", "01", "02"],
        ["in", "out", "participant", "--participant_label=01,02"],
        ["--participant_label", "01", "02", "in", "out", "participant"],
        ["--participant_label", "01", "02", "--", "in", "out", "participant"],
        ["in", "--participant-label", "01", "02", "out", "participant"],
        ["--participant-label=01,02", "in", "out", "participant"],
    ],
)
def test_labels_are_separated_by_commas_or_are_several_words(words: list[str]) -> None:
    request = read(words)
    assert request.level == "participant"
    assert request.values == {"participant_label": "01,02", "masterinbox": "in", "sessionsfolder": "out"}


@pytest.mark.parametrize("label", [["--participant-label", "01"], ["--participant-label=01"]], ids=["space", "equals"])
@pytest.mark.parametrize("after", [["--check=no"], ["--check", "no", "--session-label", "a"], []], ids=len)
@pytest.mark.parametrize("folders", [["in", "out"], ["in", "out/x"], ["in/x", "out"], ["/in", "/out"]], ids=str)
@pytest.mark.parametrize("level", ["participant", "group"])
def test_data_output_and_level_after_a_label_are_recognised(
    label: list[str], after: list[str], folders: list[str], level: str
) -> None:
    request = read([*label, *folders, level, *after])
    assert request.level == level
    assert [request.values["masterinbox"], request.values["sessionsfolder"]] == folders
    assert request.values["participant_label"] == "01"


@pytest.mark.parametrize(
    "words",
    [
        ["--participant-label", "01", "in", "out", "--check=no", "participant"],
        ["in", "--participant-label", "01", "out", "--quiet", "participant"],
        ["--participant-label", "01", "in", "--", "out", "participant"],
        ["--participant-label", "01", "participant", "in", "out"],
        ["--participant-label", "01", "in", "--session-label", "a", "out", "group"],
        ["--participant-label", "in", "out", "group"],
    ],
    ids=" ".join,
)
def test_words_that_can_be_labels_or_folders_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        read(words)
    assert "-label" in caught.value.message
    assert "`--` before DATA" in caught.value.hint


def test_an_unknown_level_after_labels_is_named() -> None:
    error = misuse_in(["--participant-label", "01", "in", "out", "Participant"])
    assert error is not None
    assert "'Participant'" in error.message


def test_labels_can_have_the_name_of_a_level() -> None:
    assert values_in("in", "out", "group", "--session-label", "group", "2")["session_label"] == "group,2"
    assert values_in("--session-label=group")["session_label"] == "group"


def test_the_session_of_explain_can_have_the_name_of_a_level() -> None:
    parameters = COMMANDS["bids"].parameters
    for words in (["--explain", "S1", "group"], ["--explain=S1", "group"]):
        assert Reader(parameters, "qxbatch bids").read(["in", "out", *words]).options == {"--explain": "S1,group"}


def test_a_path_is_not_a_label() -> None:
    request = read(["--participant-label", "01", "/in", "/out", "group"])
    assert request.values["participant_label"] == "01"
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
def test_misuse_names_the_option_and_the_next_step(words: list[str], named: str, next_step: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(words)
    assert named in caught.value.message
    assert next_step in caught.value.message + caught.value.hint
    assert caught.value.status == 64
