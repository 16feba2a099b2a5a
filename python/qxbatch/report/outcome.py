"""How a run and its sessions ended: the exit status, and one line for each session."""

from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.model import Report, SessionReport
from qxbatch.problems import Code, Severity, grouped
from qxbatch.settings.model import Check, Settings
from qxbatch.visible import one_line


def has_failed(report: SessionReport) -> bool:
    """Return whether the session counts as failed for the exit status."""
    return any(problem.severity is Severity.ERROR for problem in report.problems)


def exit_status(report: Report) -> ExitStatus:
    """Return FAILED if a candidate has a problem or a session an error, HELD if other runs hold all sessions, else OK."""
    if any(candidate.problem is not None for candidate in report.candidates) or any(map(has_failed, report.sessions)):
        return ExitStatus.FAILED
    are_all_held = all(any(problem.code is Code.HELD for problem in session.problems) for session in report.sessions)
    return ExitStatus.HELD if report.sessions and are_all_held else ExitStatus.OK


def idle_status(settings: Settings, report: Report, *, ready: bool) -> ExitStatus:
    """Return the exit status of a run that started no import; `ready`: whether something could be imported.

    With --check=any (`Check.ANY`), at least one packet must be ready.
    """
    status = exit_status(report)
    if status is ExitStatus.OK and not ready and not report.sessions and settings.check is Check.ANY:
        return ExitStatus.NOTHING_READY
    return status


def outcome_line(report: SessionReport) -> str:
    """Return how one session ended, in one line, control characters escaped.

    >>> from pathlib import Path
    >>> from qxbatch.model import SessionId
    >>> outcome_line(SessionReport("OP3.zip", SessionId("OP3"), Path("/s/OP3"), (), 8, 9, 3.2))
    'OP3.zip -> OP3: 8 series, 9 images, 3.2 s'
    """
    return one_line(_outcome(report))


def _outcome(report: SessionReport) -> str:
    name = report.packet if report.session is None else f"{report.packet} -> {report.session.id}"
    if report.folder is None and has_failed(report):
        return f"{name}: FAILED; the reason is at the end"
    codes = {problem.code for problem in report.problems}
    if report.folder is None and codes & {Code.EXISTS, Code.HELD}:
        return f"{name}: {'already there' if Code.EXISTS in codes else 'HELD'}"
    details = []
    if report.folder is not None:
        details = [f"{report.series} series", counted(report.images, "image"), f"{report.seconds:.1f} s"]
    errors = sum(problem.severity is Severity.ERROR for problem in report.problems)
    warnings = sum(problem.severity is Severity.WARNING for problem in grouped(report.problems))
    details += [f"{errors} ERROR{'S' * (errors > 1)}"] * (errors > 0) + [f"{warnings} to look at"] * (warnings > 0)
    return f"{name}: {', '.join(details) or 'no session was written'}"
