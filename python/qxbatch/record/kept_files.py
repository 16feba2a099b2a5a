"""Kept files of a packet: redacts their names, and moves them into the session, logs to dicom/log, the others to inbox."""

import contextlib
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.deidentify import Redact, no_redaction
from qxbatch.discover.own_names import MAX_NAME_BYTES
from qxbatch.ledger_cells import unescape
from qxbatch.pack.series import move
from qxbatch.session.layout import INBOX, KEPT_AT_PREFIX, SCANNER_LOGS_AT
from qxbatch.session.paths import SessionPaths

_SEPARATORS = re.compile(r"[/\\!]")
"""What separates the names in the path of a member; `!` follows the name of an archive."""
_NUMBER = re.compile(r"_\d+(?=(?:\.[^.]*)?$)")
"""The number that the core adds to a name that is in use."""


def move_kept_files(root: Path, build: Path, inbox: Path | None) -> dict[str, str]:
    """Move kept files from `root` to `build`: logs to dicom/log, the other files to inbox.

    Return the path prefixes that changed, old to new. `inbox` is the session's own inbox in folder mode (`--masterinbox=none`),
    else None. In folder mode, `_files` is added to a name that is in use: `inbox` has something else with this name (for example
    the archive with these files), or other kept files already got this name. Files that exist in `inbox` with the same name and
    bytes are not moved, so a file that was read twice is kept once.
    """
    source, target = SessionPaths(root), SessionPaths(build)
    if source.scanner_logs.exists():
        move(source.scanner_logs, target.scanner_logs)
    new_prefixes = {}
    for path in sorted(source.inbox.iterdir()) if source.inbox.exists() else ():
        name = path.name
        if inbox is not None:
            while os.path.lexists(target.inbox / name) or not _can_be_moved(path, inbox / name):
                name = f"{name}_files"
            _remove_copies(path, inbox / name)
        if path.exists():
            move(path, target.inbox / name)
        if name != path.name:
            new_prefixes[f"{KEPT_AT_PREFIX}{path.name}"] = f"{KEPT_AT_PREFIX}{name}"
    return new_prefixes


def redact_kept_names(root: Path, redact: Redact, member_paths: Mapping[str, str]) -> dict[str, str]:
    """Redact identities in the names of kept files; return the new `at` of each renamed file by its old `at`.

    `at` is the path of a file below `root`, as in the ledger. `member_paths` maps it to the path of the member in the ledger: the
    original name may have bytes that the name on disk lacks.
    """
    changed: dict[str, str] = {}
    if redact is no_redaction:
        return changed
    for top in (INBOX, SCANNER_LOGS_AT):
        for path in sorted((root / top).rglob("*"), key=lambda path: (-len(path.parts), path)):
            at = path.relative_to(root).as_posix()
            if path.is_dir():
                _remove_if_empty(path)
                continue
            originals = _original_names(member_paths.get(at, ""))
            *folders, name = [_redacted_name(part, originals, redact) for part in path.relative_to(root / top).parts]
            new_at = _unused_name(root, f"{_folder_at(root, top, folders)}/{name}", at)
            if new_at != at:
                (root / new_at).parent.mkdir(parents=True, exist_ok=True)
                path.rename(root / new_at)
                changed[at] = new_at
        for path in sorted((root / top).rglob("*"), key=lambda path: -len(path.parts)):
            if path.is_dir():
                _remove_if_empty(path)
    return changed


def _original_names(member_path: str) -> dict[str, str]:
    """Return the original names of folders and files with bytes that are not UTF-8, by their names on disk."""
    names = _SEPARATORS.split(unescape(member_path)) if "\\x" in member_path else ()
    return {cleaned: name for name in names if (cleaned := _cleaned_name(name)) != name}


def _cleaned_name(name: str) -> str:
    """Return a name with `_` for control characters and for bytes that are not UTF-8, as the core writes it."""
    return "".join("_" if unicodedata.category(character) in {"Cc", "Cs"} else character for character in name)


def _redacted_name(part: str, originals: Mapping[str, str], redact: Redact) -> str:
    original = originals.get(part) or originals.get(_NUMBER.sub("", part), part)
    new = redact(original)
    return part if new == original else _shortened_name(_cleaned_name(new))


def _shortened_name(name: str) -> str:
    """Return a name cut to the length that file systems allow, less room for a number. Its ending remains if there is room."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    room = MAX_NAME_BYTES - 10 - len(os.fsencode(ending))
    if len(os.fsencode(stem)) <= room:
        return name
    if room < 1:
        stem, ending, room = name, "", MAX_NAME_BYTES - 10
    return os.fsencode(stem)[:room].decode(errors="ignore") + ending


def _unused_name(root: Path, requested: str, current: str) -> str:
    """Return an unused path below `root`: the requested one, or a numbered one. `current`, where the file is, counts as unused."""
    name, k = requested, 1
    while name != current and os.path.lexists(root / name):
        k += 1
        stem, ending = os.path.splitext(requested)  # noqa: PTH122 - a path as text, as in the ledger
        name = f"{stem}_{k}{ending}"
    return name


def _folder_at(root: Path, top: str, names: Sequence[str]) -> str:
    """Return the path below `root` of the folder with these names below `top`. A name gets a number if a file has it."""
    at = top
    for name in names:
        parent, at, k = at, f"{at}/{name}", 1
        while os.path.lexists(root / at) and not (root / at).is_dir():
            k += 1
            at = f"{parent}/{name}_{k}"
    return at


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _pairs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Return a file or folder, and all entries below it, each with its path if `source` is moved to `target`."""
    return [(source, target), *((path, target / path.relative_to(source)) for path in source.rglob("*"))]


def _can_be_moved(source: Path, target: Path) -> bool:
    """Return whether a file, or each file below a folder, can be moved to `target`: the name is unused, or has the same bytes."""
    return all(_is_unused_or_same(target_path, path) for path, target_path in _pairs(source, target))


def _remove_copies(source: Path, target: Path) -> None:
    """Remove the files of `source` that exist at `target`. The caller has checked that they have the same bytes."""
    for path, target_path in _pairs(source, target):
        if path.is_file() and target_path.exists():
            path.unlink()


def _is_unused_or_same(target_path: Path, path: Path) -> bool:
    """Return whether `target_path` does not exist, or both are folders, or `target_path` is a file with the bytes of `path`."""
    if not os.path.lexists(target_path):
        return True
    if target_path.is_symlink() or path.is_dir() != target_path.is_dir():
        return False
    if path.is_dir():
        return True
    # of another size, `target_path` is not read: it may be a sparse file of terabytes
    return path.stat().st_size == target_path.stat().st_size and hash_file(str(path)) == hash_file(str(target_path))
