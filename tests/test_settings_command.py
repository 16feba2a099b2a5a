"""The command that repeats a run for one session."""

import shlex
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qxbatch.cli.request import read
from qxbatch.discover.filters import filter_reason, matches_glob
from qxbatch.model import SessionId
from qxbatch.resolve.names import invalid_name_reason
from qxbatch.settings.command import as_glob, command_for
from qxbatch.settings.lists import split_list
from qxbatch.settings.model import Settings
from qxbatch.settings.parse import parse

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12).filter(
    lambda name: not invalid_name_reason(name)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a b") / "sessions"
    (folder / "inbox/MR").mkdir(parents=True)
    return folder


def settings_of(words: list[str]) -> Settings:
    """Return the settings of a command line, as in qxbatch.cli.start."""
    request = read(words)
    return parse(request.values, bids_app=bool(request.level)).settings


def settings_of_copied(command: str) -> Settings:
    """Return the settings of a command that is copied into a shell."""
    program, *words = shlex.split(command)
    assert program == "qxbatch"
    return settings_of(words)


def test_the_command_is_short() -> None:
    settings = parse({"sessionsfolder": "/tmp"}).settings
    assert command_for(settings, ["HQ210_base"], {"on_mixed": "split"}) == (
        "qxbatch /tmp --sessions=HQ210_base --on-mixed=split"
    )


@given(name=NAMES, other=NAMES)
def test_the_command_selects_this_session_and_no_other(folder: Path, name: str, other: str) -> None:
    settings = settings_of_copied(command_for(settings_of([str(folder)]), [name], {"overwrite": "yes"}))
    assert settings.overwrite
    assert filter_reason(settings, "packet", SessionId(name)) == ""
    if other != name:
        assert filter_reason(settings, "packet", SessionId(other)) != ""


@example(names=["S(1", "S2"])
@example(names=["a\\", "b"])
@example(names=["a\\,b", "[", "{", " c"])
@given(names=st.lists(st.text("ab1,*?!-[](){}\\ ^", min_size=1, max_size=6), min_size=1, max_size=3))
def test_a_list_of_globs_has_an_item_for_each_name(names: list[str]) -> None:
    globs = split_list(",".join(map(as_glob, names)))
    assert len(globs) == len(names)
    assert [[matches_glob(name, [glob]) for name in names] for glob in globs] == [
        [name == other for name in names] for other in names
    ]


@given(name=NAMES, other=NAMES)
def test_a_glob_selects_this_session_and_no_other_in_folder_mode(folder: Path, name: str, other: str) -> None:
    given = settings_of([str(folder), "--masterinbox=none", "--sessions=*"])
    settings = settings_of_copied(command_for(given, [name]))
    assert settings.masterinbox is None
    assert matches_glob(name, settings.sessions)
    assert other == name or not matches_glob(other, settings.sessions)


@pytest.mark.parametrize(
    "words",
    [
        ["{s}", "--pattern=(?P<packet_name>.*)_x", "--nameformat=(?P<subject_id>.*)", "--archive", "copy"],
        ["{s}", "--masterinbox={s}/inbox"],
        ["{s}", "--masterinbox=none", "--sessions=*"],
        ["{s}/inbox/MR", "{s}", "participant", "--participant-label", "01", "--path-map={s}=/out"],
        ["--sessionsfolder={s}", "--deidentify-logs", "--on-damaged=keep"],
    ],
)
def test_the_command_repeats_the_form_and_the_options_of_the_user(folder: Path, words: list[str]) -> None:
    first = settings_of([word.replace("{s}", str(folder)) for word in words])
    second = settings_of_copied(command_for(first, ["S1"], {"on_same_session": "merge"}))
    for name in ("sessionsfolder", "masterinbox", "pattern", "nameformat", "archive", "bids_app", "path_map"):
        assert getattr(first, name) == getattr(second, name), name
    assert (first.on_damaged, first.deidentify_logs) == (second.on_damaged, second.deidentify_logs)
    assert second.on_same_session.value == "merge"
    assert second.sessions == ("S1",)


def test_the_command_names_a_config_file_and_does_not_copy_its_values(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("archive = 'leave'\n")
    settings = parse(
        {"archive": "leave", "config": str(config), "sessionsfolder": str(folder)},
        on_command_line={"config": str(config), "sessionsfolder": str(folder)},
    ).settings
    command = command_for(settings, ["S1"])
    assert f"--config={config}" in command
    assert "--archive" not in command


def test_a_switch_that_a_program_turned_off_is_not_repeated(folder: Path) -> None:
    settings = parse({"sessionsfolder": str(folder), "deidentify_logs": "no", "overwrite": "no"}).settings
    assert command_for(settings, ["S1"]) == f"qxbatch {shlex.quote(str(folder))} --sessions=S1 --overwrite=no"


def test_report_options_are_not_repeated(folder: Path) -> None:
    settings = settings_of([str(folder), "--test", "--quiet", "--json-file=x", "--check=no", "--verbose=no"])
    assert command_for(settings, ["S1"]) == f"qxbatch {shlex.quote(str(folder))} --sessions=S1"
