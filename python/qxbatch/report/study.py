"""The differences within a study, as lines for the terminal."""

from collections.abc import Iterable

from qxbatch.protocol.difference import differences_text
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.study.study import StudyRow
from qxbatch.visible import one_line

_MAX_SESSIONS, _MAX_DIFFERENCES = 20, 3
"""Maximum number of sessions that are listed, and of differences listed for each."""


def difference_lines(rows: Iterable[StudyRow]) -> list[str]:
    """Return a heading, and a line for each session that differs from the majority, at most 20; no line if none differs."""
    different = [row for row in rows if row.differences]
    lines = [
        f"  {one_line(f'{row.session}: {differences_text(row.differences, _MAX_DIFFERENCES)}')}"
        for row in different[:_MAX_SESSIONS]
    ]
    more = len(different) - len(lines)
    lines += [f"  {more} more: see {STUDY_SIDECAR}"] if more else []
    return ["differ from the majority of the study:", *lines] if lines else []
