"""The sessions folder that a submission names, if its path is not valid on this host."""

from pathlib import Path

import pytest

from qxbatch.cluster.new_submission import new_submission
from qxbatch.cluster.options import refuse_copy, restore_settings
from qxbatch.cluster.state import UnitState


@pytest.mark.parametrize("text", ["~no_such_user/study", "study\0"], ids=["unknown user", "null character"])
def test_a_sessions_folder_that_no_path_names_here_is_not_an_original(tmp_path: Path, text: str) -> None:
    (tmp_path / "inbox" / "MR").mkdir(parents=True)
    record = {"options": {"sessionsfolder": text}, "scheduler": "SLURM", "cwd": "/", "bids_app": False, "typed": []}
    submission = new_submission(tmp_path, record, [UnitState(0, "S1", ("S1.zip",), 1000)])
    refuse_copy(submission)
    assert restore_settings(submission).sessionsfolder == tmp_path
