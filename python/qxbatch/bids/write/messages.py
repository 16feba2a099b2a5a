"""What an export says about a session: why it is not exported, and what its user has to check."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from qxbatch.bids.files.changes import Action, Change
from qxbatch.bids.files.disk import Disk
from qxbatch.bids.files.record import Entry, Record, is_of_other_image
from qxbatch.bids.files.sources import Source
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.write.apply import Content
from qxbatch.record.names import description, series_number


def undecided_reasons(plan: ExportPlan) -> Iterator[str]:
    """Yield the reasons why a session cannot be exported, each with what to do."""
    if plan.problem:
        yield f"{plan.problem}. {plan.hint}".strip()
    for undecided in plan.undecided_series:
        number, name = series_number(undecided.series.header), description(undecided.series.header)
        series = f"series n{undecided.series.n}" if number is None else f"series {number}"
        yield f"{series}{f' ({name})' if name else ''}: {undecided.reason}. {undecided.hint}".strip()


def hard_link_warnings(
    changes: Iterable[Change], contents: Mapping[str, Content], record: Record
) -> Iterator[tuple[Change, str]]:
    """Yield a warning for each file that was edited in the data set and, by a hard link, also in the session."""
    for change in changes:
        content, last = contents.get(change.path), record.files.get(change.path)
        if change.action is not Action.UNCHANGED or not isinstance(content, Source) or last is None:
            continue
        if (last.size, last.sha256) != (content.size, content.sha256):
            yield (
                change,
                (
                    f"{change.path} and {content.path} are one file by a hard link, and it was edited. "
                    "Take the image of the session from a backup, or convert the session again."
                ),
            )


def user_file_warnings(
    planned: Mapping[str, Entry], record: Record, disk: Disk, is_kept: Callable[[Entry], bool]
) -> Iterator[tuple[str, str]]:
    """Yield a session and a warning for each image that replaces another one or is removed, if files of users are beside it.

    `is_kept` returns whether a recorded file that is not planned is kept.
    """
    known = planned.keys() | record.files.keys() | record.journal_files.keys()

    def names_beside(path: str) -> str:
        return _names(disk.files_beside(path) - known)

    for path, entry in planned.items():
        if entry.is_image and is_of_other_image(entry, record.files.get(path)) and (names := names_beside(path)):
            text = f"{path} is another image than at the last export, and {names} is not of an export."
            yield entry.session, f"{text} Check to which image it belongs."
    for path, entry in record.files.items():
        is_removed = entry.session and entry.is_image and path not in planned and not is_kept(entry)
        if is_removed and (names := names_beside(path)):
            text = f"{path} is no longer exported, and {names} is not of an export."
            yield entry.session, f"{text} Move it to the image to which it belongs, before another one gets this path."


def _names(paths: Collection[str]) -> str:
    """Return the first path, and how many more there are; empty without paths."""
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"{min(paths)}{more}" if paths else ""
