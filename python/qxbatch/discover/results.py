"""Whether a session has results already."""

import os
from pathlib import Path


def has_session(folder: Path) -> bool:
    """Inbox mode: a session exists with its inbox, session.txt, or any file in dicom or nii."""
    return any(os.path.lexists(folder / name) for name in ("inbox", "session.txt")) or has_results(folder)


def was_parted(sessionsfolder: Path, session: str) -> bool:
    """Whether `--on-mixed=split` made sessions of that one's packet before (docs/summary.md, `parted`)."""
    import json

    try:
        told = json.loads((sessionsfolder / f"{session}-1" / "qxbatch" / "summary.json").read_bytes())
    except (OSError, ValueError):
        return False
    parted = told.get("parted") if isinstance(told, dict) else None
    return isinstance(parted, dict) and parted.get("from") == session


def has_results(folder: Path) -> bool:
    """Folder mode: a session has results with any file in dicom or nii."""
    return any(_has_file(folder / name) for name in ("dicom", "nii"))


def has_images(folder: Path) -> bool:
    """Whether a session was converted: any file lies in nii."""
    return _has_file(folder / "nii")


def _has_file(folder: Path) -> bool:
    """A folder that cannot be listed counts as one with files: what is there must not be touched."""
    unreadable: list[OSError] = []
    for _root, _folders, files in os.walk(folder, onerror=unreadable.append):
        if files:
            return True
    return any(not isinstance(error, FileNotFoundError) for error in unreadable)
