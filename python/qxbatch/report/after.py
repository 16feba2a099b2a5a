"""The report after the work: what was imported, and last, what failed, why, and what to do."""

from collections import Counter
from collections.abc import Sequence

from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, Report, SessionReport
from qxbatch.problems import Code, Problem, Severity, grouped
from qxbatch.settings.model import Check, Settings
from qxbatch.visible import one_line

_OF_PACKETS = (Code.MERGED_PATIENTS, Code.DIFFERENT_NAMES, Code.SURROUNDED, Code.HEADER_FALLBACK, Code.DAMAGED_KEPT)
"""Problems of a packet: each session of a packet that is split has them."""


def failed(report: SessionReport) -> bool:
    """Whether the session counts as failed for the exit status."""
    return any(p.severity is Severity.ERROR for p in report.problems)


def status_of(report: Report) -> ExitStatus:
    """Return the exit status of a run that imported something."""
    if any(c.problem is not None for c in report.candidates) or any(map(failed, report.sessions)):
        return ExitStatus.FAILED
    held = [any(p.code is Code.HELD for p in s.problems) for s in report.sessions]
    return ExitStatus.HELD if held and all(held) else ExitStatus.OK


def idle_status(settings: Settings, report: Report, *, ready: bool) -> ExitStatus:
    """Return the exit status of a run that imported nothing; `ready`: there is something to import."""
    status = status_of(report)
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
    if report.folder is None:
        if failed(report):
            return f"{name}: FAILED, for the reason at the end"
        return f"{name}: {'already there' if any(p.code is Code.EXISTS for p in report.problems) else 'HELD'}"
    images = "1 image" if report.images == 1 else f"{report.images} images"
    marks = [f"{report.series} series", images, f"{report.seconds:.1f} s"]
    errors = sum(p.severity is Severity.ERROR for p in report.problems)
    warnings = sum(p.severity is Severity.WARNING for p in grouped(report.problems))
    marks += [f"{errors} FAILED"] * (errors > 0) + [f"{warnings} to look at"] * (warnings > 0)
    return f"{name}: {', '.join(marks)}"


def after(report: Report, *, deidentified: bool = False) -> str:
    """Return the whole report as text; what went wrong stands last. `deidentified`: it says what redaction leaves."""
    done = [r for r in report.sessions if r.folder is not None]
    lines = [f"\n{len(done)} of {len(report.sessions)} sessions are complete."] if report.sessions else []
    if deidentified and done:
        from qxbatch.deidentify import FREE_TEXT

        lines.append(FREE_TEXT)
    warnings = _problems(report.sessions, Severity.WARNING)
    if warnings:
        lines += ["", "To look at:", *warnings]
    errors = _refused(report.candidates) + _problems(report.sessions, Severity.ERROR)
    if errors:
        lines += ["", "Failed:", *errors]
    return "\n".join(lines)


def _refused(candidates: Sequence[Candidate]) -> list[str]:
    return list(dict.fromkeys(_line(c.problem) for c in candidates if c.problem is not None))


def _problems(sessions: Sequence[SessionReport], severity: Severity) -> list[str]:
    """One line a problem, with its session where the subject does not name it; what several sessions share is one line."""
    found = [
        (problem, "" if session.folder is None else session.folder.name)
        for session in sessions
        for problem in grouped(session.problems)
        if problem.severity is severity
    ]
    of_packet = {
        problem
        for problem, count in Counter(problem for problem, _ in dict.fromkeys(found)).items()
        if count > 1 and problem.code in _OF_PACKETS
    }
    return list(dict.fromkeys(_line(problem, "" if problem in of_packet else session) for problem, session in found))


def _line(problem: Problem, session: str = "") -> str:
    where = f"{session}, {problem.subject}" if session and session not in problem.subject else problem.subject
    advice = "".join(f"\n      {one_line(text)}" for text in (problem.hint, problem.command) if text)
    return f"  {one_line(where)}: {one_line(problem.message)}{advice}"
