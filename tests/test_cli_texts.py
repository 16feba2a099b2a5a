"""Help texts are complete, docopt can parse them, and printing them loads few modules."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from docopt import docopt
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.cli.commands import COMMANDS
from qxbatch.cli.docopt_call import call_docopt
from qxbatch.cli.main import main
from qxbatch.cli.texts import WIDTH, command_text, import_text, wrap
from qxbatch.exits import ExitStatus
from qxbatch.settings.parameter import Form, Parameter
from qxbatch.settings.parameters import MOST_USED, PARAMETERS


def test_docopt_finds_all_parameters_in_the_help() -> None:
    arguments = docopt(import_text(), [], default_help=False)
    options = {name for name in arguments if name.startswith("--")}
    assert options == {each.option for each in PARAMETERS} | {"--help", "--version"}
    assert all(not arguments[name] for name in options), "docopt must not set defaults"


@pytest.mark.parametrize("name", ["", *COMMANDS])
@pytest.mark.parametrize("every", [1, 2, 1000], ids=["all options", "half", "none"])
def test_a_command_line_is_read_as_docopt_reads_it_by_the_whole_help_text(name: str, every: int) -> None:
    command = COMMANDS.get(name)
    parameters = PARAMETERS if command is None else command.parameters
    text = import_text() if command is None else command_text(command.summary, command.usage, parameters)
    options = [
        parameter.option if parameter.form is Form.SWITCH else f"{parameter.option}=a=--json"
        for parameter in parameters
    ]
    words = re.findall(r" <(\w+)>", text.partition("Usage:\n")[2].splitlines()[0])
    argv = [*([name] if name else []), *options[every - 1 :: every], *words]
    assert call_docopt(text, argv, f"qxbatch {name}") == dict(docopt(text, argv, default_help=False))


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda each: each.name)
def test_the_help_shows_the_meaning_default_and_choices_of_each_parameter(parameter: Parameter) -> None:
    help_text = " ".join(import_text().split())
    assert parameter.option in help_text
    assert parameter.meaning.replace("`", "") in help_text
    assert not parameter.default or f"Default: {parameter.default}" in help_text
    assert parameter.form is Form.SWITCH or f"{parameter.option}={parameter.metavar}" in help_text
    assert all(choice in parameter.metavar for choice in parameter.choices) or not parameter.choices


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_help_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = COMMANDS[name]
    assert main([name, "--help=all"]) == 0
    assert capsys.readouterr().out == command_text(command.summary, command.usage, command.parameters)
    assert f"  {name} " in import_text(((name, command.summary),))


@pytest.mark.parametrize(
    ("command", "head", "of_the_import"),
    [
        ("inspect", "--test=yes|no", "and stop"),
        ("sort", "--archive=move|copy|leave|delete", "once its session is written"),
        ("sort", "--nameformat=REGEX", "in a packet's name"),
        ("convert", "--nameformat=REGEX", "Default: (?P<subject_id>"),
        ("bids", "--logfile=SPEC", "names the subject of each packet"),
        ("jobs", "--list-all", "before and after the import"),
        ("resume", "--scheduler=SPEC", "Submit the import"),
    ],
)
def test_an_option_that_means_something_else_in_a_command_says_so(
    command: str, head: str, of_the_import: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert of_the_import in " ".join(import_text().split())
    assert main([command, "--help=all"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f" {head} " in text
    assert of_the_import not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_names_only_its_own_options(name: str) -> None:
    parameters = COMMANDS[name].parameters
    named = {option for each in parameters for option in re.findall(r"--[a-z][a-z-]*", each.meaning)}
    assert named <= {each.option for each in parameters}


def options_in(text: str) -> set[str]:
    """Return the long names of the options in a help text."""
    words = [line.split()[-1] for line in text.splitlines() if line.startswith("  -")]
    return {word.partition("=")[0] for word in words} - {"--help", "--version"}


def test_the_short_help_shows_the_ten_most_used_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert options_in(text) == {each.option for each in PARAMETERS if each.name in MOST_USED}
    assert len(MOST_USED) == 10
    assert f"`qxbatch --help=all` shows the {len(PARAMETERS) - 10} other options." in text


@pytest.mark.parametrize("words", [["--help=all"], ["help", "all"], ["/some/folder", "--help=all"]], ids=" ".join)
def test_the_full_help_shows_all_options(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert options_in(capsys.readouterr().out) == {each.option for each in PARAMETERS}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_of_a_command_shows_ten_options_and_how_to_see_the_others(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    others = len(COMMANDS[name].parameters) - 10
    assert len(options_in(text)) == min(10, len(COMMANDS[name].parameters))
    assert (f"`qxbatch {name} --help=all` shows the {others} other options." in text) is (others > 0)


@pytest.mark.parametrize("first", ["", *COMMANDS])
@pytest.mark.parametrize("option", ["--help", "--help=all"])
def test_the_help_fits_into_80_columns(first: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*([first] if first else []), option]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > WIDTH == 80] == []


def test_no_help_text_contains_the_default_marker_of_docopt() -> None:
    texts = [
        import_text(),
        *(command_text(command.summary, command.usage, command.parameters) for command in COMMANDS.values()),
    ]
    assert not any("[default:" in text.casefold() for text in texts)


@given(st.lists(st.sampled_from(["word", "--option", "-x", "longer-word", "a"]), min_size=1), st.integers(5, 30))
def test_wrapping_keeps_all_words_and_no_later_line_starts_with_a_dash(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert " ".join(lines).split() == words
    assert not any(line.startswith("-") for line in lines[1:])


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_is_printed_even_if_another_option_is_wrong(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--archive=wrong", word]) == 0
    assert "Usage:" in capsys.readouterr().out


def test_help_after_two_dashes_is_a_path(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--", "--help"]) == 64
    assert "does not exist" in capsys.readouterr().err


def test_the_help_loads_no_large_module() -> None:
    code = "import sys; from qxbatch.cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "docopt",
        "dataclasses",
        "pydicom",
        "numpy",
        "nibabel",
        "logging",
        "qxbatch._core",
        "importlib.metadata",
        "rich",
    }
    assert not heavy & set(result.stderr.split())


def test_a_run_without_packets_loads_no_modules_of_the_import(tmp_path: Path) -> None:
    (tmp_path / "inbox" / "MR").mkdir(parents=True)
    code = f"import sys; from qxbatch.cli.main import main; main([{str(tmp_path)!r}]); print(*sys.modules, file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stderr.split())
    assert "qxbatch.discover.candidates" in loaded
    import_modules = {"qxbatch._core", "qxbatch.convert.series", "qxbatch.pipeline.unit"}
    assert not loaded & {
        *import_modules,
        "concurrent.futures",
        "hashlib",
        "json",
        "numpy",
        "pydicom",
        "shutil",
        "subprocess",
    }


def test_the_documentation_lists_every_exit_status_and_command() -> None:
    text = (Path(__file__).resolve().parent.parent / "docs/command-line.md").read_text(encoding="utf-8")
    statuses = {int(line.split("|")[1]) for line in text.splitlines() if line.startswith("| ") and line[2].isdecimal()}
    assert statuses == {int(status) for status in ExitStatus}
    assert {line.split("`")[1].split()[0] for line in text.splitlines() if line.startswith("| `")} == set(COMMANDS)
