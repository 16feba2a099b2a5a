"""The states of submitted packets as text and JSON."""

import json
from collections import Counter
from collections.abc import Sequence

from qxbatch.cluster.state import ImportState
from qxbatch.cluster.status import Status, StatusRow
from qxbatch.counted import counted
from qxbatch.visible import one_line, shell_word
from qxbatch.wrapping import text_width, wrapped

MAX_ROWS = 15
"""Maximum number of rows that are listed without --list-all."""
_ORDER = (ImportState.LOST, ImportState.FAILED, ImportState.RUNNING, ImportState.WAITING, ImportState.DONE)
"""The states in the order of the table: those that need action come first."""


def as_json(status: Status) -> str:
    """Return one object with a row for each packet (docs/schema/jobs-1.json)."""
    rows = [_value(row, packet) for row in status.rows for packet in row.unit.packets]
    return json.dumps({"schema": 1, "packets": rows}, indent=1) + "\n"


def _value(row: StatusRow, packet: str) -> dict[str, object]:
    return {
        "packet": packet,
        "session": row.unit.name,
        "state": str(row.state),
        "reason": row.reason,
        "log": None if row.log is None else str(row.log),
        "unknown": row.is_unknown,
        "submission": row.submission.id,
        "attempts": row.unit.attempts,
        "seconds": row.unit.seconds,
    }


def as_text(status: Status, *, list_all: bool = False) -> str:
    """Return counts, packets (without `list_all`, a shortened list), and the commands for lost and failed ones."""
    counts = Counter(row.state for row in status.rows for _ in row.unit.packets)
    counts_text = ", ".join(f"{counts[state]} {state}" for state in ImportState if counts[state])
    lines = [f"{counted(counts.total(), 'packet')}{f': {counts_text}' if counts else ''}."]
    if status.why_no_answer:
        lines += wrapped(
            f"The queue does not answer ({one_line(status.why_no_answer)}): the states waiting and running are unknown and shown "
            "as last recorded.",
            text_width(),
        )
    rows = sorted(status.rows, key=lambda row: _ORDER.index(row.state))
    if not list_all:
        rows = _shortened(rows)
    lines += [line for row in rows for line in _lines(row)]
    remaining_count = counts.total() - sum(len(row.unit.packets) for row in rows)
    if remaining_count:
        lines.append(f"{remaining_count} more: --list-all lists them.")
    return "\n".join([*lines, *_advice(status)]) + "\n"


def _shortened(rows: Sequence[StatusRow]) -> list[StatusRow]:
    """Return at most MAX_ROWS rows; done packets are listed only if all rows fit."""
    if len(rows) <= MAX_ROWS:
        return list(rows)
    return [row for row in rows if row.state is not ImportState.DONE][:MAX_ROWS]


def _lines(row: StatusRow) -> list[str]:
    state = f"{row.state}{'?' if row.is_unknown else ''}"
    names = one_line(", ".join(row.unit.packets))
    text = f"{state:<9} {names}{f': {one_line(row.reason)}' if row.reason else ''}"
    log = (
        []
        if row.state in (ImportState.DONE, ImportState.WAITING) or row.log is None
        else [f"      log: {one_line(str(row.log))}"]
    )
    return [*wrapped(text, text_width(), "  ", "      "), *log]


def _advice(status: Status) -> list[str]:
    if not status.rows:
        return []
    folder = shell_word(str(status.rows[0].submission.sessionsfolder))
    lost, failed = status.rows_in_state(ImportState.LOST), status.rows_in_state(ImportState.FAILED)
    lines = [f"To import again what was lost: qxbatch resume {folder}"] if lost else []
    if any(not row.unit.published for row in failed):
        lines.append(f"To import again what failed, once its reasons are corrected: qxbatch resume {folder} --failed")
    return lines
