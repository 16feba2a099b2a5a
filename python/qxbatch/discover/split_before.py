"""Detects packets that an earlier run split into sessions."""

from pathlib import Path


def was_split(sessionsfolder: Path, session: str) -> bool:
    """Return whether `--on-mixed=split` split the packet of this session id earlier, into sessions `<session>-1` and so on.

    The summary of `<session>-1` says so (key `parted`, docs/summary.md).
    """
    from qxbatch.session.folder import SessionFolder

    summary = SessionFolder(sessionsfolder / f"{session}-1").readable_summary
    return summary is not None and summary.split is not None and summary.split.source == session
