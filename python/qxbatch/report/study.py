"""The differences within a study, as lines for the terminal."""

from collections.abc import Iterable

from qxbatch.protocol.difference import in_words
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.study.study import Row
from qxbatch.visible import one_line

_LISTED, _DIFFERENCES = 20, 3
"""Sessions listed in the terminal, and differences listed for each."""


def difference_lines(rows: Iterable[Row]) -> list[str]:
    """Return a line for each session that differs from the majority, at most 20."""
    different = [row for row in rows if row.differences]
    lines = [
        f"  {one_line(f'{row.session}: {in_words(row.differences, _DIFFERENCES)}')}" for row in different[:_LISTED]
    ]
    more = len(different) - len(lines)
    lines += [f"  {more} more: see {STUDY_SIDECAR}"] if more else []
    return ["differ from the majority of the study:", *lines] if lines else []
