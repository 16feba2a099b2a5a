"""The data sets that a study was exported to, and whether they are up to date: a small record in the sessions folder."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.discover.own_names import WORKSPACE
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.publish.below import write_below
from qxbatch.publish.durable import NO_RUN, replace_text
from qxbatch.publish.folder_lock import FolderLock, locked_folder
from qxbatch.publish.plain_files import read_plain
from qxbatch.publish.workspace import EXPORTS
from qxbatch.session.json_fields import Fields
from qxbatch.study.record import SessionRecord, SummaryStamp, read_stamp, stamp_value
from qxbatch.visible import shell_word

SCHEMA = 1
"""Version of the form of the record; one of another version is not read."""


class ExportState:
    """Values of the column `bids`."""

    CURRENT = "up to date"
    CHANGED = "changed since"
    """The summary of the session changed after the export."""
    RULES = "rules changed"
    """The rule file changed after the export."""
    NO_IMAGE = "no image to export"
    FAILED = "not exported: see qxbatch bids"
    NOT_EXPORTED = "not exported"


class Validation(NamedTuple):
    """The result of the BIDS validator."""

    errors: int
    warnings: int
    validator: str
    """The version of the schema that the validator states; if it states none, the name of the validator."""


class SessionExport(NamedTuple):
    """The last attempt to export a session."""

    summary_stamp: SummaryStamp | None
    """Size and time of the session's summary at the export; None if the export failed."""
    rules_sha256: str
    """SHA-256 of the rule file that the export used."""
    has_no_image: bool = False
    """Whether the session had no image to export."""


class DataSet(NamedTuple):
    """A data set that sessions were exported to."""

    path: Path
    rules: Path
    """The rule file."""
    sessions: Mapping[str, SessionExport]
    """By session id."""
    validation: Validation | None = None
    """None if the validator did not run on its current content."""


def recorded_data_sets(sessionsfolder: Path) -> list[DataSet]:
    """Return the data sets in the record of a sessions folder, some of which may not exist any more; empty without a record.

    Raises UsageError if the record cannot be read, or has a form that this version does not know: to replace it would lose its
    data sets.
    """
    path = sessionsfolder / WORKSPACE / EXPORTS
    try:
        text = read_plain(path)
        if not text:
            return []
        fields = Fields(json.loads(text))
        if fields.integer("schema") == SCHEMA:
            return [_data_set(table) for table in fields.json_objects("datasets")]
        reason = "another version of qxbatch wrote it"
    except OSError as error:
        reason = reason_text(error, path)
    except (ValueError, RecursionError):
        reason = "it is damaged"
    hint = f"Correct that, or look at it and remove it: rm -- {shell_word(str(path))}"
    raise UsageError(f"The record of BIDS exports {path} cannot be read: {reason}.", hint, ExitStatus.CANNOT_WRITE)


def record_data_set(sessionsfolder: Path, data_set: DataSet) -> bool:
    """Write a data set into the record, in place of the entry of its folder; drop entries whose folder is gone.

    Return whether the record changed. Exports to other data sets wait meanwhile, as they change the same record.

    Raises OSError, and UsageError as `recorded_data_sets`.
    """
    with locked_folder(sessionsfolder) as lock:
        # without a lock, another run can write the same file at the same time
        return _replace_record(sessionsfolder, data_set, NO_RUN if lock is FolderLock.ACQUIRED else os.urandom(8).hex())


def _replace_record(sessionsfolder: Path, data_set: DataSet, tag: str) -> bool:
    before = recorded_data_sets(sessionsfolder)
    others = [other for other in before if other.path != data_set.path and other.path.is_dir()]
    after = sorted([*others, data_set], key=lambda item: item.path)
    if after == before:
        return False
    values = [_value(item) for item in after]
    text = json.dumps({"schema": SCHEMA, "datasets": values}, indent=1) + "\n"
    write_below(
        sessionsfolder / WORKSPACE, sessionsfolder, lambda workspace: replace_text(workspace / EXPORTS, text, tag)
    )
    return True


def existing_data_sets(sessionsfolder: Path) -> list[DataSet]:
    """Return the recorded data sets whose folder still exists. Raises UsageError as `recorded_data_sets`."""
    return [data_set for data_set in recorded_data_sets(sessionsfolder) if data_set.path.is_dir()]


def export_cells(data_sets: Sequence[DataSet], records: Iterable[SessionRecord]) -> dict[str, str]:
    """Return the cell `bids` of each session by its id; empty without data sets.

    A cell is the state if it is the same in all data sets, else `<name of the data set>: <state>` for each of them.
    """
    if not data_sets:
        return {}
    digests = [_digest_now(data_set) for data_set in data_sets]
    cells = {}
    for record in records:
        states = [_state(data_set, record, digest) for data_set, digest in zip(data_sets, digests, strict=True)]
        named_states = [f"{data_set.path.name}: {state}" for data_set, state in zip(data_sets, states, strict=True)]
        cells[record.id] = states[0] if len(set(states)) == 1 else "; ".join(named_states)
    return cells


def _state(data_set: DataSet, record: SessionRecord, digest: str) -> str:
    exported = data_set.sessions.get(record.id)
    if exported is None:
        return ExportState.NOT_EXPORTED
    if digest and digest != exported.rules_sha256:
        return ExportState.RULES
    if exported.summary_stamp is None:
        return ExportState.FAILED
    if exported.summary_stamp != record.stamp:
        return ExportState.CHANGED
    return ExportState.NO_IMAGE if exported.has_no_image else ExportState.CURRENT


def _digest_now(data_set: DataSet) -> str:
    """Return the digest of the rule file; empty where it cannot be read."""
    try:
        content = read_plain(data_set.rules)
    except OSError:
        return ""
    return "" if content is None else rules_digest(content)


def rules_digest(content: bytes) -> str:
    """Return the digest of a rule file, which shows whether it changed."""
    return hashlib.sha256(content).hexdigest()


def _value(data_set: DataSet) -> dict[str, Any]:
    sessions = {
        name: {
            "rules_sha256": session.rules_sha256,
            **({"summary": stamp_value(session.summary_stamp)} if session.summary_stamp else {}),
            **({"no_image": True} if session.has_no_image else {}),
        }
        for name, session in sorted(data_set.sessions.items())
    }
    return {**data_set_value(data_set), "sessions": sessions}


def data_set_value(data_set: DataSet) -> dict[str, Any]:
    """Return the JSON value of a data set without its sessions."""
    value = {"path": str(data_set.path), "rules": str(data_set.rules)}
    return {**value, **({"validation": data_set.validation._asdict()} if data_set.validation else {})}


def _data_set(fields: Fields) -> DataSet:
    sessions = fields.json_object("sessions")
    validation = fields.json_object("validation") if "validation" in fields else None
    return DataSet(
        Path(fields.text("path")),
        Path(fields.text("rules")),
        {name: _session_export(sessions.json_object(name)) for name in sessions.keys()},  # noqa: SIM118 - no mapping
        Validation(validation.integer("errors"), validation.integer("warnings"), validation.text("validator"))
        if validation
        else None,
    )


def _session_export(fields: Fields) -> SessionExport:
    summary_stamp = read_stamp(fields.json_object("summary")) if "summary" in fields else None
    return SessionExport(summary_stamp, fields.text("rules_sha256"), fields.flag("no_image", False))
