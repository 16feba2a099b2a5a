"""Every public set and the built-in one: as expected, as pydicom counts, and readable by every later command."""

from pathlib import Path

import pytest

from qxbatch import demo
from qxbatch.regress.run import Outcome, check
from qxbatch.regress.sets import RegressionSet, write_expected
from tests.endtoend.judge import Judge
from tests.regression.declared import EXPECTED, Declared, declared, updating
from tests.regression.independent import observed, series


def judged(sessions: Path) -> None:
    """Read every session with readers of our own."""
    for path in sessions.glob("*/session.txt"):
        Judge(path.parent).check()


def as_expected(one: RegressionSet) -> Outcome:
    """Run a set; its differences are none."""
    outcome = check(one, also=judged)
    if updating() and (outcome.new or outcome.differences):
        write_expected(one.expected, outcome.found)
        pytest.skip(f"QXBATCH_UPDATE=1: {one.expected.name} is written; read it before you keep it")
    assert not outcome.new, f"{one.expected} is missing: QXBATCH_UPDATE=1 writes it"
    assert outcome.differences == ()
    return outcome


@pytest.mark.data
@pytest.mark.parametrize("one", declared(), ids=lambda one: one.name)
def test_a_public_set(one: Declared, data: Path, tmp_path: Path) -> None:
    if not (data / one.name).is_dir():
        pytest.skip(f"{one.name} is not among the sample data: {one.source} at {one.commit}")
    given = one.lay_out(data, tmp_path / "packets")
    (packet,) = given.packets.iterdir()
    counted = series(packet)
    outcome = as_expected(given)
    assert observed(outcome.found["sessions"]) == counted


def test_the_built_in_set(tmp_path: Path) -> None:
    packets = demo.make(tmp_path) / "inbox" / "MR"
    outcome = as_expected(RegressionSet("built-in", packets, EXPECTED / "built-in.json"))
    for name in ("OP101.zip", "OP102_baseline.tar.gz", "OP103"):
        session = name.partition(".")[0]
        assert observed({session: outcome.found["sessions"][session]}) == series(packets / name)
