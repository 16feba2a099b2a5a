"""What the sessions of a study were scanned with, by their summaries alone."""

from qxbatch.protocol.scanned import ScannedSession
from qxbatch.record.scanned import scanned_series
from qxbatch.session.folder import SessionFolder


def scanned_session(folder: SessionFolder) -> ScannedSession | None:
    """Return the series of a session; None where another program made it. Raises as `SessionFolder.summary`."""
    summary = folder.summary
    if summary is None:
        return None
    series = sorted(summary.series, key=lambda each: each.n)
    return ScannedSession(
        folder.id, tuple(scanned_series(each.n, each.header, each.verdict, each.acquisition) for each in series)
    )
