"""The series of the sessions of a study, read from their summaries."""

from qxbatch.protocol.scanned import ScannedSession
from qxbatch.record.scanned import scanned_series
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import Summary


def scanned_session(folder: SessionFolder) -> ScannedSession | None:
    """Return the series of a session; None if it has no summary. Raises as `SessionFolder.summary`."""
    summary = folder.summary
    return None if summary is None else scanned_summary(folder.id, summary)


def scanned_summary(session_id: str, summary: Summary) -> ScannedSession:
    """Return the series of a session with this summary."""
    series = sorted(summary.series, key=lambda item: item.n)
    return ScannedSession(
        session_id, tuple(scanned_series(item.n, item.header, item.verdict, item.acquisition) for item in series)
    )
