"""The report after the work: what was imported, and last, what failed, why, and what to do."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from qxbatch.model import Candidate, Report, SessionReport
from qxbatch.problems import Code, Problem, Severity


def failed(report: SessionReport) -> bool:
    """Whether the session counts as failed for the exit status."""
    return any(p.severity is Severity.ERROR for p in report.problems)


def outcome_line(report: SessionReport) -> str:
    """Return how one session ended, in one line.

    >>> from qxbatch.model import SessionId
    >>> outcome_line(SessionReport("OP3.zip", SessionId("OP3"), Path("/s/OP3"), (), 8, 9, 3.2))
    'OP3.zip -> OP3: 8 series, 9 images, 3.2 s'
    """
    name = report.packet if report.session is None else f"{report.packet} -> {report.session.id}"
    if report.folder is None:
        first = next((p for p in report.problems if p.severity is Severity.ERROR), None)
        if first is not None:
            return f"{name}: FAILED: {first.message}"
        return f"{name}: {'already there' if any(p.code is Code.EXISTS for p in report.problems) else 'HELD'}"
    marks = [f"{report.series} series", f"{report.images} images", f"{report.seconds:.1f} s"]
    errors = sum(p.severity is Severity.ERROR for p in report.problems)
    warnings = sum(p.severity is Severity.WARNING for p in report.problems)
    marks += [f"{errors} FAILED"] * (errors > 0) + [f"{warnings} to look at"] * (warnings > 0)
    return f"{name}: {', '.join(marks)}"


def after(report: Report) -> str:
    """Return the whole report as text; what went wrong stands last."""
    done = [r for r in report.sessions if r.folder is not None]
    lines = [f"\n{len(done)} of {len(report.sessions)} sessions are complete."] if report.sessions else []
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
    """One line a problem, with its session where the subject does not name it; what two sessions share stands once."""
    return list(
        dict.fromkeys(
            _line(problem, "" if session.folder is None else session.folder.name)
            for session in sessions
            for problem in session.problems
            if problem.severity is severity
        )
    )


def _line(problem: Problem, session: str = "") -> str:
    where = f"{session}, {problem.subject}" if session and session not in problem.subject else problem.subject
    hint = f"\n      {problem.hint}" if problem.hint else ""
    return f"  {where}: {problem.message}{hint}"


def as_json(report: Report, status: int) -> dict[str, object]:
    """Return the run's summary for --json-file: exit status, what was found, what became of each session."""
    return {
        "schema": 1,
        "exit_status": status,
        "found": [
            {
                "path": str(c.path),
                "verdict": str(c.verdict),
                "packet": None if c.packet is None else c.packet.name,
                "session": None if c.session is None else c.session.id,
                "note": c.note,
                "problem": None if c.problem is None else asdict(c.problem),
            }
            for c in report.candidates
        ],
        "sessions": [
            {
                "packet": s.packet,
                "session": None if s.session is None else s.session.id,
                "folder": _text(s.folder),
                "archived": _text(s.archived),
                "series": s.series,
                "images": s.images,
                "seconds": round(s.seconds, 3),
                "failed": failed(s),
                "problems": [asdict(p) for p in s.problems],
            }
            for s in report.sessions
        ],
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
