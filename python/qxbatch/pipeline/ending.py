"""The end of a run: the report after the work, the last event, and the exit status, which each `end_` function returns."""

import sys
from pathlib import Path

from qxbatch.events import RunFinished
from qxbatch.exits import ExitStatus
from qxbatch.model import Report
from qxbatch.report.observers import RunObservers
from qxbatch.report.outcome import exit_status, idle_status
from qxbatch.report.preview import advice_for
from qxbatch.session.layout import PAGE
from qxbatch.settings.model import Settings
from qxbatch.wrapping import text_width


def end_imported(settings: Settings, report: Report, observer: RunObservers) -> int:
    """End a run that imported packets."""
    return _end(settings, report, exit_status(report), observer)


def end_named(settings: Settings, report: Report, observer: RunObservers) -> int:
    """End the import of named packets; it does not write the page of the study, so the report does not name the page."""
    return _end(settings, report, exit_status(report), observer, names_study_page=False)


def end_idle(settings: Settings, report: Report, observer: RunObservers, *, ready: bool) -> int:
    """End a run that imported nothing; `ready`: packets are ready, which this run did not import since it is a dry run (--test)."""
    return _end(settings, report, idle_status(settings, report, ready=ready), observer)


def end_declined(settings: Settings, report: Report, observer: RunObservers) -> int:
    """End a run whose question was answered with no."""
    print("Nothing was done.")
    return _end(settings, report, ExitStatus.OK, observer)


def end_submitted(settings: Settings, report: Report, observer: RunObservers, text: str) -> int:
    """End a run that submitted its packets; `text` says what was submitted."""
    if not settings.quiet:
        print(text, flush=True)
    return _notify_end(settings, report, ExitStatus.OK, observer)


def end_nothing_submitted(settings: Settings, report: Report, observer: RunObservers) -> int:
    """End a run whose ready packets were submitted before or no longer exist (exit status HELD)."""
    return _notify_end(settings, report, ExitStatus.HELD, observer)


def _end(
    settings: Settings, report: Report, status: ExitStatus, observer: RunObservers, *, names_study_page: bool = True
) -> int:
    """Print the report, notify the observers, and return the exit status."""
    text = _report_text(
        settings, report, observer.seconds, settings.sessionsfolder / PAGE if names_study_page else None
    )
    if status is ExitStatus.NOTHING_READY:
        idle_text = "With --check=no this is not an error."
        advice: list[str] = []
        if settings.quiet:
            idle_text = f"Nothing is ready. {idle_text}"
            advice = advice_for(report.candidates, settings)
        text = "\n".join(line for line in (text, *advice, idle_text) if line).strip()
    if text:
        print(text)
    return _notify_end(settings, report, status, observer)


def _notify_end(settings: Settings, report: Report, status: ExitStatus, observer: RunObservers) -> int:
    observer.notify(RunFinished(report, status))
    if observer.json_file.error:
        print(f"--json-file={settings.json_file} cannot be written: {observer.json_file.error}.", file=sys.stderr)
        return int(ExitStatus.CANNOT_WRITE if status is ExitStatus.OK else status)
    return int(status)


def _report_text(settings: Settings, report: Report, seconds: float, study_page: Path | None) -> str:
    """Return the report after the work; empty if nothing was imported and there is no problem."""
    if not report.sessions and all(candidate.problem is None for candidate in report.candidates):
        return ""
    from qxbatch.report.blocks import TextLayout
    from qxbatch.report.end import final_report

    return final_report(
        report,
        TextLayout(text_width(), settings.list_all),
        deidentified=settings.deidentified,
        seconds=seconds,
        study_page=study_page,
        stages=settings.stages,
        problems_only=settings.quiet,
    )
