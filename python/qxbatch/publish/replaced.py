"""What an exchange took out of a session: kept where it would be a last copy, dropped where the new session has it."""

import errno
import os
import re
from pathlib import Path

from qxbatch.core import hash_file, hash_gzip, hash_tar_gz
from qxbatch.discover.own_names import Use
from qxbatch.model import State
from qxbatch.publish.archived import archived_hashes
from qxbatch.publish.durable import make_folder, remove_tree, sync_tree
from qxbatch.publish.same import same_content
from qxbatch.publish.transfer import copied, hidden, renamed
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import (
    DICOM,
    DICOM_REPORT,
    LEDGER,
    OWN,
    PACKED,
    PAGE,
    SESSION_TXT,
    SUMMARY,
    is_converter_log,
    is_from_packet,
)
from qxbatch.session.ledger import STORED
from qxbatch.session.summary import comparable

_DURATION = re.compile(rb"\d+(?:\.\d+)?(?:e-?\d+)? ?(?:(?:seconds|sec|s|ms)\b|for core code)")
"""As in scripts/compare-trees."""
_MADE = (f"{OWN}/{SUMMARY}", f"{OWN}/{PAGE}", f"{OWN}/{LEDGER}", f"{DICOM}/{DICOM_REPORT}")
"""Written from what was sorted; the new session has the same facts and more."""


def keep_replaced(old: Path, session: Path, replaced: Path, archive: Path | None, tag: str) -> Path | None:
    """Move the files below `old` whose bytes no other place holds to `<replaced>/<session>-<k>`; drop the rest.

    Other places are the session, and the packets in `archive` that the old session was made of. Returns where the files
    lie now, None when there were none. A call that was cut short can be repeated. `tag` is in the names of hidden copies.
    """
    kept, rest = old.with_name(f"{old.name}.kept"), old.with_name(f"{old.name}.rest")
    if old.exists():
        _sort_out(old, kept, session, archive)
        old.rename(rest)
    remove_tree(rest)
    if not kept.exists():
        return None
    make_folder(replaced)
    copy = hidden(replaced / old.name, Use.COPY, tag)
    k = 1
    while os.path.lexists(replaced / f"{old.name}-{k}"):
        k += 1
    before = replaced / f"{old.name}-{k - 1}"
    if k > 1 and same_content(kept, before):  # copied there by a run that was killed then
        remove_tree(copy)
        _discard(kept, rest)
        return before
    sync_tree(kept)
    if (target := _placed(kept, replaced, old.name, k)) is not None:
        return target
    copied(kept, copy)
    target = _placed(copy, replaced, old.name, k)
    if target is None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(copy))
    _discard(kept, rest)
    return target


def _placed(source: Path, replaced: Path, name: str, k: int) -> Path | None:
    """Rename to the first free name from k on, also where another study shares the folder; None across file systems."""
    while True:
        try:
            return replaced / f"{name}-{k}" if renamed(source, replaced / f"{name}-{k}") else None
        except FileExistsError:
            k += 1


def _discard(kept: Path, rest: Path) -> None:
    """In one step, so that a rerun finds all of it or none."""
    kept.rename(rest)
    remove_tree(rest)


def _sort_out(old: Path, kept: Path, session: Path, archive: Path | None) -> None:
    """Bring what only `old` holds to `kept`; what it says of itself goes last, since that is asked by a run that goes on."""
    held = _held(session)
    last = [path for path in _files(old) if not _covered(path, session / path.relative_to(old), held)]
    if archive is not None and any(is_from_packet(path.relative_to(old)) for path in last):
        held = archived_hashes(old, archive, old.with_name(f"{old.name}.check"))
        last = [path for path in last if not (is_from_packet(path.relative_to(old)) and _holds(path, held))]
    if _is_sorted_only(old):
        last = [path for path in last if path.relative_to(old).as_posix() not in _MADE]
    for path in sorted(last, key=lambda path: path.relative_to(old).parts[0] == OWN):
        place = kept / path.relative_to(old)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)


def _is_sorted_only(old: Path) -> bool:
    """Return whether nothing was converted in the old session: then no table or page of it tells of an image."""
    summary = SessionFolder(old).readable_summary
    return summary is not None and all(series.state is State.NOT_ASKED for series in summary.series)


def _files(top: Path) -> list[Path]:
    """Files and links below a folder, links to folders too."""
    found = []
    for folder, folders, files in os.walk(top, topdown=False):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        found += [Path(folder, name) for name in (*files, *links)]
    return found


def _held(session: Path) -> set[str]:
    """Hashes of the packet bytes that the session holds, by its ledger."""
    rows = SessionFolder(session).ledger()
    return {digest for row in rows if row.fate in STORED for digest in (row.sha256, row.content_sha256)}


def _covered(path: Path, twin: Path, held: set[str]) -> bool:
    if path.is_symlink():
        return False
    return (twin.is_file() and _comparable(path) == _comparable(twin)) or _holds(path, held)


def _holds(path: Path, held: set[str]) -> bool:
    """Whether the bytes of a file, or of all members of a series' archive, are among these hashes."""
    if path.is_symlink():
        return False
    try:
        if path.name.endswith(PACKED):
            return all(digest in held for _, _, digest in hash_tar_gz(str(path)))
        if path.suffix == ".gz" and hash_gzip(str(path))[1] in held:
            return True
    except ValueError:
        return False  # a damaged archive may hold what nothing else does
    return hash_file(str(path))[1] in held


def _comparable(path: Path) -> object:
    """A file's content without what a rerun changes: the time in session.txt's first line, times and host, a log's durations."""
    if path.name == SESSION_TXT:
        return path.read_bytes().partition(b"\n")[2]
    if path.name == SUMMARY:
        return comparable(path.read_bytes())
    if is_converter_log(path.name):
        return _DURATION.sub(b"", path.read_bytes())
    return hash_file(str(path))
