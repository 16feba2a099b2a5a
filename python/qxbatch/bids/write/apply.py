"""Makes the changes: staged first, then brought under their names one by one. A kill leaves each file old or new, never half.

The journal names all that a run may write, with its hashes, before the first file is changed. The next run takes what it finds
of it for ours, and does the rest.
"""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from qxbatch.bids.files.changes import Action, Change
from qxbatch.bids.files.disk import Disk
from qxbatch.bids.files.record import STAGING, Record
from qxbatch.bids.files.sources import Source, SourceError
from qxbatch.bids.files.stamps import Stamps
from qxbatch.bids.write.placing import Link, place
from qxbatch.publish.durable import make_folder, remove_tree, rename_new

Content = Source | bytes
_BATCH_BYTES = 1 << 30
_BATCH_FILES = 4000
_WRITTEN = (Action.ADD, Action.REPLACE)


class Applied:
    """What was done: paths, and the sessions that could not be placed with the reason."""

    def __init__(self) -> None:
        self.done: set[str] = set()
        self.failed: dict[str, str] = {}
        self.late: set[str] = set()
        """Paths that somebody else changed while the run worked; they are left alone."""


class Applier:
    """Makes changes in one data set."""

    def __init__(self, disk: Disk, stamps: Stamps, record: Record, link: Link) -> None:
        self._disk, self._stamps, self._record, self._link = disk, stamps, record, link
        self._dataset = disk.dataset
        self._staging = disk.dataset / STAGING
        self._numbers = iter(range(1 << 62))
        self.applied = Applied()

    def apply(self, changes: Iterable[Change], contents: Mapping[str, Content]) -> None:
        """Make the changes, a batch of whole sessions at a time. Raises OSError where the data set cannot be written."""
        remove_tree(self._staging)
        for batch in _batches(changes, contents):
            staged = self._staged(batch, contents)
            sync_file_system(self._dataset)
            for change in batch:
                if change.session in self.applied.failed:
                    continue
                if change.action in _WRITTEN:
                    self._place(change, staged[change.path])
                elif change.action is Action.REMOVE:
                    self._remove(change)
                else:
                    self.applied.done.add(change.path)
        remove_tree(self._staging)
        sync_file_system(self._dataset)

    def _staged(self, batch: Sequence[Change], contents: Mapping[str, Content]) -> dict[str, Path]:
        staged = {}
        for change in batch:
            if change.action not in _WRITTEN or change.session in self.applied.failed:
                continue
            path = self._staging / str(next(self._numbers))
            make_folder(self._staging)
            try:
                self._stage(change, contents[change.path], path)
            except SourceError as error:
                self.applied.failed[change.session] = str(error)
                continue
            staged[change.path] = path
        return staged

    def _stage(self, change: Change, content: Content, path: Path) -> None:
        if change.entry is not None and change.entry.link:
            path.symlink_to(change.entry.link)
        elif isinstance(content, Source):
            place(content, path, self._link)
        else:
            with path.open("xb") as file:
                file.write(content)

    def _place(self, change: Change, staged: Path) -> None:
        target = self._dataset / change.path
        make_folder(target.parent)
        if not self._disk.is_plain(change.path.rpartition("/")[0]):
            self.applied.late.add(change.path)
            return
        if change.action is Action.ADD:
            try:
                rename_new(staged, target)
            except FileExistsError:
                self.applied.late.add(change.path)
                return
        elif not self._is_still_ours(change):
            self.applied.late.add(change.path)
            return
        else:
            staged.replace(target)
        entry = change.entry
        if entry is not None:
            with contextlib.suppress(OSError):
                self._stamps.note(change.path, os.stat(target), entry.sha256)  # noqa: PTH116 - beside os.lstat
        self.applied.done.add(change.path)

    def _remove(self, change: Change) -> None:
        if not self._is_still_ours(change):
            self.applied.late.add(change.path)
            return
        path = self._dataset / change.path
        path.unlink()
        self.applied.done.add(change.path)
        with contextlib.suppress(OSError):
            for folder in path.parents:
                if folder == self._dataset:
                    break
                folder.rmdir()  # only empty ones

    def _is_still_ours(self, change: Change) -> bool:
        found = self._disk.look(change.path)
        return found is not None and any(found.is_of(entry) for entry in self._record.ours(change.path))


def _batches(changes: Iterable[Change], contents: Mapping[str, Content]) -> Iterator[list[Change]]:
    """Yield changes of whole sessions, up to so many bytes and files at once; removals behind what is written."""
    sessions: dict[str, list[Change]] = {}
    for change in changes:
        sessions.setdefault(change.session, []).append(change)
    batch: list[Change] = []
    size = 0
    for group in sessions.values():
        batch += sorted(group, key=_order)
        size += sum(_size(contents[change.path]) for change in group if change.action in _WRITTEN)
        if size > _BATCH_BYTES or len(batch) > _BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _order(change: Change) -> tuple[bool, str]:
    return (change.action is Action.REMOVE, change.path)


def _size(content: Content) -> int:
    return content.size if isinstance(content, Source) else len(content)


def sync_file_system(folder: Path) -> None:
    """Bring the files of a folder's file system to disk at once: an fsync for each of thousands takes minutes."""
    call: Callable[[int], int] | None = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if call is None:
            os.sync()
        elif call(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
