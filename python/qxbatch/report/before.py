"""The report before the work: what was found, and what is to be done with it. Readable without colour."""

from collections.abc import Sequence

from qxbatch.model import Candidate, Verdict
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line
from qxbatch.wrapping import columns_of, text_width, wrapped

HEADINGS = {
    Verdict.READY: "ready to be imported",
    Verdict.ALREADY_THERE: "already there, left alone",
    Verdict.NO_MATCH_IN_LOG: "without a match in the logfile",
    Verdict.NO_NAME: "in which no packet name was found",
    Verdict.NOT_PARSED: "of which the name was not parsed",
    Verdict.FILTERED: "filtered out",
    Verdict.STRAY: "stray, no packet",
    Verdict.REFUSED: "refused, for the reasons at the end",
}
"""In the order of the report."""
LEFT_OUT = (Verdict.FILTERED, Verdict.NO_MATCH_IN_LOG)
"""What is only counted where advice says how to ask for it."""
LONGEST = 15
"""Things that are listed one by one; --test and --list-all have no limit."""

NAMED = 3
"""So many things that are refused together are named."""


def before(candidates: Sequence[Candidate], settings: Settings) -> str:
    """Return the report as text. With verbose off, only what is ready or refused is listed, the rest is counted.

    Why something is refused, and what to do about it, is in the report after the work. Hints take the place of the list of what
    was left out.
    """
    advice, width = hints(candidates, settings), text_width()
    where = settings.masterinbox or settings.sessionsfolder
    lines = [f"Found {_count(len(candidates), settings)} in {one_line(str(where))}"]
    listed = {verdict: [each for each in candidates if each.verdict is verdict] for verdict in HEADINGS}
    for verdict, heading in HEADINGS.items():
        found = listed[verdict]
        if not found:
            continue
        short = verdict not in (Verdict.READY, Verdict.REFUSED) and (
            not settings.verbose or (bool(advice) and verdict in LEFT_OUT)
        )
        rows = [] if short else _rows(found)
        folded = len(rows) > LONGEST and not (settings.test or settings.list_all)
        lines.append(f"  {len(found)} {heading}{'' if short else ' (--list-all lists them)' if folded else ':'}")
        lines += [] if folded else [line for row in rows for line in wrapped(row.strip(), width, "    ", "        ")]
    lines += [line for text in map(one_line, advice) for line in _advice_lines(text, width)]
    if not listed[Verdict.READY]:
        lines.append("Nothing is ready.")
    return "\n".join(lines)


def _advice_lines(text: str, width: int) -> list[str]:
    """Return a sentence in lines; the command at its end stays on a separate line, so that it can be copied."""
    if columns_of(text) <= width:
        return [text]
    sentence, colon, command = text.rpartition(": ")
    return [*wrapped(sentence + colon.strip(), width), f"    {command}"] if sentence else wrapped(text, width)


def hints(candidates: Sequence[Candidate], settings: Settings) -> list[str]:
    """Return what to write instead, where the run finds nothing because of how it was asked (report/advice.py)."""
    left_out = any(each.verdict in LEFT_OUT for each in candidates)
    empty = not candidates and bool(settings.sessions or (settings.masterinbox and not settings.masterinbox.is_dir()))
    if not (left_out or empty):
        return []
    from qxbatch.report.advice import advice

    return advice(candidates, settings)


def _count(number: int, settings: Settings) -> str:
    one, more = ("thing", "things") if settings.masterinbox else ("session folder", "session folders")
    return f"{number} {one if number == 1 else more}"


def _rows(found: Sequence[Candidate]) -> list[str]:
    """One row for each thing; things that are refused together have one."""
    together: dict[object, list[Candidate]] = {}
    for each in found:
        together.setdefault(each.path if each.problem is None else each.problem, []).append(each)
    names = [_names(same) for same in together.values()]
    width = min(40, max(map(len, names)))
    rows = zip(names, together.values(), strict=True)
    return ["    " + _row(name.ljust(width), same[0]).rstrip() for name, same in rows]


def _names(same: Sequence[Candidate]) -> str:
    """The name of a thing, or of those that share a problem."""
    names = [one_line(each.path.name) for each in same]
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _row(name: str, candidate: Candidate) -> str:
    if candidate.problem is not None:
        return name
    note = one_line(candidate.note)
    if candidate.verdict is not Verdict.READY or candidate.session is None:
        return f"{name}  {note}"
    session = candidate.session
    whose = "" if session.id == session.subject else f" (subject {one_line(session.subject)})"
    return f"{name} -> {one_line(session.id)}{whose}" + (f"  [{note}]" if note else "")
