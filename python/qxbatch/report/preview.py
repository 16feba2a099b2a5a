"""The report before the import: the candidates (entries of the inbox, or session folders) and what happens to them.

It is readable without colour.
"""

from collections.abc import Sequence

from qxbatch.model import Candidate, Verdict
from qxbatch.settings.model import Settings, Stages
from qxbatch.visible import one_line
from qxbatch.wrapping import display_width, text_width, wrapped

HEADINGS = {
    Verdict.READY: "ready to be imported",
    Verdict.ALREADY_THERE: "already there, left alone",
    Verdict.NO_MATCH_IN_LOGFILE: "without a match in the logfile",
    Verdict.NO_NAME: "without a packet name",
    Verdict.NOT_PARSED: "with a name that was not parsed",
    Verdict.FILTERED: "filtered out",
    Verdict.STRAY: "ignored, not a packet",
    Verdict.REFUSED: "refused, for the reasons at the end",
}
"""Maps verdicts to headings, in the order of the report. In `sort` and `convert`, `imported` is `sorted` or `converted`."""
WITH_ADVICE = (Verdict.FILTERED, Verdict.NO_MATCH_IN_LOGFILE)
"""Verdicts with possible advice. If there is some, their candidates are only counted."""
MAX_ROWS = 15
"""If a verdict has more rows, they are only counted, except with --test or --list-all."""
MAX_NAMES = 3
"""Maximum number of names that are listed of candidates refused for the same problem."""
_MAX_NAME_WIDTH = 40
"""Columns to which names are padded; longer names are not cut."""


def preview(candidates: Sequence[Candidate], settings: Settings) -> str:
    """Return the report as text. With --verbose=no, only ready and refused candidates are listed, others are counted.

    The reasons for refusals, and what to do about them, are in the report at the end of the run. If there is advice about
    filtered or unmatched candidates, it replaces their lists.
    """
    advice, width = advice_for(candidates, settings), text_width()
    where = settings.masterinbox or settings.sessionsfolder
    lines = [f"Found {_count(len(candidates), settings)} in {one_line(str(where))}"]
    groups = {verdict: [candidate for candidate in candidates if candidate.verdict is verdict] for verdict in HEADINGS}
    for verdict, heading in HEADINGS.items():
        group = groups[verdict]
        if not group:
            continue
        is_counted = verdict not in (Verdict.READY, Verdict.REFUSED) and (
            not settings.verbose or (bool(advice) and verdict in WITH_ADVICE)
        )
        rows = [] if is_counted else _rows(group)
        is_folded = len(rows) > MAX_ROWS and not (settings.test or settings.list_all)
        title = heading.replace(Stages.ALL.participle, settings.stages.participle)
        lines.append(f"  {len(group)} {title}{'' if is_counted else ' (--list-all lists them)' if is_folded else ':'}")
        lines += [] if is_folded else [line for row in rows for line in _row_lines(row.strip(), width)]
    lines += [line for text in map(one_line, advice) for line in _advice_lines(text, width)]
    if not groups[Verdict.READY]:
        lines.append("Nothing is ready.")
    return "\n".join(lines)


def _row_lines(text: str, width: int) -> list[str]:
    """Return the lines of a row. A command at its end is on a separate line, which is not wrapped, so that it can be copied."""
    row, qxbatch, words = text.partition(": qxbatch ")
    command = [f"        {qxbatch[2:]}{words}"] if qxbatch else []
    return [*wrapped(row + qxbatch[:1], width, "    ", "        "), *command]


def _advice_lines(text: str, width: int) -> list[str]:
    """Return the lines of a sentence. A command at its end is on a separate line, so that it can be copied."""
    if display_width(text) <= width:
        return [text]
    sentence, colon, command = text.rpartition(": ")
    return [*wrapped(sentence + colon.strip(), width), f"    {command}"] if sentence else wrapped(text, width)


def advice_for(candidates: Sequence[Candidate], settings: Settings) -> list[str]:
    """Return the advice of report/advice.py, which is imported only if there can be some."""
    may_need_advice = any(candidate.verdict in WITH_ADVICE for candidate in candidates)
    if settings.masterinbox is None and len(settings.sessions) > 1:
        may_need_advice = True  # one glob may match and another not: folders that no glob matches are no candidates
    is_empty = not candidates and bool(
        settings.sessions or (settings.masterinbox and not settings.masterinbox.is_dir())
    )
    if not (may_need_advice or is_empty):
        return []
    from qxbatch.report.advice import advice

    return advice(candidates, settings)


def _count(number: int, settings: Settings) -> str:
    singular, plural = ("entry", "entries") if settings.masterinbox else ("session folder", "session folders")
    return f"{number} {singular if number == 1 else plural}"


def _rows(candidates: Sequence[Candidate]) -> list[str]:
    """Return a row for each candidate. Candidates that are refused for the same problem share a row."""
    by_problem: dict[object, list[Candidate]] = {}
    for candidate in candidates:
        by_problem.setdefault(candidate.path if candidate.problem is None else candidate.problem, []).append(candidate)
    names = [_names(group) for group in by_problem.values()]
    width = min(_MAX_NAME_WIDTH, max(map(len, names)))
    rows = zip(names, by_problem.values(), strict=True)
    return ["    " + _row(name.ljust(width), group[0]).rstrip() for name, group in rows]


def _names(group: Sequence[Candidate]) -> str:
    """Return the name of a candidate, or the names of those that share a problem."""
    names = [one_line(candidate.path.name) for candidate in group]
    return ", ".join(names[:MAX_NAMES]) + (f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else "")


def _row(name: str, candidate: Candidate) -> str:
    if candidate.problem is not None:
        return name
    note = one_line(candidate.note)
    if candidate.verdict is not Verdict.READY or candidate.session is None:
        return f"{name}  {note}"
    session = candidate.session
    whose = "" if session.id == session.subject else f" (subject {one_line(session.subject)})"
    return f"{name} -> {one_line(session.id)}{whose}" + (f"  [{note}]" if note else "")
