"""The plan as a table that users edit. It has a row for each image, each series without images, each session with a problem."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.images.facts import images_of
from qxbatch.bids.model import ExportImage, ExportPlan, IgnoredItem, PlacedImage, Rule, UndecidedSeries
from qxbatch.bids.schema.image_path import session_prefix
from qxbatch.bids.schema.names import load_schema
from qxbatch.bids.schema.target import TargetError, read_target
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.record.names import description, series_number
from qxbatch.session.summary_parts import SeriesSummary
from qxbatch.textfile import read_text
from qxbatch.visible import one_line

COLUMNS = ("session", "series", "image", "name", "rule", "path", "reason")
IGNORED = "ignore"
"""In the column path: the image is not exported."""
UNDECIDED = "undecided"
"""In the column path: it is not decided yet what happens to the image or session, which prevents the export of the session."""
_LINE_END = re.compile(r"\r\n|\n|\r")
_IMAGE_NUMBER = re.compile(r"\d{1,12}", re.ASCII)
_HINT = "Write the table with --plan, and edit its column path: a path, or ignore."


class _ImageRow(NamedTuple):
    """An image in an edited table, and its cells."""

    line: int
    """Line of the table, from 1."""
    session: str
    image: int
    path: str
    reason: str
    series: str
    """The scanner's number of the series; empty if the table does not have it."""
    name: str
    """The name of the image; empty if the table does not have it, or if the line of the table has several images."""


def plan_table_text(plans: Iterable[ExportPlan]) -> str:
    """Return the table of all plans as tab-separated values."""
    out = io.StringIO()
    writer = csv.writer(out, dialect="excel-tab", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    writer.writerow(COLUMNS)
    for plan in plans:
        for cells in _rows(plan):
            writer.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _rows(plan: ExportPlan) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a session in the order of its series and images."""
    if plan.problem:
        yield plan.session.id, "", "", "", "", UNDECIDED, f"{plan.problem}. {plan.hint}"
        return
    rows: list[tuple[tuple[int, int], tuple[object, ...]]] = []
    for placed in plan.placed_images:
        rows.append(_image_row(plan, placed.image, placed.rule, placed.path, placed.reason))
    for ignored in plan.ignored_items:
        if ignored.image is not None:
            rows.append(_image_row(plan, ignored.image, ignored.rule, IGNORED, ignored.reason))
        elif ignored.series is not None:
            rows.append(_series_row(plan, ignored.series, IGNORED, ignored.reason))
    rows += _undecided_rows(plan)
    yield from (cells for _order, cells in sorted(rows, key=lambda row: row[0]))


def _undecided_rows(plan: ExportPlan) -> Iterator[tuple[tuple[int, int], tuple[object, ...]]]:
    """Yield a row for each image that has neither a path nor a reason to be ignored."""
    decided_images = {item.image.number for item in plan.placed_images}
    decided_images |= {item.image.number for item in plan.ignored_items if item.image is not None}
    names = {image.number: image.name for image in plan.session.images}
    for undecided in plan.undecided_series:
        number = _number_cell(series_number(undecided.series.header))
        for image in undecided.series.images:
            if image not in decided_images:
                decided_images.add(image)
                reason = f"{undecided.reason}. {undecided.hint}"
                cells = (plan.session.id, number, image, names.get(image, ""), "", UNDECIDED, reason)
                yield (undecided.series.n, image), cells


def _image_row(
    plan: ExportPlan, image: ExportImage, rule: Rule | None, path: str, reason: str
) -> tuple[tuple[int, int], tuple[object, ...]]:
    """Return the key by which rows are sorted (n of the series, number of the image), and the cells of the row."""
    number, name = series_number(image.series.header), image.summary.name
    line = rule.line if rule and rule.line else ""
    cells = (plan.session.id, _number_cell(number), image.number, name, line, path, reason)
    return (image.series.n, image.number), cells


def _series_row(
    plan: ExportPlan, series: SeriesSummary, path: str, reason: str
) -> tuple[tuple[int, int], tuple[object, ...]]:
    """Return the key by which rows are sorted (n of the series, 0), and the cells of a series without images."""
    number = series_number(series.header)
    return (series.n, 0), (plan.session.id, _number_cell(number), "", description(series.header), "", path, reason)


def _number_cell(number: int | None) -> object:
    return "" if number is None else number


def _cell(value: object) -> str:
    """Return a value as text in which tabs, line breaks and other characters that are not printable are escaped."""
    return one_line(str(value)).strip()


def read_plan_table(path: Path, plans: Sequence[ExportPlan]) -> list[ExportPlan]:
    """Return the plans with the decisions of an edited table: path, `ignore` and reason of each image. Raises UsageError.

    An image that is not in the table is undecided; a session that is not in the table is omitted. A session that cannot be
    exported keeps its plan.
    """
    plans_by_id = {_unquote(_cell(plan.session.id)): plan for plan in plans}  # by the id as read from the table
    by_session: dict[str, list[_ImageRow]] = {}
    for line, cells in _lines(path):
        name, rows = cells["session"], list(_image_rows(path, line, cells))
        if rows and name not in plans_by_id:
            raise UsageError(f"{path}:{line}: there is no session {name}.", _HINT)
        by_session.setdefault(name, []).extend(rows)
    chosen = {name: plan for name, plan in plans_by_id.items() if name in by_session}
    if not any(by_session[name] or plan.problem for name, plan in chosen.items()):
        raise UsageError(f"{path}: the table has no image.", _HINT, ExitStatus.NOTHING_READY)
    return [_with_table_paths(path, plan, by_session[name]) for name, plan in chosen.items()]


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the number and the cells, by column, of each line below the header that is not empty. Raises UsageError."""
    try:
        text = read_text(path, "strict")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {reason_text(error, path)}.", _HINT) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: this is not UTF-8.", "Save the table in the encoding UTF-8.") from None
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    header = [cell.casefold() for cell in _cells(lines[0])]
    twice = next((column for column in header if column and header.count(column) > 1), "")
    if twice:
        raise UsageError(f"{path}:1: the column {twice} exists twice.", "Leave one of them out.")
    for column in ("session", "image", "path"):
        if column not in header:
            raise UsageError(f"{path}:1: the column {column} is missing.", _HINT)
    for number, line in enumerate(lines[1:], 2):
        cells = _cells(line)
        if any(cells):
            yield number, dict(zip(header, [*cells, *[""] * len(header)], strict=False))


def _cells(line: str) -> list[str]:
    """Return the cells of a line, without the quotes that a spreadsheet puts around a cell."""
    return [_unquote(cell.strip()) for cell in line.split("\t")]


def _unquote(cell: str) -> str:
    """Return a cell as it was before a spreadsheet quoted it: without quotes around it, and with `"` in place of `""`."""
    inner = cell[1:-1]
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"').strip() if is_quoted else cell


def _image_rows(path: Path, line: int, cells: Mapping[str, str]) -> Iterator[_ImageRow]:
    """Yield a row for each image of a line; none for a series without images or a session that cannot be exported.

    Raises UsageError.
    """
    texts = [text for text in cells["image"].split(",") if text]
    name = cells.get("name", "") if len(texts) == 1 else ""  # a name is that of one image
    for text in texts:
        if not _IMAGE_NUMBER.fullmatch(text.strip()):
            raise UsageError(
                f"{path}:{line}: image {text!r} is not a number.", "Leave the column image as --plan wrote it."
            )
        yield _ImageRow(
            line, cells["session"], int(text), cells["path"], cells.get("reason", ""), cells.get("series", ""), name
        )


def _with_table_paths(path: Path, plan: ExportPlan, rows: Sequence[_ImageRow]) -> ExportPlan:
    """Return the plan of a session with the paths of its rows. Raises UsageError."""
    if plan.problem:
        return plan
    images, rules = _images_and_rules(plan)
    reasons: dict[int, str] = {}
    placed: list[PlacedImage] = []
    ignored = [item for item in plan.ignored_items if item.image is None]
    remaining: dict[int, ExportImage] = dict(images)
    line_by_path: dict[str, int] = {}
    for row in rows:
        if row.image not in remaining:
            what = "is in the table twice" if row.image in images else f"does not exist in session {row.session}"
            raise UsageError(f"{path}:{row.line}: image {row.image} {what}.", _HINT)
        if row.path.casefold() == UNDECIDED or not row.path:
            reasons[row.image] = f"line {row.line} of {path} does not decide it"
            continue
        if difference := _other_scan(row, remaining[row.image]):
            reasons[row.image] = f"line {row.line} of {path} is for {difference}: the session was imported again"
            continue
        image, rule = remaining.pop(row.image), rules.get(row.image)
        if row.path.casefold() == IGNORED:
            ignored.append(IgnoredItem(image, rule, row.reason or "ignored by the plan"))
            continue
        if row.path.casefold() in line_by_path:
            previous = line_by_path[row.path.casefold()]
            raise UsageError(
                f"{path}:{row.line}: {row.path} is already in line {previous}.", "Give each image its own path."
            )
        line_by_path[row.path.casefold()] = row.line
        target = _target_of(path, row, plan)
        rule_of_row = rule if rule is not None and not rule.ignore else Rule(0, {}, target)
        placed.append(PlacedImage(image, row.path, rule_of_row, row.reason))
    undecided: dict[int, UndecidedSeries] = {}
    for number, image in remaining.items():
        reason = reasons.get(number, f"image {number} is not in {path}")
        undecided.setdefault(image.series.n, UndecidedSeries(image.series, reason, _HINT))
    placed.sort(key=lambda item: item.image.number)
    return replace(
        plan, placed_images=tuple(placed), ignored_items=tuple(ignored), undecided_series=tuple(undecided.values())
    )


def _other_scan(row: _ImageRow, image: ExportImage) -> str:
    """Return in words how the series number or the name in a row differs from that of the image; empty if they agree.

    An empty cell agrees with every image.
    """
    series = _cell(_number_cell(series_number(image.series.header)))
    name = _unquote(_cell(image.summary.name))
    if row.series and row.series != series:
        return f"series {row.series}, but image {row.image} is of series {series or 'without a number'} now"
    if row.name and row.name != name:
        return f"{row.name}, but image {row.image} is {name or 'without a name'} now"
    return ""


def _images_and_rules(plan: ExportPlan) -> tuple[dict[int, ExportImage], dict[int, Rule]]:
    """Return the images of a session, and the rules that decide them, by number of the image."""
    images = {image.number: image for image in images_of(plan.session)}
    placed = {item.image.number: item.rule for item in plan.placed_images}
    ignored = {item.image.number: item.rule for item in plan.ignored_items if item.image and item.rule}
    return images, placed | ignored


def _target_of(path: Path, row: _ImageRow, plan: ExportPlan) -> str:
    """Return data type and name of a path, without subject and session. Raises UsageError if the path is not valid."""
    folder, prefix = session_prefix(plan.subject_label, plan.session_label)
    start, name_start = f"{folder}/", f"{prefix}_"
    below = row.path.removeprefix(start)
    datatype, _slash, name = below.partition("/")
    if not row.path.startswith(start) or not name.startswith(name_start):
        hint = f"Write {start}<data type>/{name_start}<entities>_<suffix>; [labels] changes subject and session."
        raise UsageError(f"{path}:{row.line}: {row.path} is not a path of session {row.session}.", hint)
    text = f"{datatype}/{name.removeprefix(name_start)}"
    try:
        target = read_target(text, load_schema())
    except TargetError as error:
        raise UsageError(f"{path}:{row.line}: {error.message}", error.hint) from None
    if target.path(plan.subject_label, plan.session_label) != row.path:
        correct = target.path(plan.subject_label, plan.session_label)
        raise UsageError(f"{path}:{row.line}: the entities are not in the order of BIDS.", f"Write {correct}.")
    return text
