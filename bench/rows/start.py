"""How long it takes to start, against the interpreter alone."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.bench import OURS, Bench, Row, Target
from bench.measure import Contender

PYTHON = "python -c pass"


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the help and a run that finds nothing."""
    program = Path(sys.executable).with_name("qxbatch")
    interpreter = Contender(PYTHON, lambda _: [sys.executable, "-c", "pass"])
    help_text = Contender(OURS, lambda _: [program, "--help"])
    yield bench.measure("Start: the help", "qxbatch --help", [help_text, interpreter], [Target(PYTHON, "wall", 1 / 4)])
    nothing = Contender(
        OURS,
        lambda folder: [program, folder, "--check=no"],
        before=lambda folder: (folder / "inbox" / "MR").mkdir(parents=True),
    )
    targets = [Target(PYTHON, "wall", 1 / 10)]
    yield bench.measure("Start: nothing to do", "an empty inbox", [nothing, interpreter], targets)
