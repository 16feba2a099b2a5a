"""The public sets as one BIDS data set: the reviewed table of images to paths."""

from pathlib import Path

import pytest

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.decide.plan_table import COLUMNS, plan_table_text
from qxbatch.bids.propose.proposal import propose
from qxbatch.bids.rules.rule_file import parse_rules, read_rules
from tests.regression.bids_study import PATHS, RULES, SharedStudy, shared_study
from tests.regression.declared import only_quick, updating

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(only_quick(), reason="QXBATCH_REGRESSION=quick: the study has all sets"),
]
MOST_LINES = 60
COMPARED = ("session", "series", "image", "name", "path")


@pytest.fixture(scope="module")
def study(data: Path) -> SharedStudy:
    return shared_study(data)


def table(text: str) -> str:
    """Return the table of a plan without the columns `rule` and `reason`."""
    columns = [COLUMNS.index(name) for name in COMPARED]
    rows = ([line.split("\t")[k] for k in columns] for line in text.splitlines())
    return "".join("\t".join(row) + "\n" for row in rows)


def test_one_rule_file_decides_every_series_as_reviewed(study: SharedStudy) -> None:
    plans = decide(study.folders, read_rules(RULES))
    assert [(plan.session.id, plan.problem, plan.undecided_series) for plan in plans if not plan.is_ready] == []
    found = table(plan_table_text(plans))
    if updating() and found != PATHS.read_text(encoding="utf-8"):
        PATHS.write_text(found, encoding="utf-8")
        pytest.skip(f"QXBATCH_UPDATE=1: {PATHS.name} is written; read it before you keep it")
    assert found == PATHS.read_text(encoding="utf-8"), f"if this is intended, QXBATCH_UPDATE=1 rewrites {PATHS.name}"


def test_the_rule_file_is_short(study: SharedStudy) -> None:
    assert len(study.folders) > 1
    assert RULES.read_text(encoding="utf-8").count("\n") <= MOST_LINES


def test_a_proposed_rule_file_decides_every_series(study: SharedStudy) -> None:
    plans = decide(study.folders, parse_rules(propose(study.folders)))
    assert [(plan.session.id, plan.problem, plan.undecided_series) for plan in plans if not plan.is_ready] == []
    assert sum(len(plan.placed_images) for plan in plans) > MOST_LINES
