"""Refuses requests that would change data of the user."""

from qxbatch.discover.unsafe_folders import refuse_unsafe_folders
from qxbatch.settings.model import Settings


def refuse_harm(settings: Settings) -> None:
    """Raise UsageError if the sessions folder, master inbox, --log-file or --json-file is where data of the user would change."""
    refuse_unsafe_folders(settings)
    if settings.log_file is not None or settings.json_file is not None:
        from qxbatch.report.output_files import check_outputs

        check_outputs(settings)
