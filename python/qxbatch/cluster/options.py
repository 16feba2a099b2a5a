"""The settings of a submission, parsed again in its tasks."""

import contextlib
import os
from dataclasses import replace

from qxbatch.cluster.submission import Submission
from qxbatch.settings.model import Settings
from qxbatch.settings.parse import parse


def task_settings(submission: Submission) -> Settings:
    """Return the settings of a submission, with relative paths as on the host that submitted it. Raises UsageError."""
    with contextlib.suppress(OSError):
        os.chdir(str(submission.record["cwd"]))  # relative paths
    settings = parse(
        submission.options, bids_app=bool(submission.record["bids_app"]), typed=_typed(submission)
    ).settings
    return replace(settings, sessionsfolder=submission.sessionsfolder)


def _typed(submission: Submission) -> dict[str, str]:
    typed = submission.record.get("typed", {})
    return {key: value for key, value in submission.options.items() if key in typed}
