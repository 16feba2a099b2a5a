"""Applies changes: files are staged first, then renamed one by one. After a kill each file is old or new, never partial.

Before the first change, the journal has to contain all files that the run may write, with their hashes. After a kill, the next
run recognises by these hashes which files an export wrote.
"""

import contextlib
import ctypes
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from qxbatch.bids.files.changes import Action, Change
from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.export_cache import ExportCache, Stamp
from qxbatch.bids.files.record import RECORD_FOLDER, STAGING, Record
from qxbatch.bids.files.sources import Source, SourceError, name_of_source, status_of_source
from qxbatch.bids.write.label_folders import LabelFolders
from qxbatch.bids.write.placing import LinkMode, place
from qxbatch.publish.below import remove_empty_below
from qxbatch.publish.durable import remove_tree, rename_noreplace_at
from qxbatch.publish.plain_files import LinkError

Content = Source | bytes
"""What a file will contain: the content of a file of a session, or these bytes."""
_BATCH_BYTES = 1 << 30
_BATCH_CHANGES = 4000
"""A batch of changes ends when it passes one of these limits."""
_WRITE_ACTIONS = (Action.ADD, Action.REPLACE)
_REPLACED = "an import replaced the session while it was exported, or replaces it now; run again"
"""Why a session is not exported."""


class AppliedChanges:
    """The result of applying changes."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        """Paths of the changes that were applied, also of those for which no file is written or removed."""
        self.failed_sessions: dict[str, str] = {}
        """Why the files of a session were not placed, by session id."""
        self.changed_during_run: set[str] = set()
        """Paths that another program changed during the run; the export does not change them."""


class Applier:
    """Applies changes to one data set."""

    def __init__(
        self,
        dataset_folder: DatasetFolder,
        cache: ExportCache,
        record: Record,
        link: LinkMode,
        was_replaced: Callable[[str], bool],
    ) -> None:
        """`was_replaced` returns whether an import replaced a session, given by its id, since its summary was read."""
        self._dataset_folder, self._cache, self._record, self._link = dataset_folder, cache, record, link
        self._was_replaced = was_replaced
        self._dataset = dataset_folder.path
        self._numbers = iter(range(1 << 62))  # names of the staged files
        self._placed: dict[Path, tuple[Source, Stamp]] = {}
        """Source and stamp of each staged file that was placed, until it is renamed. The stamp is from before its comparison."""
        self._planned_by_folded_path: dict[str, str] = {}
        """The paths of the planned files, by these paths in folded case."""
        self.applied = AppliedChanges()

    def apply(self, changes: Sequence[Change], contents: Mapping[str, Content]) -> None:
        """Apply the changes, a batch of whole sessions at a time, and last those of the files that sessions share.

        If the files of a session could not be placed, the files that sessions share are left out, since they have new values of
        this session.

        Raises LinkRefusedError, and OSError where the data set cannot be written.
        """
        self._remove_staging()
        self._planned_by_folded_path = {path.casefold(): path for path in contents}
        folders = LabelFolders(changes, contents.keys(), self._record)
        groups = _groups(changes, folders)
        shared = groups.pop("", [])
        for batch in _batches(groups.values(), contents):
            self._apply_batch(batch, contents, folders)
        if not self.applied.failed_sessions:
            self._apply_batch(shared, contents, folders)
        self._remove_staging()
        sync_file_system(self._dataset)

    def _remove_staging(self) -> None:
        with self._dataset_folder.opened(RECORD_FOLDER) as folder:
            remove_tree(folder.descriptor_path / PurePosixPath(STAGING).name)

    def _apply_batch(self, batch: Sequence[Change], contents: Mapping[str, Content], folders: LabelFolders) -> None:
        if any(change.action in _WRITE_ACTIONS for change in batch):
            with self._dataset_folder.opened(STAGING, create=True) as staging:
                staged = self._stage_batch(batch, contents, staging.descriptor_path)
                self._apply_staged(batch, staged, contents, folders)
        else:
            self._apply_staged(batch, {}, contents, folders)

    def _apply_staged(
        self,
        batch: Sequence[Change],
        staged: Mapping[str, Path],
        contents: Mapping[str, Content],
        folders: LabelFolders,
    ) -> None:
        """Apply a batch. `staged` has the staged file of each path of the data set that gets a new file."""
        sync_file_system(self._dataset)
        self._leave_out_replaced_sessions(batch)
        planned = [change for change in batch if change.path in contents]
        self._leave_out_sessions_in_folders_of_failed_ones(planned, folders)
        for change in batch:
            if change.session in self.applied.failed_sessions:
                continue
            if change.action in _WRITE_ACTIONS:
                self._rename_into_place(change, staged[change.path])
            elif change.action is Action.REMOVE:
                self._remove(change)
            else:
                self.applied.paths.add(change.path)

    def _leave_out_sessions_in_folders_of_failed_ones(self, planned: Sequence[Change], folders: LabelFolders) -> None:
        """Make a session fail if it would get a folder with files of a failed session: these files would stay beside its own.

        `planned` are the changes of a batch, without those of files that the sessions no longer have.
        """
        failed = self.applied.failed_sessions
        # takers: sessions that are to get a folder of a failed one, and the failed session with its path
        while takers := {
            change.session: (owner, path)
            for change in planned
            if change.session and change.session not in failed
            for owner, path in folders.earlier_sessions(change)
            if owner in failed
        }:
            for session, (owner, path) in takers.items():
                failed[session] = f"{path} is of session {owner}, which is not exported now"

    def _leave_out_replaced_sessions(self, batch: Sequence[Change]) -> None:
        """Make a session fail if an import replaced it: the staged images and sidecars may be of different imports."""
        # also sessions without a change of a file: the shared tables may have their new values
        sessions = {change.session for change in batch}
        for session in sorted(sessions - self.applied.failed_sessions.keys()):
            if self._was_replaced(session):
                self.applied.failed_sessions[session] = _REPLACED

    def _stage_batch(self, batch: Sequence[Change], contents: Mapping[str, Content], staging: Path) -> dict[str, Path]:
        """Write the new files of a batch into the folder `staging`; return the staged file of each path of the data set."""
        staged = {}
        for change in batch:
            if change.action not in _WRITE_ACTIONS or change.session in self.applied.failed_sessions:
                continue
            path = staging / str(next(self._numbers))
            try:
                self._stage(change, contents[change.path], path)
            except SourceError as error:
                is_replaced = self._was_replaced(change.session)
                self.applied.failed_sessions[change.session] = _REPLACED if is_replaced else str(error)
                continue
            staged[change.path] = path
        return staged

    def _stage(self, change: Change, content: Content, path: Path) -> None:
        """Write the new file of a change to `path` in the staging folder. Raises SourceError, LinkRefusedError, OSError."""
        if change.entry is not None and change.entry.link:
            path.symlink_to(change.entry.link)
        elif isinstance(content, Source):
            self._place(content, path)
        else:
            with path.open("xb") as file:
                self._keep_mode(change, file.fileno())
                file.write(content)

    def _keep_mode(self, change: Change, descriptor: int) -> None:
        """Give a new file the permissions of the one that it replaces: a user may have changed them."""
        if change.action is Action.REPLACE:
            with contextlib.suppress(OSError):
                mode = os.lstat(self._dataset / change.path).st_mode
                if stat.S_ISREG(mode):
                    os.fchmod(descriptor, mode & 0o777)

    def _place(self, source: Source, path: Path) -> None:
        """Place a file, and store the hash of its source, so that the next export need not read it. Raises as `place` does."""
        begin_ns = time.time_ns()
        before = status_of_source(source.path)
        self._placed[path] = source, Stamp.of(place(source, path, self._link))
        after = status_of_source(source.path)
        if Stamp.of(before) == Stamp.of(after):
            self._cache.store_hash(name_of_source(source.path), after, source.sha256, begin_ns)

    def _rename_into_place(self, change: Change, staged: Path) -> None:
        """Rename the staged file of a change to its path, unless another program changed what exists there. Raises OSError."""
        parent, _slash, name = change.path.rpartition("/")
        staged_status = os.lstat(staged)
        try:
            with self._dataset_folder.opened(parent, create=True) as folder:  # a folder can be a link by now
                if change.action is Action.ADD:
                    rename_noreplace_at(None, str(staged), folder.descriptor, name)
                elif self._is_still_ours(change):
                    os.rename(staged, name, dst_dir_fd=folder.descriptor)
                else:
                    self.applied.changed_during_run.add(change.path)
                    return
        except (LinkError, NotADirectoryError, FileExistsError):
            self.applied.changed_during_run.add(change.path)
            return
        self._store_hash(change, staged, staged_status)
        self.applied.paths.add(change.path)

    def _store_hash(self, change: Change, staged: Path, staged_status: os.stat_result) -> None:
        """Store the hash of a file that was renamed into place, by its status as a staged file and its status now.

        If another program changed or replaced the file since the rename, nothing is stored, and the next export reads it. This
        also holds if times are in whole seconds: an edit in the second of the rename would not change them. Nor is anything stored
        if a file changed since it was placed: the source of a hard link can be edited until then.
        """
        target = self._dataset / change.path
        source, placed_stamp = self._placed.pop(staged, (None, Stamp.of(staged_status)))
        if change.entry is None or placed_stamp != Stamp.of(staged_status):
            return
        with contextlib.suppress(OSError):
            status, own_status = os.stat(target), os.lstat(target)  # noqa: PTH116 - the first one follows a link
            if _is_unchanged(staged_status, own_status):
                names = [change.path]
                if (
                    source is not None and self._link is LinkMode.HARD
                ):  # the rename changed the times of the source, too
                    names.append(name_of_source(source.path))
                for name in names:
                    self._cache.store_hash(name, status, change.entry.sha256, staged_status.st_ctime_ns)

    def _remove(self, change: Change) -> None:
        """Remove the file of a change and the folders that are empty then. Raises OSError.

        Nothing is removed if another program changed the file, or if it is a planned file whose path differs only in case.
        """
        planned = self._planned_by_folded_path.get(change.path.casefold())
        if planned is not None and self._dataset_folder.is_one_file(change.path, planned):
            self.applied.paths.add(change.path)
            return
        path = self._dataset / change.path
        try:
            with self._dataset_folder.opened(change.path.rpartition("/")[0]) as folder:
                is_still_ours = self._is_still_ours(change)
                if is_still_ours:
                    os.unlink(path.name, dir_fd=folder.descriptor)
        except (LinkError, NotADirectoryError, FileNotFoundError):
            is_still_ours = False
        if not is_still_ours:
            self.applied.changed_during_run.add(change.path)
            return
        self.applied.paths.add(change.path)
        with contextlib.suppress(OSError):
            for parent in path.parents:
                if parent == self._dataset:
                    break
                remove_empty_below(parent, self._dataset)

    def _is_still_ours(self, change: Change) -> bool:
        """Return whether the file that exists now is one that an export wrote: another program may have changed it since.

        Its bytes are read: what the cache of the sessions folder contains does not decide whether a file is lost.
        """
        entries = self._record.possible_entries(change.path)
        existing = self._dataset_folder.file_at(change.path, entries, is_read=True)
        return existing is not None and any(map(existing.matches, entries))


def _is_unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    """Return whether two states are of one file with the same size and modification time. A rename sets the change time."""
    values = [(status.st_size, status.st_mtime_ns) for status in (before, after)]
    return os.path.samestat(before, after) and values[0] == values[1]


def _groups(changes: Iterable[Change], folders: LabelFolders) -> dict[str, list[Change]]:
    """Return groups of changes, by their first session id. Sessions that take folders of one another are one group.

    The changes of files that sessions share have the id "". The removals of a session follow its writes.
    """
    sessions: dict[str, list[Change]] = {}
    for change in changes:
        sessions.setdefault(change.session, []).append(change)
    groups = {session: {session} for session in sessions}
    for change in (change for group in sessions.values() for change in group if change.session):
        for previous, _path in folders.earlier_sessions(change):
            if previous in groups and previous not in groups[change.session]:
                joined = groups[change.session] | groups[previous]
                groups |= dict.fromkeys(joined, joined)
    return {
        session: [change for each in sorted(group) for change in sorted(sessions[each], key=_sort_key)]
        for session, group in groups.items()
        if session == min(group)
    }


def _batches(groups: Iterable[Sequence[Change]], contents: Mapping[str, Content]) -> Iterator[list[Change]]:
    """Yield batches of changes of whole groups; a batch ends when it passes a limit of bytes or of changes."""
    batch: list[Change] = []
    size = 0
    for group in groups:
        batch += group
        size += sum(_size(contents[change.path]) for change in group if change.action in _WRITE_ACTIONS)
        if size > _BATCH_BYTES or len(batch) > _BATCH_CHANGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _sort_key(change: Change) -> tuple[bool, str]:
    return (change.action is Action.REMOVE, change.path)


def _size(content: Content) -> int:
    return content.size if isinstance(content, Source) else len(content)


def sync_file_system(folder: Path) -> None:
    """Sync the whole file system of a folder, since fsync for each of thousands of files takes minutes."""
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
