"""One packet, one patient: identifies the patients, and assigns each a session on request."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qxbatch.core import Group, Reading
from qxbatch.ingest.identities import distinct_headers
from qxbatch.ingest.pairs import find_pairs
from qxbatch.ingest.patient_messages import different_names, mixed, named, patients_text, replaced
from qxbatch.ingest.people import Item, Person, contradictions, identity_of, is_other_person, people_of
from qxbatch.model import HeaderLike, Series, SessionId, Value
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.settings.model import OnMixed


class SessionPlan(NamedTuple):
    """The groups and PAR/REC files of one session."""

    session: SessionId
    groups: tuple[int, ...]
    """Indices of the groups."""
    patient: str = ""
    """PatientID as written in the headers, else the name, if a packet was split."""
    rows: tuple[int, ...] = ()
    """Rows of PAR/REC files whose name identifies the patient."""


def patients_of(reading: Reading) -> list[Person]:
    """Return the people with DICOM or PAR/REC in a reading, in order of first scan. Raises OSError."""
    return people_of([*_of_dicom(reading), *_of_pairs(reading)])


def _of_dicom(reading: Reading) -> Iterator[Item]:
    """Yield an item for each group and each name and birth date in its files, that of its header first."""
    for index, group in enumerate(reading.groups()):
        patient = _text(group.header.get("PatientID"))
        headers = (group.header, *distinct_headers(reading, reading.group_rows(index)))
        day, series = _text(group.header.get("StudyDate")), _series(group.number, group.header)
        for name, birth in dict.fromkeys(map(_name_and_birth, headers)):
            identity = identity_of(name, birth, patient)
            yield Item(group.patient, patient, identity, group.study, group.started, day, series, index)


def _name_and_birth(header: HeaderLike) -> tuple[str, str]:
    return _text(header.get("PatientName")), _text(header.get("PatientBirthDate"))


def _of_pairs(reading: Reading) -> Iterator[Item]:
    """Yield an item for each PAR with a REC."""
    rows = [row for row in range(len(reading)) if reading.row(row).kind in ("par", "rec")]
    if not rows:
        return
    pairs, _ = find_pairs(reading, rows)
    for pair in pairs:
        if len(pair.files) > 1:
            identity = identity_of(_text(pair.header.get("PatientName")), "", "")
            started = _text(pair.header.get("StudyDate")) + _text(pair.header.get("StudyTime"))
            rows_of = tuple(row for row, _ in pair.files)
            yield Item("", "", identity, "", started, started[:8], _series(pair.number, pair.header), rows=rows_of)


def other_patient(previous: str, series: Sequence[Series], subject: str, *, anonymous: bool) -> Problem | None:
    """Return a warning if series replace a session with another PatientID, and can only be of other people."""
    items = [_item(each.header) for each in series]
    if not is_other_person(previous, items):
        return None
    new = dict.fromkeys(item.patient for item in items if item.patient)
    return replaced(previous, list(new), subject, anonymous=anonymous)


def _item(header: HeaderLike) -> Item:
    patient, (name, birth) = _text(header.get("PatientID")), _name_and_birth(header)
    return Item(patient.casefold(), patient, identity_of(name, birth, patient), "", "")


def _series(number: int | None, header: HeaderLike) -> str:
    description = _text(header.get("SeriesDescription"))
    return " ".join(filter(None, (str(number or ""), f"({description})" if description else ""))) or "without a number"


def _text(value: Value) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "").strip()


def plan_sessions(
    reading: Reading, session: SessionId, on_mixed: OnMixed, subject: str, *, anonymous: bool
) -> tuple[list[SessionPlan], list[Problem]]:
    """Assign each group to a session. `anonymous`: messages count the patients without naming them.

    For several patients, raises PacketError if on_mixed is `reject`, or if it is `split` and their files have the same UIDs.
    Raises OSError when a PAR cannot be read.
    """
    groups = reading.groups()
    people = patients_of(reading)
    everything = SessionPlan(session, tuple(range(len(groups))))
    name_warnings = different_names(contradictions(people), subject, anonymous=anonymous)
    if len(people) <= 1:
        return [everything], name_warnings
    if on_mixed is OnMixed.REJECT:
        raise PacketError(mixed(reading, people, subject, anonymous=anonymous))
    if on_mixed is OnMixed.MERGE:
        message = f"contains {patients_text(people, anonymous=anonymous)}, merged into session {session.id} as asked."
        return [everything], [
            Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING),
            *name_warnings,
        ]
    _refuse_inseparable(reading, people, subject)
    plans = _split(groups, people, session)
    message = (
        f"contains {len(people)} patients, split into the sessions "
        f"{', '.join(named(plan.session.id, plan.patient, anonymous=anonymous) for plan in plans)} as asked."
    )
    return plans, [Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING), *name_warnings]


def _refuse_inseparable(reading: Reading, people: Sequence[Person], subject: str) -> None:
    """Raise PacketError if files of two people have the same UIDs and numbers."""
    person_of: dict[int, int] = {}
    for k, person in enumerate(people):
        for group in person.groups:
            if person_of.setdefault(group, k) != k:
                path = reading.row(reading.group_rows(group)[0]).path
                message = f"contains files of {len(people)} patients with the same series UID ({path} and others)."
                hint = "Sort the files of each patient into a separate packet."
                raise PacketError(Problem(Code.MIXED_PATIENTS, subject, message, hint))


def _split(groups: Sequence[Group], people: Sequence[Person], session: SessionId) -> list[SessionPlan]:
    """Return a plan for each patient. A group without a patient follows its study, else the first patient."""
    plan_of_group = {group: k for k, person in enumerate(people) for group in person.groups}
    by_study = {groups[group].study: plan_of_group[group] for group in sorted(plan_of_group, reverse=True)}
    plan_of_index = [plan_of_group.get(index, by_study.get(group.study, 0)) for index, group in enumerate(groups)]
    return [
        SessionPlan(
            numbered_session(session, k + 1),
            tuple(index for index, plan in enumerate(plan_of_index) if plan == k),
            person.patient,
            tuple(row for item in person.items for row in item.rows),
        )
        for k, person in enumerate(people)
    ]


def numbered_session(session: SessionId, k: int) -> SessionId:
    """Return the k-th session of a split packet: `<session id>-<k>`, of subject `<subject>-<k>`.

    >>> numbered_session(SessionId("HQ210", "base"), 2).id
    'HQ210_base-2'
    """
    plain = session.session is None and not session.folder
    return SessionId(f"{session.subject}-{k}", session.session, "" if plain else f"{session.id}-{k}")
