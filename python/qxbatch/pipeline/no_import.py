"""The work of a run that imports nothing: a dry run, or one without ready packets.

The latter may update the study level (report.html, study.tsv, study.json).
"""

from qxbatch.model import Report
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.settings.model import Settings, Stages
from qxbatch.study.outdated import is_outdated, lists_not_imported


def check_converters_or_refresh_study(
    settings: Settings, workspace: Workspace, locks: Locks, report: Report, *, ready: bool, has_remains: bool
) -> None:
    """In a dry run (--test) with ready packets, check the converters. In a real run, update the study level if needed.

    A run of all stages updates it if it is outdated, or if its list of packets that were not imported has changed.
    `has_remains`: the value of `Workspace.has_remains` at the start of the run. If it is true, each real run updates the study
    level, and tidies the folder `.qxbatch`. Raises UsageError.
    """
    if settings.test:
        if ready:
            from qxbatch.pipeline.run_resources import need_converters

            need_converters(settings)
        return
    all_stages = settings.stages is Stages.ALL
    if has_remains or (all_stages and is_outdated(settings.sessionsfolder)):
        from qxbatch.pipeline.refresh import refresh_study
        from qxbatch.pipeline.run_resources import tidy

        refresh_study(settings, report, sessions_changed=True)
        tidy(workspace, locks)
    elif all_stages and (lists_not_imported(settings.sessionsfolder) or _must_be_listed(settings, report)):
        from qxbatch.pipeline.refresh import refresh_not_imported

        refresh_not_imported(settings, report)


def _must_be_listed(settings: Settings, report: Report) -> bool:
    """Return whether the folder has a study level, in which an entry of the inbox must be listed as not imported."""
    if not report.candidates or not (settings.sessionsfolder / STUDY_SIDECAR).exists():
        return False
    from qxbatch.pipeline.not_imported import was_not_imported

    return any(map(was_not_imported, report.candidates))
