"""Parses the settings of a submission again, in its tasks and when it is resumed."""

import contextlib
import os
from dataclasses import replace

from qxbatch.cluster.submission import Submission
from qxbatch.settings.model import Settings
from qxbatch.settings.parse import parse


def task_settings(submission: Submission) -> Settings:
    """Return the settings of a submission. Raises UsageError.

    This process changes to the folder in which the submission was made, if it exists here, since relative paths begin there.
    """
    with contextlib.suppress(OSError):
        os.chdir(str(submission.record["cwd"]))
    settings = parse(
        submission.options, bids_app=bool(submission.record["bids_app"]), typed=_typed(submission)
    ).settings
    return replace(settings, sessionsfolder=submission.sessionsfolder)


def _typed(submission: Submission) -> dict[str, str]:
    """Return the options that were given on the command line, and not in a config file."""
    typed = submission.record.get("typed", {})
    return {key: value for key, value in submission.options.items() if key in typed}
