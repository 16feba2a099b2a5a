"""A run that imports nothing: a dry run, and one without ready packets."""

from qxbatch.model import Report
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings, Stages
from qxbatch.study.outdated import is_outdated, lists_waiting


def finish_idle(
    settings: Settings, workspace: Workspace, locks: Locks, report: Report, *, ready: bool, interrupted: bool
) -> None:
    """Check the converters in a dry run with ready packets; else refresh a study level that is behind its sessions.

    `interrupted`: a previous run left its hidden folder. Raises UsageError.
    """
    if settings.test:
        if ready:
            from qxbatch.pipeline.opened import need_converters

            need_converters(settings)
        return
    all_stages = settings.stages is Stages.ALL
    if interrupted or (all_stages and is_outdated(settings.sessionsfolder)):
        from qxbatch.pipeline.opened import tidy
        from qxbatch.pipeline.refresh import refresh_study

        refresh_study(settings, report, sessions_changed=True)
        tidy(workspace, locks)
    elif all_stages and lists_waiting(settings.sessionsfolder):
        from qxbatch.pipeline.refresh import refresh_waiting

        refresh_waiting(settings, report)
