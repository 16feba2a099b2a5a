"""What is worth a look in what was read, though nothing is wrong with it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from qxbatch.core import Group, Reading
from qxbatch.ingest.assemble import Part
from qxbatch.problems import Code, Problem, Severity


def several_studies(groups: Sequence[Group], part: Part) -> list[Problem]:
    """Warn of several studies in one session: one person scanned twice, or two packets put together."""
    studies = {groups[i].study for series in part.series for i in series.groups}
    if len(studies) <= 1:
        return []
    message = f"{len(studies)} studies became one session; series that share a number have own ones."
    hint = "Check that they belong together."
    return [Problem(Code.SEVERAL_STUDIES, part.session.id, message, hint, Severity.WARNING)]


def duplicates(reading: Reading, part: Part) -> list[Problem]:
    """Warn, per series, of files that were there more than once; that a session's own lie in its inbox too is none."""
    own = {row.at for row in map(reading.row, part.rows) if row.path.startswith("../") and row.at}
    copies = (row for row in map(reading.row, part.rows) if row.fate == "duplicate")
    counts = Counter(row.series for row in copies if row.at not in own)
    firsts = map(reading.row, part.copies.values())
    counts.update(first.series for first in firsts if first.at not in own)
    return [_duplicates(n, count) for n, count in sorted(counts.items())]


def _duplicates(n: int, count: int) -> Problem:
    files = "file was" if count == 1 else "files were"
    message = f"{count} {files} there more than once, with the same bytes, and stored once."
    return Problem(Code.DUPLICATES, f"series {n}", message, severity=Severity.WARNING)


def fates(reading: Reading, rows: Iterable[int]) -> dict[str, int]:
    """Count ledger rows by fate."""
    return dict(sorted(Counter(reading.row(i).fate for i in rows).items()))
