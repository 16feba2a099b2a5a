"""Commands in a report, run by a shell as printed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.build.study import TIME_LIMIT, Run, Study

UNPACKED = "unpacked"
"""Folder beside the programs: what `unrar` extracts from any archive."""
_PROGRAMS = {
    "qxbatch": f'exec "{sys.executable}" -m qxbatch "$@"',
    "unrar": 'test "$1" = x && test -f "$2" && mkdir -p "$3" && cp -R "$(dirname "$0")/unpacked/." "$3"',
}


def programs(folder: Path) -> Path:
    """Create a folder with qxbatch, and with an unrar that extracts the content of `unpacked` from any archive."""
    (folder / UNPACKED).mkdir(parents=True, exist_ok=True)
    for name, text in _PROGRAMS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return folder


def in_shell(study: Study, command: str, **replaced: str) -> Run:
    """Run a command as printed; only placeholders such as FILE are replaced."""
    for word, text in replaced.items():
        assert word in command
        command = command.replace(word, text)
    folder = programs(study.sessions.parent.parent / "programs")
    process = subprocess.run(
        ["bash", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        timeout=TIME_LIMIT,
        text=True,
        errors="backslashreplace",
    )
    return Run(process.returncode, process.stdout, process.stderr)


def problems(study: Study, *options: str) -> list[dict[str, Any]]:
    """Run an import, and return its problems; check that one-line commands of errors and warnings are printed."""
    path = study.sessions.parent / "run.json"
    run = study.main(*options, f"--json-file={path}")
    content = json.loads(path.read_bytes())
    all_problems = [each["problem"] for each in content["found"] if each["problem"]]
    all_problems += [problem for session in content["sessions"] for problem in session["problems"]]
    commands = [problem.get("command", "") for problem in all_problems if problem["severity"] != "info"]
    for command in [each for each in commands if each and "\n" not in each]:
        assert f"      {command}" in run.text
    return all_problems
