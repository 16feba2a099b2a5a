"""An export that is killed, or runs out of disk: the next run ends as if nothing had been."""

import os
import subprocess
import sys
from pathlib import Path

from tests.build.bids_study import BOLD, BidsStudy
from tests.build.study import TIME_LIMIT
from tests.faults.victim import BELOW

EDITED = "sub-S2/anat/sub-S2_T1w.json"
KILLS = 14
"""So many steps of the export are tried."""


def prepared(root: Path) -> BidsStudy:
    """An exported study whose next export adds, changes, moves, removes, and finds a hand edit."""
    study = BidsStudy(root)
    for name in ("S1", "S2"):
        study.add(name)
    assert study.run().status == 0
    (study.bids / EDITED).write_text('{"mine": 1}')
    study.change_rules("task-rest", "task-open")
    study.change_rules('as = "anat/T1w"', 'as = "anat/T1w"\nset = { PulseSequenceType = "MPRAGE" }')
    study.add("S3")
    return study


def disturbed(study: BidsStudy, fault: str, out: Path) -> tuple[int, str]:
    """Export with a fault; return the exit status and what was printed."""
    command = [sys.executable, "-m", "tests.faults.victim", fault, str(out), *study.words]
    done = subprocess.run(
        command,
        env={**os.environ, BELOW: str(study.bids)},
        check=False,
        capture_output=True,
        timeout=TIME_LIMIT,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_an_export_that_is_killed_at_any_step_is_done_by_the_next(tmp_path):
    reference = prepared(tmp_path / "reference")
    before, out = reference.tree(), tmp_path / "steps"
    assert disturbed(reference, "count", out)[0] == 0
    after = reference.tree()
    steps = len(out.read_text().splitlines())
    assert steps > 30
    whole = {content for tree in (before, after) for content in tree.values()}
    for k in range(KILLS):
        step = 1 + k * (steps - 1) // (KILLS - 1)
        study = prepared(tmp_path / f"killed{step}")
        assert disturbed(study, f"KILL@{step}", out)[0] < 0
        assert (study.bids / EDITED).read_text() == '{"mine": 1}'
        torn = {path for path, content in study.tree().items() if not path.startswith("code/") and content not in whole}
        assert torn == set(), f"half written when killed at step {step}"
        done = study.run()
        assert done.status == 0, done.text
        assert study.tree() == after, f"killed at step {step}"
        assert "left alone: " + EDITED in done.out
        assert done.out.count("left alone:") == 1, f"killed at step {step}: {done.out}"


def test_a_run_that_mends_may_be_killed_too(tmp_path):
    study, out = prepared(tmp_path / "study"), tmp_path / "steps"
    for step in (25, 12, 30, 20):
        disturbed(study, f"KILL@{step}", out)
    assert study.run().status == 0
    reference = prepared(tmp_path / "reference")
    assert reference.run().status == 0
    assert study.tree() == reference.tree()


def test_a_full_disk_is_told_and_the_next_run_does_the_rest(tmp_path):
    study, out = prepared(tmp_path / "study"), tmp_path / "steps"
    status, text = disturbed(study, "FULL@20", out)
    assert status == 73, text
    assert "Traceback" not in text
    assert "run again" in text
    assert study.run().status == 0
    reference = prepared(tmp_path / "reference")
    assert reference.run().status == 0
    assert study.tree() == reference.tree()


def test_an_interrupted_export_ends_with_130(tmp_path):
    study, out = prepared(tmp_path / "study"), tmp_path / "steps"
    assert disturbed(study, "INT@20", out)[0] == 130
    assert study.run().status == 0
    assert f"{BOLD}.nii.gz" not in study.tree()


def test_an_edit_between_a_kill_and_the_next_run_is_kept(tmp_path):
    study, out = prepared(tmp_path / "study"), tmp_path / "steps"
    disturbed(study, "KILL@35", out)
    written = next(
        path for path in sorted(study.bids.glob("sub-S3/*/*.json")) or sorted(study.bids.glob("sub-S1/*/*.json"))
    )
    written.write_text('{"edited": true}')
    done = study.run()
    assert written.read_text() == '{"edited": true}'
    assert "left alone: " + written.relative_to(study.bids).as_posix() in done.out
