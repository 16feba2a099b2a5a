"""Moves the files of a reading (packets that the core has read) to their final names in the scratch folders of its sessions.

`at`, here and in the ledger, is the place of a file relative to the session folder.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from qxbatch.core import Reading, Row
from qxbatch.deidentify import Redact, no_redaction, redacted_header, redaction
from qxbatch.ingest.dicom_series import DicomSeries, dicom_series, join_scans
from qxbatch.ingest.identities import distinct_headers
from qxbatch.ingest.labels import patient_label
from qxbatch.ingest.neighbours import Neighbours
from qxbatch.ingest.numbers import NumberRequest, assign_numbers
from qxbatch.ingest.pairs import Pair, find_pairs, path_sort_key, shorten_name, without_copies
from qxbatch.ingest.patients import SessionPlan
from qxbatch.ingest.row_path import loose_path, name_of, tree_path
from qxbatch.model import Series, SeriesKind, SessionId
from qxbatch.problems import Problem
from qxbatch.session.layout import FROM_SESSION_PREFIX, KEPT_AT_PREFIX, SCANNER_LOGS_AT, at_of_sorted_file
from qxbatch.session.paths import SessionPaths

OTHER_PATIENT = "other-patient"
"""The text in place of ids and names of the other patients of a packet that is split."""
SAFE_LOG = re.compile(r"[\w+-][\w .+-]{0,200}\.log", re.IGNORECASE | re.ASCII)
"""Matches the file names of scanner logs that are placed in `dicom/log`."""


@dataclass(frozen=True)
class SortedSession:
    """The content of one session in a reading, after its files were placed."""

    session: SessionId
    series: tuple[Series, ...]
    rows: Sequence[int]
    """Indices of its rows in the reading. A row is one member of a packet, and belongs to exactly one session."""
    problems: tuple[Problem, ...] = ()
    par_rec_copies: Mapping[int, int] = field(default_factory=dict)
    """Maps rows of repeated PAR/REC files to those of the first copy. Rows of repeated DICOM files have the fate `duplicate`."""
    redact: Redact = no_redaction
    """Replaces patients' ids and names in a text; if the import is not de-identified, it returns the text unchanged."""


def assemble(
    reading: Reading,
    plans: Sequence[SessionPlan],
    scratch: Mapping[str, Path],
    *,
    deidentified: bool,
    inbox: Path | None,
    join: bool = True,
) -> list[SortedSession]:
    """Place the files of each plan below `scratch[session id]`, and return the sessions in the order of the plans.

    `deidentified`: the session id replaces the patient's id and name. `inbox`: the session's inbox in folder mode
    (`--masterinbox=none`), in which unsorted files remain; else None. `join`: the parts of one scan become one series.
    Raises OSError.
    """
    groups = reading.groups()
    rows = rows_of_plans(reading, plans)
    sessions = []
    for k, plan in enumerate(plans):
        root = scratch[plan.session.id]
        pairs, problems = find_pairs(reading, rows[k])
        pairs, copies = without_copies(reading, pairs)
        dicom = dicom_series(reading, groups, plan.groups)
        dicom = join_scans(reading, dicom) if join else dicom
        numbers, pair_numbers = assign_numbers(
            [s.number_request for s in dicom],
            [NumberRequest(pair.number, (path_sort_key(pair.path),)) for pair in pairs],
        )
        all_series = []
        for series, n in zip(dicom, numbers, strict=True):
            for label, indexes in _labels(series, plan.session.id, deidentified=deidentified).items():
                reading.place_series(str(root), n, label, indexes)
            all_series.append(_placed_series(series, n, root))
        redact = _redaction(reading, plan, rows[k], pairs) if deidentified else no_redaction
        all_series += [_place_pair(reading, pair, n, root, redact) for pair, n in zip(pairs, pair_numbers, strict=True)]
        all_series = [replace(series, header=redacted_header(series.header, redact)) for series in all_series]
        _place_kept(reading, [row for row in rows[k] if row not in copies], root, inbox, redact)
        in_order = tuple(sorted(all_series, key=lambda s: s.n))
        sessions.append(SortedSession(plan.session, in_order, rows[k], tuple(problems), copies, redact))
    return sessions


def _labels(series: DicomSeries, session_id: str, *, deidentified: bool) -> dict[str, list[int]]:
    """Return the indexes of the groups of a series by the label in the names of their files."""
    labels: dict[str, list[int]] = {}
    for index, group in zip(series.group_indexes, series.groups, strict=True):
        patient = str(group.header.get("PatientID") or "")
        labels.setdefault(patient_label(patient, session_id, deidentified=deidentified), []).append(index)
    return labels


def _redaction(reading: Reading, plan: SessionPlan, rows: Sequence[int], pairs: Sequence[Pair]) -> Redact:
    """Return a function that replaces a session's patient, and the other patients of a split packet, in a text.

    A description of this patient's series may name the others.
    """
    groups, own = reading.groups(), set(rows)
    group_headers = (groups[group].header for group in plan.groups)
    pair_headers = (pair.header for pair in pairs)
    redact = redaction(chain(group_headers, distinct_headers(reading, rows), pair_headers), plan.session.id)
    other_rows = (row for row in range(len(reading)) if row not in own)
    others = redaction(distinct_headers(reading, other_rows), OTHER_PATIENT)
    return redact if others is no_redaction else lambda text: others(redact(text))


def rows_of_plans(reading: Reading, plans: Sequence[SessionPlan]) -> Sequence[Sequence[int]]:
    """Return the rows of each plan: the files of its groups, its `rows`, and the other files near to these (`assign_rows`)."""
    if len(plans) == 1:
        return [range(len(reading))]
    plan_of_group = {group: k for k, plan in enumerate(plans) for group in plan.groups}
    groups = ((i, reading.row(i).group) for i in range(len(reading)))
    planned = {i: plan_of_group[group] for i, group in groups if group in plan_of_group}
    planned |= {row: k for k, plan in enumerate(plans) for row in plan.rows}
    return assign_rows(reading, planned, len(plans))


def assign_rows(reading: Reading, planned: Mapping[int, int], count: int) -> list[list[int]]:
    """Return the rows of a reading for each of `count` plans; `planned` maps some rows to the index of their plan.

    A row that is not in `planned` gets the plan of the planned rows below its folder or, if there are none, below the nearest
    parent folder with planned rows. If these rows have several plans, or if there are none, it gets plan 0.
    """
    rows: list[list[int]] = [[] for _ in range(count)]
    for row, k in planned.items():
        rows[k].append(row)
    neighbours = Neighbours((tree_path(reading.row(row)), k) for row, k in planned.items())
    for i in range(len(reading)):
        if i not in planned:
            rows[neighbours.nearest_owner(tree_path(reading.row(i)))].append(i)
    return [sorted(indices) for indices in rows]


def _placed_series(series: DicomSeries, n: int, root: Path) -> Series:
    """Return a DICOM series whose files were placed, with their size."""
    folder = SessionPaths(root).series(n)
    return Series(
        n=n,
        kind=SeriesKind.DICOM,
        header=dict(series.groups[0].header.items()),
        files=sum(group.files for group in series.groups),
        size=_size(folder),
        folder=folder,
        groups=series.group_indexes,
        parts=series.parts,
    )


def _place_pair(reading: Reading, pair: Pair, n: int, root: Path, redact: Redact) -> Series:
    """Place the files of a PAR/REC, and return its series with their size. `redact` is applied to the stems of their names."""
    for row, file_name in pair.files:
        stem, _, extension = file_name.rpartition(".")
        name = shorten_name(f"{redact(stem)}.{extension}")
        reading.place_row(row, str(root), at_of_sorted_file(n, name), n)
    folder = SessionPaths(root).series(n)
    return Series(n, SeriesKind.PARREC, pair.header, len(pair.files), _size(folder), folder)


def _size(folder: Path) -> int:
    """Return the size of the placed files of a series: the originals may have been gzipped."""
    with os.scandir(folder) as entries:
        return sum(entry.stat().st_size for entry in entries)


def _is_in_inbox(inbox: Path, row: Row) -> bool:
    """Return whether a kept member is a loose file of the inbox, not of an archive or of the session's own dicom."""
    if row.path.startswith(FROM_SESSION_PREFIX):
        return False
    path = loose_path(row, inbox)
    return path is not None and os.path.lexists(path)


def _place_kept(reading: Reading, rows: Sequence[int], root: Path, inbox: Path | None, redact: Redact) -> None:
    """Place the kept files among some rows below `root`, the folder of the new session: logs in `dicom/log`, others in its inbox.

    A second log of the same name is placed in its inbox, too. In folder mode, `inbox` is the inbox of the existing session, whose
    loose files are left where they are, also logs.
    """
    kept_rows = []
    logs = []
    for i in rows:
        row = reading.row(i)
        is_placed = bool(row.at)
        if row.fate != "kept" or is_placed or not reading.staged_path(i):
            continue
        if inbox is not None and _is_in_inbox(inbox, row):
            reading.leave_row(i, f"{KEPT_AT_PREFIX}{row.path}")
        elif SAFE_LOG.fullmatch(name_of(row)):
            logs.append((i, row))
        else:
            kept_rows.append(i)
    reading.place_in_inbox(str(root), [*kept_rows, *_place_logs(reading, logs, root, redact)])


def _place_logs(reading: Reading, logs: Sequence[tuple[int, Row]], root: Path, redact: Redact) -> list[int]:
    """Place logs in `dicom/log`, those of the session's own `dicom/log` first; return the rows whose name is in use there.

    The archive of the session's own log may still be in the inbox: the same log in it is not placed again.
    """
    own_logs: dict[str, list[str]] = {}
    rows_not_placed = []
    for i, row in sorted(logs, key=lambda log: not _is_own_log(log[1])):
        same_logs = own_logs.setdefault(row.content_sha256 or row.sha256, [])  # of the bytes as they are stored
        at = f"{SCANNER_LOGS_AT}/{name_of(row)}"
        own_at = None if _is_own_log(row) else _own_log(same_logs, name_of(row), redact)
        if own_at is not None:
            reading.omit_row(i, own_at)
        elif (root / at).exists():
            rows_not_placed.append(i)
        else:
            reading.place_row(i, str(root), at, 0)
            if _is_own_log(row):
                same_logs.append(at)
    return rows_not_placed


def _is_own_log(row: Row) -> bool:
    """Return whether a member was read from the session's own `dicom/log`."""
    return row.path.startswith(f"{FROM_SESSION_PREFIX}{SCANNER_LOGS_AT}/")


def _own_log(same_logs: list[str], name: str, redact: Redact) -> str | None:
    """Return the one of `same_logs` that has the name of a log; None if none has. All of them have the bytes of that log.

    In a de-identified session the name may be another one: then return the first of them. Remove the returned one from the list,
    unless it is the only one.
    """
    names = (f"{SCANNER_LOGS_AT}/{name}", f"{SCANNER_LOGS_AT}/{redact(name)}")
    any_log = same_logs[0] if same_logs and redact is not no_redaction else None
    own_at = next((at for at in names if at in same_logs), any_log)
    if own_at is not None and len(same_logs) > 1:
        same_logs.remove(own_at)
    return own_at
