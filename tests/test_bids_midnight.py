"""Runs and field maps of a study that crosses midnight, if all headers have one date."""

from pathlib import Path

import pytest

from tests.build.bids import Scan, names, plan

BOLD = '[[rule]]\nmatch = { name = "rest" }\nas = "func/task-rest_bold"\n[[rule]]\nmatch = { name = "T1" }\nas = "anat/T1w"\n'


@pytest.mark.parametrize("start", ["00:10:00", "11:40:00"])
def test_runs_after_midnight_are_later_runs(tmp_path: Path, start: str) -> None:
    scans = (Scan(1, "T1", "23:40:00"), Scan(2, "rest", "23:50:00"), Scan(3, "rest", start))
    session_plan = plan(tmp_path, BOLD, *scans)
    assert (names(session_plan)[21], names(session_plan)[31]) == (
        "func/task-rest_run-1_bold",
        "func/task-rest_run-2_bold",
    )
    started = {each.image.number: each.image.series.acquisition for each in session_plan.placed_images}
    assert started[31] is not None
    assert started[31].started == f"2024-05-07T{start}"


def test_a_time_zone_does_not_matter(tmp_path: Path) -> None:
    """Summaries of qxbatch have no time zone, but others can have one."""
    with_zone = Scan(3, "rest", None, facts={"started": "2024-05-06T00:10:00+02:00"})
    scans = (Scan(1, "T1", "23:40:00"), Scan(2, "rest", "23:50:00"), with_zone)
    assert names(plan(tmp_path, BOLD, *scans)) == {
        11: "anat/T1w",
        21: "func/task-rest_run-1_bold",
        31: "func/task-rest_run-2_bold",
    }


def test_a_study_that_continues_in_the_evening_keeps_its_order(tmp_path: Path) -> None:
    """Series numbers that are not in the order of time do not move the series of the morning to the next day."""
    scans = (Scan(1, "T1", "08:00:00"), Scan(3, "rest", "08:30:00"), Scan(2, "rest", "21:00:00"))
    assert names(plan(tmp_path, BOLD, *scans)) == {
        11: "anat/T1w",
        31: "func/task-rest_run-1_bold",
        21: "func/task-rest_run-2_bold",
    }
