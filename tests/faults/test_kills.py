"""Runs killed at their own steps and at random moments, in every mode: nothing is lost or partial, and the rerun gives the same."""

import random
from pathlib import Path

import pytest

from tests.faults.__main__ import NO_CONVERTER, errors, one, plan
from tests.faults.scenarios import Scenario, scenarios
from tests.faults.stage import Stage, victim
from tests.faults.victim import START

SHORT = ("anew-move", "folder-delete", "disk-move")


@pytest.mark.parametrize("scenario", [s for s in scenarios() if s.name in SHORT], ids=lambda s: s.name)
def test_a_killed_run_loses_nothing_and_the_next_one_ends_as_if_it_had_not_been(
    scenario: Scenario, tmp_path: Path
) -> None:
    stage = Stage(scenario, tmp_path)
    publishing = [k for k, step in enumerate(stage.steps, start=1) if step.startswith("os.rename") and "/work/" in step]
    chance = random.Random(len(scenario.name))
    faults = [
        *plan(stage, 2, chance, every=False),
        ("KILL", chance.choice(publishing)),
        ("TERM", len(stage.steps) // 2),
    ]
    for k, (deed, step) in enumerate(faults):
        assert one(stage, f"run{k}", deed, step) == [], f"{deed}@{step}"


def test_a_missing_converter_is_only_said_where_a_process_could_not_be_started(tmp_path: Path) -> None:
    (scenario,) = [s for s in scenarios() if s.name == "inbox-move"]
    stage = Stage(scenario, tmp_path)
    first = stage.steps.index(START) + 1
    run = victim(f"EIO@{first}", tmp_path / "taken", stage.copy("start"))
    assert run.status == NO_CONVERTER, run.text
    assert NO_CONVERTER in errors("EIO", first, tmp_path / "taken")
    assert NO_CONVERTER not in errors("EIO", first - 1, tmp_path / "taken")
    assert NO_CONVERTER not in errors("FULL", first, tmp_path / "taken")
    assert one(stage, "again", "EIO", first) == []
