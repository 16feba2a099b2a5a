"""Runs with a fault at one of their steps or after a random time: nothing is lost or partial, and the rerun gives the same."""

import random
from pathlib import Path

import pytest

from tests.faults.__main__ import NO_CONVERTER, errors, plan, run_with_fault
from tests.faults.scenarios import Scenario, scenarios
from tests.faults.stage import Stage, victim
from tests.faults.victim import START

SHORT = ("overwrite-move", "folder-delete", "disk-move")


@pytest.mark.parametrize("scenario", [s for s in scenarios() if s.name in SHORT], ids=lambda s: s.name)
def test_a_run_with_a_fault_loses_nothing_and_the_next_one_gives_the_usual_result(
    scenario: Scenario, tmp_path: Path
) -> None:
    stage = Stage(scenario, tmp_path)
    publishing = [k for k, step in enumerate(stage.steps, start=1) if step.startswith("os.rename") and "/work/" in step]
    rng = random.Random(len(scenario.name))
    faults = [
        *plan(stage, 2, rng, every=False),
        ("KILL", rng.choice(publishing)),
        ("TERM", len(stage.steps) // 2),
    ]
    for k, (fault, step) in enumerate(faults):
        assert run_with_fault(stage, f"run{k}", fault, step) == [], f"{fault}@{step}"


def test_the_status_of_a_missing_converter_is_allowed_only_if_a_process_cannot_be_started(tmp_path: Path) -> None:
    (scenario,) = [s for s in scenarios() if s.name == "inbox-move"]
    stage = Stage(scenario, tmp_path)
    first = stage.steps.index(START) + 1
    run = victim(f"EIO@{first}", tmp_path / "taken", stage.copy("start"))
    assert run.status == NO_CONVERTER, run.text
    assert NO_CONVERTER in errors("EIO", first, tmp_path / "taken")
    assert NO_CONVERTER not in errors("EIO", first - 1, tmp_path / "taken")
    assert NO_CONVERTER not in errors("FULL", first, tmp_path / "taken")
    assert run_with_fault(stage, "again", "EIO", first) == []
