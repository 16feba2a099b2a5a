"""Whether a packet was split into sessions before."""

from pathlib import Path


def was_parted(sessionsfolder: Path, session: str) -> bool:
    """Whether `--on-mixed=split` made sessions of that one's packet before (docs/summary.md, `parted`)."""
    from qxbatch.session.folder import SessionFolder

    summary = SessionFolder(sessionsfolder / f"{session}-1").readable_summary
    return summary is not None and summary.split is not None and summary.split.source == session
