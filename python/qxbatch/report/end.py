"""The report after the import: what to look at, what failed, and what happened to each candidate."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qxbatch.counted import counted
from qxbatch.model import Candidate, Report, SessionReport
from qxbatch.problems import Code, Problem, Severity, grouped
from qxbatch.report.account import LEFT_ALONE_FATES, CandidateFate, account_lines, fates
from qxbatch.report.blocks import CUT_MARK, MAX_BLOCKS, MAX_NAMES, Block, Reason, TextLayout, lines_of, merge_blocks
from qxbatch.report.lines import elapsed_text
from qxbatch.report.outcome import has_failed
from qxbatch.series_labels import label_subject
from qxbatch.settings.model import Stages
from qxbatch.visible import one_line
from qxbatch.wrapping import wrapped

_PACKET_PROBLEMS = (
    Code.MERGED_PATIENTS,
    Code.UNKNOWN_PATIENT,
    Code.DIFFERENT_NAMES,
    Code.SURROUNDED,
    Code.HEADER_FALLBACK,
    Code.DAMAGED_KEPT,
)
"""Problems of a packet as a whole. Several sessions of a packet that is split can have the same one; it is printed once."""
_ADVICE = {
    CandidateFate.HELD: "Run again when the other run has ended.",
    CandidateFate.NO_MATCH: "Add them to the table of --logfile.",
    CandidateFate.NO_NAME: "--pattern says which names are packets.",
    CandidateFate.NOT_PARSED: "--nameformat says how names are read.",
}


def final_report(
    report: Report,
    layout: TextLayout | None = None,
    *,
    deidentified: bool = False,
    seconds: float | None = None,
    study_page: Path | None = None,
    stages: Stages = Stages.ALL,
    problems_only: bool = False,
) -> str:
    """Return the report as text. A report without sessions has no account of the candidates.

    With `deidentified`, the text says what redaction does not cover, if a session was written. A session counts as written if
    its folder was published, also with errors or warnings. `seconds` is the duration of the run, `stages` are its stages. The path
    `study_page` is named if it exists. With `problems_only`, the text has only warnings and errors.
    """
    layout = layout or TextLayout()
    lines: list[str] = []
    if report.sessions and not problems_only:
        written = sum(session.folder is not None for session in report.sessions)
        were = "was" if len(report.sessions) == 1 else "were"
        state = "sorted" if stages is Stages.SORT else "written"
        lines += ["", f"{written} of {counted(len(report.sessions), 'session')} {were} {state}."]
        if deidentified and written:
            from qxbatch.deidentify import FREE_TEXT_WARNING

            lines += wrapped(FREE_TEXT_WARNING, layout.width)
    failed_sessions = [session for session in report.sessions if has_failed(session)]
    other_sessions = [session for session in report.sessions if not has_failed(session)]
    problem_lines = _section("To look at:", lines_of(_blocks(other_sessions, (Severity.WARNING,)), layout))
    failed_blocks = [*_refused(report.candidates), *_blocks(failed_sessions, (Severity.ERROR, Severity.WARNING))]
    problem_lines += _section("Failed:", lines_of(merge_blocks(failed_blocks), layout, cuts_messages=False))
    if any(line.endswith(CUT_MARK) for line in problem_lines):
        problem_lines += ["", "Lines ending in ... are complete with --list-all, and in the log (--log-file)."]
    lines += problem_lines
    if problems_only:
        return "\n".join(lines).lstrip("\n")
    if report.sessions and report.candidates:
        lines += _account(report, seconds, layout, stages)
    if report.sessions and study_page is not None and study_page.exists():
        lines += [f"Page of the study: {one_line(str(study_page))}"]
    return "\n".join(lines)


def _section(heading: str, body: Iterable[str]) -> list[str]:
    lines = list(body)
    return ["", heading, *lines] if lines else []


def _account(report: Report, seconds: float | None, layout: TextLayout, stages: Stages) -> list[str]:
    """Return the number of candidates and their fates. They are near the end of the report, so that they stay on the screen."""
    results = fates(report)
    time = "" if seconds is None else f" in {elapsed_text(seconds)}"
    lines = ["", f"{len(results)} {'entry' if len(results) == 1 else 'entries'}{time}:"]
    lines += [f"  {line}" for line in account_lines(results, stages)]
    return lines + list(_left_alone(results, layout, stages))


def _left_alone(
    results: Sequence[tuple[Candidate, CandidateFate]], layout: TextLayout, stages: Stages
) -> Iterator[str]:
    """Yield the names of the candidates that were left alone, by fate; a long list of names is shortened."""
    for fate in LEFT_ALONE_FATES:
        names = [one_line(candidate.path.name) for candidate, candidate_fate in results if candidate_fate is fate]
        if not names:
            continue
        listed = ", ".join(names)
        if len(names) > MAX_BLOCKS and not layout.list_all:
            listed = f"{', '.join(names[:MAX_NAMES])} and {len(names) - MAX_NAMES} more"
        yield from wrapped(f"{len(names)} {fate}: {listed}", layout.width, "      ", "          ")
        if fate is CandidateFate.ALREADY_THERE:
            yield f"          --overwrite=yes {stages.third_person} them again."
        elif fate in _ADVICE:
            yield f"          {_ADVICE[fate]}"


def _refused(candidates: Sequence[Candidate]) -> Iterator[Block]:
    """Yield a block for each problem of candidates. Candidates that were refused for the same problem share a block."""
    names: dict[Problem, list[str]] = {}
    for candidate in candidates:
        if candidate.problem is not None:
            names.setdefault(candidate.problem, []).append(candidate.path.name)
    for problem, group in names.items():
        is_single = [Path(problem.subject).name] == group
        yield Block((group[0] if is_single else problem.subject,), (_reason(problem, ""),))


def _blocks(sessions: Sequence[SessionReport], severities: Sequence[Severity]) -> list[Block]:
    """Return a block for each session or packet with problems of these severities.

    A problem of a whole packet that several of its sessions have is a separate block.
    """
    by_session = [(session, _of_severity(session, severities)) for session in sessions]
    counts = Counter(problem for _, problems in by_session for problem in problems)
    shared = [problem for problem, count in counts.items() if count > 1 and problem.code in _PACKET_PROBLEMS]
    blocks = [Block((problem.subject,), (_reason(problem, ""),)) for problem in shared]
    for session, problems in by_session:
        remaining = [problem for problem in problems if problem not in shared]
        if remaining:
            blocks.append(_block(session, remaining))
    return merge_blocks(blocks)


def _of_severity(session: SessionReport, severities: Sequence[Severity]) -> list[Problem]:
    problems = grouped(session.problems)
    return [problem for severity in severities for problem in problems if problem.severity is severity]


def _block(session: SessionReport, problems: Sequence[Problem]) -> Block:
    """Return the block of a session, or of a packet without a session."""
    name = session.packet if session.folder is None else session.folder.name
    if session.folder is None and len(problems) == 1:
        return Block((problems[0].subject,), (_reason(problems[0], ""),))
    reasons = []
    for problem in problems:
        subject = label_subject(problem.subject, session.labels)
        is_about_all = problem.subject in (name, session.packet)
        reasons.append(_reason(problem, "" if is_about_all else subject))
    return Block((name,), tuple(reasons))


def _reason(problem: Problem, subject: str) -> Reason:
    return Reason(problem.code, subject, problem.message, problem.hint, problem.command)
