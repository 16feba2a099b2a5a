"""The lines of the display, as styled texts: the progress of the run, and how a unit ended."""

from collections.abc import Sequence

from qxbatch.counted import counted
from qxbatch.model import SessionReport
from qxbatch.problems import Severity, grouped
from qxbatch.report.marks import Marks
from qxbatch.report.outcome import has_failed, outcome_line
from qxbatch.report.tally import RunProgress, UnitProgress
from qxbatch.series_labels import label_subject
from qxbatch.visible import one_line
from qxbatch.wrapping import cut, display_width

Line = tuple[tuple[str, str], ...]
"""Pairs (text, style of rich)."""
MAX_UNITS = 3
"""Maximum number of units (the packets of one session each) that the display shows."""
MAX_WIDTH = 79
"""Maximum number of columns, also on a wide terminal: a terminal that becomes narrower does not break short lines."""
BYTES_OF = {"GB": 1e9, "MB": 1e6, "kB": 1e3}
"""Bytes of each unit of size, the largest first."""
_DECIMAL_BELOW = 9.95
"""Smaller numbers are written with one digit after the point; from 9.95 on, that would be `10.0`."""
_BAR_WIDTHS = (10, 30)
"""Minimum and maximum number of columns of the bar."""
_MAX_NAME_WIDTH = 30
"""Maximum number of columns of the name of a unit."""
_MAX_SUBJECT = 50
"""Maximum number of characters of a subject before a message; a longer one, such as a list of files, follows it."""


def display(progress: RunProgress, width: int, marks: Marks) -> list[Line]:
    """Return the display: the bar, the counts, and up to MAX_UNITS units at work. `width` is that of the terminal, in columns."""
    room = min(MAX_WIDTH, width - 1)
    name_width = min(
        _MAX_NAME_WIDTH,
        max((display_width(one_line(unit.name)) for unit in progress.active_units[:MAX_UNITS]), default=0),
    )
    return [
        _bar(progress, room, marks),
        _counts(progress, room),
        *(_unit(unit, room, name_width, marks) for unit in progress.active_units[:MAX_UNITS]),
    ]


def _bar(progress: RunProgress, room: int, marks: Marks) -> Line:
    ratio = (
        min(1.0, progress.done_bytes / progress.total_bytes)
        if progress.total_bytes
        else float(progress.ended_count == progress.unit_count)
    )
    byte_unit = size_unit(progress.total_bytes)
    texts = [
        f"{int(100 * ratio)}%",
        f"{in_unit(progress.done_bytes, byte_unit)} of {in_unit(progress.total_bytes, byte_unit)} {byte_unit}",
    ]
    texts += [] if progress.rate is None else [f"{decimal_size_text(progress.rate)}/s"]
    texts += [] if progress.seconds_left is None else [f"{elapsed_text(progress.seconds_left)} left"]
    text = "  ".join(texts)
    min_bar, max_bar = _BAR_WIDTHS
    bar_width = max(min_bar, min(max_bar, room - len(text) - 2))
    full_width = int(ratio * bar_width)
    return (
        (marks.full * full_width, "green"),
        (marks.empty * (bar_width - full_width), "dim"),
        (cut(f"  {text}", max(0, room - bar_width), marks.cut), ""),
    )


def _counts(progress: RunProgress, room: int) -> Line:
    texts = [(cut(f"{progress.ended_count} of {counted(progress.unit_count, 'session')} done", room), "bold")]
    texts += [(f"{progress.failed_count} failed", "bold red")] * (progress.failed_count > 0)
    texts += [(f"{progress.to_check_count} to check", "yellow")] * (progress.to_check_count > 0)
    texts.append((elapsed_text(progress.seconds), ""))
    line: list[tuple[str, str]] = []
    for text, style in texts:
        used = sum(len(written) for written, _ in line)
        if line and used + 2 + len(text) > room:
            break
        line += [(", ", "")] * bool(line) + [(text, style)]
    return tuple(line)


def _unit(unit: UnitProgress, room: int, name_width: int, marks: Marks) -> Line:
    name = cut(one_line(unit.name), name_width, marks.cut)
    name += " " * (name_width - display_width(name))
    series = (
        f"{unit.converted_series} of {unit.series_count} series"
        if unit.series_count and unit.stage == "converting"
        else ""
    )
    return ((cut(f"  {name}  {unit.stage:<10}  {series}".rstrip(), room, marks.cut), "cyan"),)


def counts_text(progress: RunProgress) -> str:
    """Return the progress of the run as one line without a bar."""
    ratio = (
        min(1.0, progress.done_bytes / progress.total_bytes)
        if progress.total_bytes
        else float(progress.ended_count == progress.unit_count)
    )
    texts = [f"{progress.ended_count} of {counted(progress.unit_count, 'session')} done"]
    texts += [f"{progress.failed_count} failed"] * (progress.failed_count > 0)
    texts += [f"{progress.to_check_count} to check"] * (progress.to_check_count > 0)
    texts.append(f"{int(100 * ratio)}% of {decimal_size_text(progress.total_bytes)}")
    texts += [] if progress.rate is None else [f"{decimal_size_text(progress.rate)}/s"]
    texts += [] if progress.seconds_left is None else [f"{elapsed_text(progress.seconds_left)} left"]
    return ", ".join(texts)


def end_lines(reports: Sequence[SessionReport], marks: Marks, *, list_all: bool) -> list[Line]:
    """Return the lines that scroll above the display when a unit ends; a successful session has one only with `list_all`."""
    return [line for report in reports if (line := _end_line(report, marks, list_all=list_all))]


def _end_line(report: SessionReport, marks: Marks, *, list_all: bool) -> Line:
    text = outcome_line(report)
    if has_failed(report):
        return ((f"{marks.failed} ", "bold red"), (_reason(report, Severity.ERROR) or text, ""))
    reason = _reason(report, Severity.WARNING)
    if reason:
        return ((f"{marks.warning} ", "bold yellow"), (text if list_all else reason, ""))
    return ((f"{marks.done} ", "green"), (text, "")) if list_all else ()


def _reason(report: SessionReport, severity: Severity) -> str:
    """Return the packet and the first of its problems of this severity, in one line; empty if there is none."""
    problems = [problem for problem in grouped(report.problems) if problem.severity is severity]
    if not problems:
        return ""
    first = problems[0]
    is_about_packet = first.subject.endswith(report.packet) or first.subject == getattr(report.session, "id", "")
    subject = "" if is_about_packet else label_subject(first.subject, report.labels)
    text = first.message if is_about_packet else f"{subject}: {first.message}"
    if len(subject) > _MAX_SUBJECT:
        text = f"{first.message.rstrip('.')}: {subject}."
    more = f" ({len(problems)} problems)" if len(problems) > 1 else ""
    outcome = "FAILED" if severity is Severity.ERROR else "to check"
    return one_line(f"{report.packet}: {outcome}{more}: {text}")


def size_unit(size: float) -> str:
    """Return the unit of size (a key of BYTES_OF) in which a size in bytes is written."""
    return next((byte_unit for byte_unit, unit_bytes in BYTES_OF.items() if size >= unit_bytes), "kB")


def in_unit(size: float, byte_unit: str) -> str:
    """Return a size, given in bytes, as a number of a unit of size; small numbers have one digit after the point.

    >>> in_unit(2_340_000, "MB"), in_unit(114_000_000, "MB")
    ('2.3', '114')
    """
    number = size / BYTES_OF[byte_unit]
    return f"{number:.1f}" if number < _DECIMAL_BELOW else f"{number:.0f}"


def decimal_size_text(size: float) -> str:
    """Return a size in bytes with its unit.

    >>> decimal_size_text(2_340_000), decimal_size_text(700)
    ('2.3 MB', '0.7 kB')
    """
    byte_unit = size_unit(size)
    return f"{in_unit(size, byte_unit)} {byte_unit}"


def elapsed_text(seconds: float) -> str:
    """Return minutes and complete seconds, with hours from one hour on.

    >>> elapsed_text(72.4), elapsed_text(3900)
    ('1:12', '1:05:00')
    """
    minutes, whole_seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole_seconds:02}" if hours else f"{minutes}:{whole_seconds:02}"
