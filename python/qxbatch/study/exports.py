"""Which data sets a study was exported to, and whether they are up to date: a small record in the sessions folder."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.discover.own_names import WORKSPACE
from qxbatch.publish.durable import replaced_text
from qxbatch.publish.plain import read_plain, refuse_link
from qxbatch.session.json_fields import Fields
from qxbatch.study.record import SessionRecord, Stamp

SCHEMA = 1
_FILE = "bids.json"


class ExportState:
    """Words of the column `bids`."""

    CURRENT = "up to date"
    CHANGED = "changed since"
    RULES = "rules changed"
    FAILED = "not exported: see qxbatch bids"
    NONE = "not exported"


class Validation(NamedTuple):
    """What the BIDS validator said."""

    errors: int
    warnings: int
    validator: str


class Exported(NamedTuple):
    """A session as it was exported last."""

    stamp: Stamp | None
    """Of the summary; None: the session could not be exported."""
    rules_sha256: str


class DataSet(NamedTuple):
    """A data set that sessions were exported to."""

    path: Path
    rules: Path
    sessions: Mapping[str, Exported]
    """By session id."""
    validation: Validation | None = None


def read_exports(folder: Path) -> list[DataSet]:
    """Return the data sets of a sessions folder; none where the record cannot be read."""
    try:
        given = Fields(json.loads(read_plain(folder / WORKSPACE / _FILE) or b"{}"))
        if "schema" not in given or given.whole("schema") != SCHEMA:
            return []
        return [_data_set(each) for each in given.tables("datasets")]
    except (OSError, ValueError, RecursionError):
        return []


def write_export(folder: Path, data_set: DataSet) -> bool:
    """Note a data set, in the place of what was noted of the same folder; return whether that is news. Raises OSError."""
    before = read_exports(folder)
    known = [each for each in before if each.path != data_set.path and each.path.is_dir()]
    after = sorted([*known, data_set], key=lambda each: each.path)
    if after == before:
        return False
    values = [_value(each) for each in after]
    workspace = folder / WORKSPACE
    refuse_link(workspace)
    workspace.mkdir(exist_ok=True)
    replaced_text(workspace / _FILE, json.dumps({"schema": SCHEMA, "datasets": values}, indent=1) + "\n")
    return True


def existing_exports(folder: Path) -> list[DataSet]:
    """Return the data sets that still exist."""
    return [each for each in read_exports(folder) if each.path.is_dir()]


def export_cells(sets: Sequence[DataSet], records: Iterable[SessionRecord]) -> dict[str, str]:
    """Return session id to what the study table says of its exports; nothing where the study was never exported."""
    if not sets:
        return {}
    digests = [_digest_now(each) for each in sets]
    cells = {}
    for record in records:
        states = [_state(each, record, digest) for each, digest in zip(sets, digests, strict=True)]
        named = [f"{each.path.name}: {state}" for each, state in zip(sets, states, strict=True)]
        cells[record.id] = states[0] if len(set(states)) == 1 else "; ".join(named)
    return cells


def _state(data_set: DataSet, record: SessionRecord, digest: str) -> str:
    exported = data_set.sessions.get(record.id)
    if exported is None:
        return ExportState.NONE
    if digest and digest != exported.rules_sha256:
        return ExportState.RULES
    if exported.stamp is None:
        return ExportState.FAILED
    return ExportState.CURRENT if exported.stamp == record.stamp else ExportState.CHANGED


def _digest_now(data_set: DataSet) -> str:
    """Return the digest of the rule file; empty where it cannot be read."""
    try:
        content = read_plain(data_set.rules)
    except OSError:
        return ""
    return "" if content is None else rules_digest(content)


def rules_digest(content: bytes) -> str:
    """Return what tells whether a rule file changed."""
    return hashlib.sha256(content).hexdigest()


def _value(data_set: DataSet) -> dict[str, Any]:
    sessions = {
        name: {"rules_sha256": each.rules_sha256, **({"summary": each.stamp._asdict()} if each.stamp else {})}
        for name, each in sorted(data_set.sessions.items())
    }
    return {**data_set_value(data_set), "sessions": sessions}


def data_set_value(data_set: DataSet) -> dict[str, Any]:
    """Return the JSON value of a data set without its sessions."""
    value = {"path": str(data_set.path), "rules": str(data_set.rules)}
    return {**value, **({"validation": data_set.validation._asdict()} if data_set.validation else {})}


def _data_set(given: Fields) -> DataSet:
    sessions = given.table("sessions")
    validation = given.table("validation") if "validation" in given else None
    return DataSet(
        Path(given.text("path")),
        Path(given.text("rules")),
        {name: _exported(sessions.table(name)) for name in sessions.keys()},  # noqa: SIM118 - no mapping
        Validation(validation.whole("errors"), validation.whole("warnings"), validation.text("validator"))
        if validation
        else None,
    )


def _exported(given: Fields) -> Exported:
    stamp = given.table("summary") if "summary" in given else None
    known = Stamp(stamp.whole("size"), stamp.whole("modified")) if stamp else None
    return Exported(known, given.text("rules_sha256"))
