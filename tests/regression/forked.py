"""Imports of regression sets in forks of a process that has imported qxbatch."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from qxbatch.regress import run
from tests.build.command_server import run_module
from tests.build.study import TIME_LIMIT, Run, run_main


@contextmanager
def importing_in_forks() -> Iterator[None]:
    """Start no Python for the import of a set."""
    with patch.object(run, "run_command", _run):
        yield


def _run(words: Sequence[str]) -> tuple[int, str]:
    status, _, errors = run_module("qxbatch", words, os.environ, Path.cwd(), TIME_LIMIT)
    return status, errors


def regress(folder: Path, *options: str) -> Run:
    """Run `qxbatch regress`."""
    with importing_in_forks():
        return run_main("regress", str(folder), *options)
