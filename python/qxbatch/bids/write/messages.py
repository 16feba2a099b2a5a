"""What an export says about a session: why it is not exported, and what its user has to check."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from qxbatch.bids.decide.hints import series_list_text
from qxbatch.bids.files.changes import Action, Change
from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.record import Record, RecordEntry
from qxbatch.bids.files.sources import Source
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.tables.table_text import Cells
from qxbatch.bids.write.apply import Content
from qxbatch.bids.write.user_files import UserFiles
from qxbatch.discover.own_names import MAX_NAME_BYTES
from qxbatch.problems import LOOK_AT_IMAGES
from qxbatch.record.names import description, series_number
from qxbatch.session.layout import IMAGE_SUFFIX


def undecided_reasons(plan: ExportPlan) -> Iterator[str]:
    """Yield the reasons why a session cannot be exported, each with what to do."""
    if plan.problem:
        yield f"{plan.problem}. {plan.hint}".strip()
    for undecided in plan.undecided_series:
        number, name = series_number(undecided.series.header), description(undecided.series.header)
        series = f"series n{undecided.series.n}" if number is None else f"series {number}"
        yield f"{series}{f' ({name})' if name else ''}: {undecided.reason}. {undecided.hint}".strip()


def doubt_warnings(plan: ExportPlan) -> Iterator[str]:
    """Yield a warning that names the series with exported images that the import doubts; none if it doubts none of them."""
    images = [ImageFacts(placed.image) for placed in plan.placed_images]
    doubts = {
        (image.image.series.n, problem.message)
        for image in images
        for problem in image.image.series.problems
        if problem.doubts_images
    }
    if not doubts:
        return
    series = series_list_text(image for image in images if image.image.series.n in {n for n, _message in doubts})
    messages = {message.rstrip(".") for _n, message in doubts}
    reason = f" ({messages.pop()})" if len(messages) == 1 else ""
    yield f"the import doubts exported images of {series}{reason}. {LOOK_AT_IMAGES}"


def hard_link_warnings(
    changes: Iterable[Change], contents: Mapping[str, Content], record: Record
) -> Iterator[tuple[Change, str]]:
    """Yield a warning for each file that was edited in the data set and, by a hard link, also in the session."""
    for change in changes:
        content, last = contents.get(change.path), record.files.get(change.path)
        if change.action is not Action.UNCHANGED or not isinstance(content, Source) or last is None or last.link:
            continue
        known = {(entry.size, entry.sha256) for entry in record.possible_entries(change.path)}
        if (content.size, content.sha256) not in known:
            yield (
                change,
                (
                    f"{change.path} and {content.path} are one file by a hard link, and it was edited. "
                    "Take the image of the session from a backup, or convert the session again."
                ),
            )


def user_file_warnings(
    planned: Mapping[str, RecordEntry],
    cells: Mapping[str, Cells],
    record: Record,
    dataset_folder: DatasetFolder,
    is_kept: Callable[[RecordEntry], bool],
) -> Iterator[tuple[str, str]]:
    """Yield a session and a warning for each changed image or folder with files of users; `cells`, `is_kept` as in UserFiles."""
    return UserFiles(planned, cells, record, dataset_folder, is_kept).warnings()


def paths_with_long_names(plan: ExportPlan) -> Iterator[str]:
    """Yield the paths of files of images whose names file systems do not allow.

    Names of tables and folders are shorter.
    """
    for placed in plan.placed_images:
        context = f"{placed.path.removesuffix('_asl')}_aslcontext.tsv" if placed.path.endswith("_asl") else ""
        longest = max(f"{placed.path}{IMAGE_SUFFIX}", context, key=len)
        if len(os.fsencode(longest.rpartition("/")[2])) > MAX_NAME_BYTES:
            yield longest
