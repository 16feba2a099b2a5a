"""Files of users in a data set that may belong to another image or session than before."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import PurePosixPath

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.planned_files import SOURCEDATA
from qxbatch.bids.files.record import Record, RecordEntry, is_of_other_image, sessions_by_folder
from qxbatch.bids.schema.image_path import SCANS_SUFFIX
from qxbatch.bids.tables.table_text import Cells

_LABEL = ("sub-", "ses-")
"""How the name of the folder of a subject or of a session begins."""
_NEW_SESSION = "is of a new session"
"""The state of a folder that had no session at the last export. Users often add events before the images, so such a folder is
reported only if it has images."""
_OTHER_SESSION = "is of another session than at the last export"
_NO_SESSION = "has no session any more"
_IMAGE_EXTENSIONS = (".nii", ".nii.gz")


class UserFiles:
    """Finds files of users beside images that this export replaces or removes, and in folders whose session it changes."""

    def __init__(
        self,
        planned: Mapping[str, RecordEntry],
        cells: Mapping[str, Cells],
        record: Record,
        dataset_folder: DatasetFolder,
        is_kept: Callable[[RecordEntry], bool],
    ) -> None:
        """`cells` are those that the sessions give for each planned table, by its path.

        `is_kept` returns whether a recorded file that is not planned is kept.
        """
        self._cells, self._last_cells = cells, {path: entry.rows for path, entry in record.files.items()}
        self._planned, self._record, self._dataset_folder, self._is_kept = planned, record, dataset_folder, is_kept
        self._known = planned.keys() | record.files.keys() | record.journal_files.keys()

    def warnings(self) -> Iterator[tuple[str, str]]:
        """Yield a session and a warning for each changed image or folder with files of users."""
        reported: set[str] = set()
        for path, session, text in self._changed_images():
            if names := self._dataset_folder.files_beside(path) - self._known:
                reported |= names
                yield session, text.format(path=path, names=_names(names))
        for folder, session, state in self._changed_folders():
            names = self._dataset_folder.files_below(folder) - self._known - reported
            if names and (state != _NEW_SESSION or any(name.endswith(_IMAGE_EXTENSIONS) for name in names)):
                reported |= names
                text = f"{folder} {state}, and no export wrote {_names(names)}."
                yield session, f"{text} Check to which session it belongs."

    def _changed_images(self) -> Iterator[tuple[str, str, str]]:
        """Yield path, session and text of each image in the place of another one, and of each image that is removed."""
        for path, entry in self._planned.items():
            if entry.is_image and (state := self._state_of_image(entry)):
                text = f"{{path}} {state}, and no export wrote {{names}}. Check to which image it belongs."
                yield path, entry.session, text
        for path in sorted({*self._record.files, *self._record.journal_files} - self._planned.keys()):
            entry = self._record.possible_entries(path)[0]
            if entry.session and entry.is_image and not self._is_kept(entry):
                text = "{path} is no longer exported, and no export wrote {names}. Move it to the image to which it belongs,"
                yield path, entry.session, f"{text} before another one gets this path."

    def _state_of_image(self, entry: RecordEntry) -> str:
        """Return how the image at a planned path changed: it is or was another one, or has another time. Else empty."""
        before, now = _time(self._last_cells, entry.path), _time(self._cells, entry.path)
        if is_of_other_image(entry, self._record.files.get(entry.path)) or (before and now and before != now):
            return "is another image than at the last export"
        interrupted = (each for each in self._record.journal_files.get(entry.path, ()) if not self._is_kept(each))
        was_other = any(is_of_other_image(entry, each) for each in interrupted)
        return "was another image after an interrupted export" if was_other else ""

    def _changed_folders(self) -> Iterator[tuple[str, str, str]]:
        """Yield folder, session and state of each folder of a session or subject, also in sourcedata, whose sessions changed.

        A folder counts if it has none of its sessions of the last export, or if an interrupted export gave it another session.
        The session that is yielded with a folder is one that this run exports, or an earlier one if the folder has none now.
        Folders that had no session before are among them: images there can be of an export whose record was deleted.
        """
        kept = [entry for entry in self._record.files.values() if entry.session and self._is_kept(entry)]
        kept_sessions = {entry.session for entry in kept}
        sessions_before = sessions_by_folder(self._record.files.values())
        sessions_after = sessions_by_folder([*self._planned.values(), *kept])
        journal = (entry for each in self._record.journal_files.values() for entry in each)
        interrupted = sessions_by_folder(entry for entry in journal if entry.session and not self._is_kept(entry))
        for folder in sorted({*sessions_before, *sessions_after}):
            before, now = sessions_before.get(folder, set()), sessions_after.get(folder, set())
            others = interrupted.get(folder, set()) - now
            if PurePosixPath(folder).name.startswith(_LABEL) and (before.isdisjoint(now) or others):
                state = _NEW_SESSION if not (before or others) else _OTHER_SESSION if now else _NO_SESSION
                session = min((now - kept_sessions) or others or before)  # one that this run exports
                yield folder, session, state
                yield f"{SOURCEDATA}/{folder}", session, state


def _time(cells: Mapping[str, Cells], path: str) -> str | None:
    """Return the time of an image in the cells of tables, by their paths; None or empty if it is not known."""
    folder = path.rpartition("/")[0].rpartition("/")[0]
    rows = cells.get(f"{folder}/{'_'.join(folder.split('/'))}{SCANS_SUFFIX}", {})
    return rows.get(path.removeprefix(f"{folder}/"), {}).get("acq_time")


def _names(paths: Collection[str]) -> str:
    """Return the first path, and how many more there are."""
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"{min(paths)}{more}"
