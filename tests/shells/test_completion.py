"""bash, zsh and fish complete commands, options, values and files according to the parameter table."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.completion import words
from qxbatch.completion.render import files
from qxbatch.settings.parameter import Form, Group, Parameter
from tests.shells.typed import INSTALLED, program, typed

Complete = Callable[[str], str]
BASH = "bash-completion/completions/qxbatch"
FISH = "fish/vendor_completions.d/qxbatch.fish"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that contains a folder and a file."""
    (tmp_path / "study" / "below").mkdir(parents=True)
    (tmp_path / "packet.zip").touch()
    return tmp_path


def in_bash(folder: Path) -> Complete:
    set_up = f"bind 'set completion-query-items 0'; bind 'set page-completions off'; source '{INSTALLED / BASH}'"
    command = [program("bash"), "--norc", "--noprofile", "-i"]
    return lambda line: typed(command, set_up, line, folder=folder, env={"BASH_SILENCE_DEPRECATION_WARNING": "1"})


def in_zsh(folder: Path) -> Complete:
    site = INSTALLED / "zsh" / "site-functions"
    set_up = f"LISTMAX=10000; fpath=('{site}' $fpath); autoload -Uz compinit; compinit -u -D; setopt nobeep"
    command = [program("zsh"), "-f", "-i"]
    return lambda line: typed(command, set_up, line, folder=folder, env={"HOME": str(folder / "study")})


def in_fish(folder: Path) -> Complete:
    fish = program("fish")

    def complete(line: str) -> str:
        script = f"source '{INSTALLED / FISH}'; complete -C '{line}'"
        command = [fish, "--no-config", "-c", script]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return line + "\n" + done.stdout

    return complete


@pytest.fixture(params=[in_bash, in_zsh, in_fish], ids=["bash", "zsh", "fish"])
def complete(request: pytest.FixtureRequest, folder: Path) -> Complete:
    """Return a function that completes a line in a shell."""
    function: Complete = request.param(folder)
    return function


def offered(complete: Complete, line: str) -> str:
    """Return what a shell prints after a line, without the line itself."""
    return complete(line).replace(line, " ", 1)


@pytest.mark.parametrize(
    ("line", "expected", "unexpected"),
    [
        ("qxbatch ", ["verify", "doctor", "demo", "study"], ["packet.zip"]),
        ("qxbatch --on-", ["--on-mixed", "--on-damaged"], ["--archive"]),
        ("qxbatch scan --", ["--json", "--password-file"], ["--nameformat"]),
        ("qxbatch scan ", ["packet.zip", "study"], ["verify"]),
        ("qxbatch protocol ", ["learn", "check"], ["packet.zip"]),
        ("qxbatch protocol learn ", ["study"], ["packet.zip", "check"]),
        ("qxbatch report ", ["study"], ["packet.zip"]),
        ("qxbatch study out ", ["participant", "group"], ["packet.zip"]),
        ("qxbatch study --archive ", ["move", "copy", "leave", "delete"], ["packet.zip", "folder"]),
        ("qxbatch --on-mixed=", ["reject", "merge", "split"], ["leave"]),
        ("qxbatch study --masterinbox=", ["none", "study"], ["packet.zip"]),
        ("qxbatch --config ", ["packet.zip"], ["move"]),
        ("qxbatch convert --gzip=", ["folder", "file", "no"], ["move"]),
    ],
    ids=str,
)
def test_matching_words_are_offered(complete: Complete, line: str, expected: list[str], unexpected: list[str]) -> None:
    printed = offered(complete, line)
    assert [each for each in expected if each not in printed] == [], printed
    assert [each for each in unexpected if each in printed] == [], printed


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("qxbatch ver", "verify"),
        ("qxbatch --archive=le", "--archive=leave"),
        ("qxbatch verify stu", "study/"),
        ("qxbatch --nameform", "--nameformat"),
    ],
)
def test_a_unique_word_is_completed(complete: Complete, line: str, end: str) -> None:
    printed = complete(line)
    assert end in printed.replace(line + "\n", "") or line + end.removeprefix(line.rpartition(" ")[2]) in printed, (
        printed
    )


def test_a_given_option_is_not_offered_again(folder: Path) -> None:
    for make in (in_bash, in_zsh):
        printed = make(folder)("qxbatch study --archive=move --arch")
        assert printed.count("--archive") == 1, printed


def test_the_completion_files_are_up_to_date() -> None:
    remedy = "run .venv/bin/python -m qxbatch.completion.render"
    for name, text in files().items():
        assert (INSTALLED / name).read_text(encoding="utf-8") == text, remedy


def test_the_values_of_an_option_follow_from_its_parameter() -> None:
    def of(
        metavar: str = "", form: Form = Form.VALUE, choices: tuple[str, ...] = (), name: str = "x"
    ) -> tuple[str, ...]:
        return words.values_of(Parameter(name, "", group=Group.RUN, metavar=metavar, form=form, choices=choices))

    assert of("DIR|none") == (words.DIR, "none")
    assert of("FILE") == (words.FILE,)
    assert of("N|all") == ("all",)
    assert of("0-9") == of("SIZE") == of("SESSION SERIES") == of() == (words.ANY,)
    assert of(choices=("one", "two")) == ("one", "two")
    assert of(form=Form.SWITCH) == ()
    assert of("LIST", name="add_json_info")[0] == "all"


def test_every_command_is_completed_with_all_its_options() -> None:
    scripts = [text for name, text in files().items() if "man" not in name]
    for command in words.commands():
        for option in command.options:
            names = [option.name, f"-l {option.name.removeprefix('--')}"]
            missing = [text[:40] for text in scripts if not any(name in text for name in names)]
            assert missing == [] or "=" in option.name, option
