"""The workflow for public CI only checks out the repository and calls its scripts."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
WORKFLOW = REPOSITORY / ".github" / "workflows" / "ci.yml"
KEYS = ("name", "on", "push", "pull_request", "permissions", "contents", "jobs", "runs-on", "steps", "uses", "run")
"""The allowed keys other than names of jobs: no environment, no shell, no condition."""
LINE = re.compile(r"^( *)(?:- )?([\w-]+):(?: (.*))?$")


def rows(text: str) -> list[tuple[int, str, str]]:
    """Return indentation, key and value of each line; the workflow uses no other YAML."""
    parsed = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            match = LINE.match(line)
            assert match, f"not `key: value`: {line}"
            parsed.append((len(match[1]), match[2], match[3] or ""))
    return parsed


def faults(text: str) -> list[str]:
    """Return what a workflow does besides checking out the repository and calling its scripts."""
    wrong = []
    for indent, key, value in rows(text):
        if key not in KEYS and indent != 2:
            wrong.append(f"{key} is set")
        if key == "uses" and not re.fullmatch(r"actions/checkout@v\d+", value):
            wrong.append(f"{value} is used")
        if key == "run" and not is_script(value):
            wrong.append(f"{value} is no script of the repository")
    return wrong


def is_script(command: str) -> bool:
    """Return whether a command is a single script with literal arguments."""
    if re.search(r"[|&;<>$`\n]", command):
        return False
    program, *_ = shlex.split(command) or [""]
    return program.startswith(("scripts/", ".ci/")) and os.access(REPOSITORY / program, os.X_OK)


def test_the_workflow_only_checks_out_and_calls_scripts() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    assert faults(text) == []
    assert {value for _, key, value in rows(text) if key == "run"} >= {
        ".ci/run tests",
        ".ci/run wheel",
        ".ci/run image",
        "scripts/docs",
        "scripts/release --check",
    }


@pytest.mark.parametrize(
    "line",
    [
        "      - run: pip install qxbatch",
        "      - run: scripts/none",
        "      - run: scripts/test && curl example.org",
        "      - run: scripts/setup $SECRET",
        "      - uses: someone/else@v1",
        "        env:",
        "        if: always()",
    ],
)
def test_other_lines_are_found(line: str) -> None:
    assert len(faults(f"jobs:\n  tests:\n    steps:\n{line}\n")) == 1


def test_the_steps_that_the_workflow_passes_to_ci_exist() -> None:
    done = subprocess.run(["bash", "-n", REPOSITORY / ".ci" / "run"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    commands = [value for _, key, value in rows(WORKFLOW.read_text(encoding="utf-8")) if key == "run"]
    names = {word for command in commands if command.startswith(".ci/run") for word in command.split()[1:]}
    assert [name for name in names if not re.search(rf"(?m)^    {name}\)", script)] == []
