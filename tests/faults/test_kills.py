"""Runs killed at their own steps and at random moments, in every mode: nothing lost, nothing half, the rerun the same."""

import random
from pathlib import Path

import pytest

from tests.faults.__main__ import one, plan
from tests.faults.scenarios import Scenario, scenarios
from tests.faults.stage import Stage

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
