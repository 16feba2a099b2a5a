"""The result of an export, as lines for the terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from qxbatch.bids.files.changes import Action, Change
from qxbatch.bids.write.result import ExportResult, SessionResult
from qxbatch.bids.write.validate import ValidatorResult
from qxbatch.visible import one_line
from qxbatch.wrapping import text_width, wrapped

_MAX_LISTED = 20
"""Maximum number of warnings, files or errors that are listed; --json has all."""
_MAX_LENGTH = 200
"""Maximum number of characters of a text of the validator; --json has the whole text."""


def export_text(export: ExportResult, dataset: str, *, test: bool) -> str:
    """Return the sessions that were not exported or have no images, warnings, files that were left alone, and a summary.

    With `test`, the summary says what would be exported.
    """
    lines: list[str] = []
    for session in export.not_exported:
        lines += _not_exported_text(session)
    if export.without_images:
        lines += _wrapped(f"no image to export: {_names_text([session.session for session in export.without_images])}")
    warnings = [f"to check: {each.session}: {text}" for each in export.sessions for text in each.warnings]
    lines += _listed(warnings)
    lines += _listed(_left_alone_text(change) for change in export.kept_user_files)
    return "\n".join([*lines, *_wrapped(_summary(export, dataset, len(warnings), test=test))])


def _not_exported_text(session: SessionResult) -> list[str]:
    state = "not exported"
    if len(session.problems) == 1:
        return _wrapped(f"{session.session}: {state}: {session.problems[0]}")
    return [
        *_wrapped(f"{session.session}: {state}:"),
        *(line for text in session.problems for line in _wrapped(text, "  ")),
    ]


def _names_text(names: Sequence[str]) -> str:
    more = len(names) - _MAX_LISTED
    return f"{', '.join(names[:_MAX_LISTED])}{f' and {more} more: --json lists all' if more > 0 else ''}"


def _left_alone_text(change: Change) -> str:
    if change.action is Action.FOREIGN:
        return f"left alone: {change.path}: the export did not write it. Move it away and run again to get the exported file."
    if change.is_of_other_image:
        return (
            f"left alone: {change.path}: it was edited, and describes another image than the one that exists now. Copy "
            "what you need, delete it, and run again."
        )
    if change.would_change:
        return (
            f"left alone: {change.path}: it was edited, and the export would change it. Delete it and run again to get "
            "the exported file, or keep it."
        )
    return f"left alone: {change.path}: it was edited. Delete it and run again to get the exported file."


def _listed(texts: Iterable[str]) -> list[str]:
    all_texts = list(texts)
    lines = [line for text in all_texts[:_MAX_LISTED] for line in _wrapped(text)]
    more = len(all_texts) - _MAX_LISTED
    return [*lines, *([f"... and {more} more: --json lists all"] if more > 0 else [])]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrapped(one_line(text), text_width(), indent, f"{indent}    ")


def _summary(export: ExportResult, dataset: str, warning_count: int, *, test: bool) -> str:
    counts, without_images = export.counts, len(export.without_images)
    images = sum(session.images for session in export.exported)
    files = [
        f"{counts[action]} {word}"
        for action, word in (
            (Action.ADD, "added"),
            (Action.REPLACE, "changed"),
            (Action.REMOVE, "removed"),
            (Action.UNCHANGED, "unchanged"),
        )
        if counts[action] or action is Action.ADD
    ]
    left_alone_count = len(export.kept_user_files)
    totals = [
        f"{_count(len(export.exported), 'session')}{' would be' if test else ''} exported to {dataset}",
        *([f"{without_images} without an image to export"] if without_images else []),
        *([f"{len(export.not_exported)} not exported"] if export.not_exported else []),
        _count(images, "image"),
    ]
    tail = [f"files: {', '.join(files)}"]
    tail += [f"{left_alone_count} left alone"] if left_alone_count else []
    tail += [_count(warning_count, "warning")] if warning_count else []
    return f"{', '.join(totals)}; {'; '.join(tail)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def validator_text(result: ValidatorResult) -> str:
    """Return the validator's errors, and its counts."""
    lines = _listed(
        f"invalid: {each.path}: {each.code}: {_shortened(each.text)}".rstrip(": ") for each in result.errors
    )
    counts = f"{_count(len(result.errors), 'error')}, {_count(result.warning_count, 'warning')}"
    return "\n".join([*lines, f"BIDS validator ({result.validator}): {counts}"])


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 3]}..."


def validator_value(result: ValidatorResult) -> dict[str, Any]:
    """Return the JSON value of the result."""
    errors: Sequence[dict[str, str]] = [each._asdict() for each in result.errors]
    return {"validator": result.validator, "errors": errors, "warnings": result.warning_count}
