"""Refuses requests that would change data of the user."""

from qxbatch.discover.session_folders import refuse_foreign_inbox
from qxbatch.settings.model import Settings


def refuse_harm(settings: Settings) -> None:
    """Raise UsageError if an output would replace or change data, or if files of a study would be moved away as packets."""
    refuse_foreign_inbox(settings)
    if settings.log_file is not None or settings.json_file is not None:
        from qxbatch.report.output_files import refuse_outputs

        refuse_outputs(settings)
