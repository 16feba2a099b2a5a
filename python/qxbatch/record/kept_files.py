"""Moves kept files of a packet into the session: logs to dicom/log, the other files to inbox."""

import contextlib
import os
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.deidentify import Redact, unchanged
from qxbatch.pack.series import move
from qxbatch.session.layout import INBOX, KEPT_AT, LOG_AT
from qxbatch.session.paths import SessionPaths


def place_kept(root: Path, build: Path, inbox: Path | None) -> dict[str, str]:
    """Move kept files: logs to dicom/log, the other files to inbox; return the path prefixes that had to change.

    In folder mode a name that already exists in the session's inbox (an archive with these members) gets `_files`, unless
    it has the same files: a file that was read twice is kept once.
    """
    source, target = SessionPaths(root), SessionPaths(build)
    if source.log.exists():
        move(source.log, target.log)
    moved = {}
    for kept in sorted(source.inbox.iterdir()) if source.inbox.exists() else ():
        name = kept.name
        while inbox is not None and not _fits(kept, inbox / name):
            name = f"{name}_files"
        if kept.exists():
            move(kept, target.inbox / name)
        if name != kept.name:
            moved[f"{KEPT_AT}{kept.name}"] = f"{KEPT_AT}{name}"
    return moved


def redact_kept(root: Path, redact: Redact) -> dict[str, str]:
    """Redact identities in the names of kept files; return each changed `at` with its new value."""
    changed: dict[str, str] = {}
    if redact is unchanged:
        return changed
    for top in (INBOX, LOG_AT):
        for path in sorted((root / top).rglob("*"), key=lambda path: (-len(path.parts), path)):
            at = path.relative_to(root).as_posix()
            if path.is_dir():
                _remove_if_empty(path)
                continue
            now = _free(root, "/".join([top, *map(redact, path.relative_to(root / top).parts)]), at)
            if now != at:
                (root / now).parent.mkdir(parents=True, exist_ok=True)
                path.rename(root / now)
                changed[at] = now
        for path in sorted((root / top).rglob("*"), key=lambda path: -len(path.parts)):
            if path.is_dir():
                _remove_if_empty(path)
    return changed


def _free(root: Path, wanted: str, own: str) -> str:
    """Return an unused name: the requested one, or a numbered one."""
    name, k = wanted, 1
    while name != own and os.path.lexists(root / name):
        k += 1
        stem, ending = os.path.splitext(wanted)  # noqa: PTH122 - text of a ledger, not a path here
        name = f"{stem}_{k}{ending}"
    return name


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _fits(kept: Path, place: Path) -> bool:
    """Return whether a file, or all files below a folder, can be placed at `place`: it is unused, or has the same bytes.

    If all fit, removes the second copies with the same bytes.
    """
    pairs = [(kept, place), *((path, place / path.relative_to(kept)) for path in kept.rglob("*"))]
    if not all(_agree(path, twin) for path, twin in pairs):
        return False
    for path, twin in pairs:
        if path.is_file() and twin.exists():
            path.unlink()
    return True


def _agree(path: Path, twin: Path) -> bool:
    if not os.path.lexists(twin):
        return True
    if twin.is_symlink() or path.is_dir() != twin.is_dir():
        return False
    return path.is_dir() or hash_file(str(path)) == hash_file(str(twin))
