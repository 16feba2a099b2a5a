"""The man page lists all parameters and commands, and man and mandoc can read it."""

import re
import subprocess

import pytest

from qxbatch.cli.commands import COMMANDS
from qxbatch.completion import manual
from qxbatch.core import VERSION
from qxbatch.exits import ExitStatus
from qxbatch.settings.parameters import PARAMETERS
from tests.shells.typed import INSTALLED, program

PAGE = INSTALLED / "man" / "man1" / "qxbatch.1"


def rendered() -> str:
    """Return the output of `man` on one line."""
    command = [program("man"), "--warnings", "-l", str(PAGE)]
    env = {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": "", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert [line for line in done.stderr.splitlines() if "can't break line" not in line] == []
    return " ".join(re.sub("‐\n *", "", done.stdout.replace("−", "-")).split())


def test_man_shows_every_parameter_command_and_status() -> None:
    text = rendered()
    assert f"qxbatch {VERSION}" in text
    assert [each.option for each in PARAMETERS if each.option not in text] == []
    assert [name for name in COMMANDS if f"qxbatch {name}" not in text] == []
    statuses = text.partition("EXIT STATUS")[2].partition("EXAMPLES")[0].split()
    assert {int(word) for word in statuses if word.isdecimal()} >= {int(status) for status in ExitStatus}


def test_mandoc_warns_only_about_the_missing_date() -> None:
    command = [program("mandoc"), "-Tlint", "-W", "warning", str(PAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


@pytest.mark.parametrize(
    ("text", "escaped"), [(".dot", "\\&.dot"), ("'quote", "\\&'quote"), ("--a\\b", "\\-\\-a\\eb"), ("a.b", "a.b")]
)
def test_text_is_escaped_for_roff(text: str, escaped: str) -> None:
    assert manual._escaped(text) == escaped
