"""The man page: all parameters and parts, and readable by the programs that show man pages."""

import re
import subprocess

import pytest

from qxbatch.cli.parts import PARTS
from qxbatch.completion import manual
from qxbatch.core import VERSION
from qxbatch.exits import ExitStatus
from qxbatch.settings.parameters import PARAMETERS
from tests.shells.typed import SHARE, program

PAGE = SHARE / "man" / "man1" / "qxbatch.1"


def shown() -> str:
    """Return the page as `man` shows it, on one line."""
    command = [program("man"), "--warnings", "-l", str(PAGE)]
    env = {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": "", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert [line for line in done.stderr.splitlines() if "can't break line" not in line] == []
    return " ".join(re.sub("‐\n *", "", done.stdout.replace("−", "-")).split())


def test_man_shows_every_parameter_part_and_status() -> None:
    text = shown()
    assert f"qxbatch {VERSION}" in text
    assert [each.option for each in PARAMETERS if each.option not in text] == []
    assert [name for name in PARTS if f"qxbatch {name}" not in text] == []
    statuses = text.partition("EXIT STATUS")[2].partition("EXAMPLES")[0].split()
    assert {int(word) for word in statuses if word.isdecimal()} >= {int(status) for status in ExitStatus}


def test_mandoc_has_nothing_to_say_but_that_there_is_no_date() -> None:
    command = [program("mandoc"), "-Tlint", "-W", "warning", str(PAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


@pytest.mark.parametrize(
    ("text", "escaped"), [(".dot", "\\&.dot"), ("'quote", "\\&'quote"), ("--a\\b", "\\-\\-a\\eb"), ("a.b", "a.b")]
)
def test_no_text_becomes_a_request(text: str, escaped: str) -> None:
    assert manual._escaped(text) == escaped
