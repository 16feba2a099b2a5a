"""Every public set and the built-in one: as expected, as counted by pydicom, and readable by every later command."""

from pathlib import Path

import pytest

from qxbatch import demo
from qxbatch.regress.run import Outcome, import_and_compare
from qxbatch.regress.sets import RegressionSet, write_expected
from tests.endtoend.judge import Judge
from tests.regression.acquisition import unexplained
from tests.regression.consumers import check_all
from tests.regression.declared import EXPECTED, Declared, declared, only_quick, updating, variants
from tests.regression.forked import importing_in_forks
from tests.regression.independent import observed, series
from tests.regression.inspection import differences
from tests.regression.references import references
from tests.regression.references import unexplained as unreferenced


def check_sessions(sessions: Path) -> None:
    """Check every session with independent readers, and each session.txt by the rules of its four readers."""
    for path in sessions.glob("*/session.txt"):
        assert unexplained(path.parent) == []
        Judge(path.parent).check()
        check_all(path.parent)


def run_as_expected(one: RegressionSet, sample_folder: Path | None = None) -> Outcome:
    """Run a set that must have no differences; a single packet must have the facts of its single session.

    `sample_folder` may contain references, with which the facts are compared.
    """
    packets = sorted(one.packets_folder.iterdir())

    def judge(sessions: Path) -> None:
        check_sessions(sessions)
        imported = [path.parent for path in sessions.glob("*/session.txt")]
        if len(imported) == 1 and len(packets) == 1:
            assert differences(packets[0], imported[0]) == []
        for session in imported:
            assert sample_folder is None or unreferenced(references(session, sample_folder)) == []

    with importing_in_forks():
        outcome = import_and_compare(one, before_removal=judge)
    if updating() and (outcome.is_new or outcome.differences):
        write_expected(one.expected_file, outcome.observed)
        pytest.skip(f"QXBATCH_UPDATE=1: {one.expected_file.name} is written; read it before you keep it")
    assert not outcome.is_new, f"{one.expected_file} is missing: QXBATCH_UPDATE=1 writes it"
    assert outcome.differences == (), f"if this is intended, QXBATCH_UPDATE=1 rewrites {one.expected_file.name}"
    return outcome


@pytest.mark.data
@pytest.mark.parametrize("one", declared(), ids=lambda one: one.name)
def test_a_public_set(one: Declared, data: Path, tmp_path: Path) -> None:
    skip_unless_requested(one, data)
    laid_out = one.lay_out(data, tmp_path / "packets")
    (packet,) = laid_out.packets_folder.iterdir()
    counted = series(packet)
    outcome = run_as_expected(laid_out, data / (one.folder or one.name))
    assert observed(outcome.observed["sessions"]) == counted


@pytest.mark.data
@pytest.mark.parametrize("one", variants(), ids=lambda one: one.name)
def test_a_public_set_imported_in_another_way(one: Declared, data: Path, tmp_path: Path) -> None:
    skip_unless_requested(one, data)
    laid_out = one.lay_out(data, tmp_path / "packets")
    packets = sorted(laid_out.packets_folder.iterdir())
    counted = [series(packet) for packet in packets]
    outcome = run_as_expected(laid_out)
    if outcome.observed["status"] == 1 and not outcome.observed["sessions"]:
        assert outcome.observed["waiting"] == [packet.name for packet in packets], "a refused packet stays in the inbox"
        assert "mixed-patients" in str(outcome.observed["failed"])
    else:
        assert observed(outcome.observed["sessions"]) == {key: n for each in counted for key, n in each.items()}


def skip_unless_requested(one: Declared, data: Path) -> None:
    """Skip a set that is absent or not requested, with the reason."""
    folder = one.folder or one.name
    if only_quick() and not one.quick:
        pytest.skip(f"QXBATCH_REGRESSION=quick: {one.name} is not one of the quick sets")
    if not (data / folder).is_dir():
        pytest.skip(f"{folder} is not among the sample data: {one.source} at {one.commit}")


def test_the_built_in_set(tmp_path: Path) -> None:
    packets = demo.make_study(tmp_path) / "inbox" / "MR"
    outcome = run_as_expected(RegressionSet("built-in", packets, EXPECTED / "built-in.json"))
    for name in ("OP101.zip", "OP102_baseline.tar.gz", "OP103"):
        session = name.partition(".")[0]
        assert observed({session: outcome.observed["sessions"][session]}) == series(packets / name)
