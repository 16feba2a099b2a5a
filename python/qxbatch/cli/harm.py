"""Requests that would change data of the user are refused."""

from qxbatch.settings.folders import refuse_session_as_inbox
from qxbatch.settings.model import Archive, Settings


def refuse_harm(settings: Settings) -> None:
    """Raise UsageError if an output would replace or change data, or if a session would be taken for an inbox."""
    if settings.masterinbox is not None and settings.archive in (Archive.MOVE, Archive.DELETE):
        refuse_session_as_inbox(settings.masterinbox, settings.sessionsfolder)
    if settings.log_file is not None or settings.json_file is not None:
        from qxbatch.report.output_files import refuse_outputs

        refuse_outputs(settings)
