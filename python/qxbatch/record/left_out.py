"""Members left out of one session: those that its reading left out, and truncated files that its conversion found."""

from collections.abc import Iterable

from qxbatch.ingest.assemble import SortedSession
from qxbatch.ingest.left_out import LeftOut
from qxbatch.model import Conversion
from qxbatch.record.job import Job
from qxbatch.session.layout import at_of_sorted_file


def left_out_of(job: Job, sorted_session: SortedSession, conversions: Iterable[Conversion]) -> LeftOut:
    """Return the members of a session that were left out or are cut short."""
    not_read = job.left_out.of_rows(sorted_session.rows)
    truncated = {
        at_of_sorted_file(conversion.series.n, name)
        for conversion in conversions
        for name in conversion.truncated_files
    }
    if not truncated:
        return not_read
    rows = (job.reading.row(index) for index in sorted_session.rows)
    return not_read.with_truncated(
        [(row.index, row.path) for row in rows if row.fate == "sorted" and row.at in truncated]
    )
