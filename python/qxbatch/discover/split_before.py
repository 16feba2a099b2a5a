"""Detects packets that an earlier run split into sessions."""

from pathlib import Path


def was_split(sessionsfolder: Path, session: str) -> bool:
    """Return whether `--on-mixed=split` created sessions from its packet earlier (key `parted` of the summary, docs/summary.md)."""
    from qxbatch.session.folder import SessionFolder

    summary = SessionFolder(sessionsfolder / f"{session}-1").readable_summary
    return summary is not None and summary.split is not None and summary.split.source == session
