"""One packet, one patient: identifies the patients of a packet, and plans its sessions as `--on-mixed` says."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qxbatch.core import Reading
from qxbatch.ingest.identities import distinct_headers
from qxbatch.ingest.pairs import find_pairs
from qxbatch.ingest.patient_messages import (
    different_names_warnings,
    inseparable_patients_problem,
    mixed_patients_problem,
    patients_text,
    replaced_patient_warning,
    unknown_patients_warnings,
    with_patient,
)
from qxbatch.ingest.people import (
    PatientFiles,
    Person,
    contradictions,
    identity_of,
    is_anonymous,
    is_other_person,
    people_of,
)
from qxbatch.ingest.unknown_patients import with_unknown_patients
from qxbatch.model import HeaderLike, Series, SessionId, Value
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.settings.model import OnMixed


class SessionPlan(NamedTuple):
    """The groups of one session and, if the packet is split, its files in no group."""

    session: SessionId
    groups: tuple[int, ...]
    """Indices of the groups."""
    patient: str = ""
    """PatientID as written in the headers, else the name; empty if the patient is unknown, or if the packet is not split."""
    rows: tuple[int, ...] = ()
    """Rows of the patient's files that are in no group: PAR/REC, and DICOM that is not sorted."""


def patients_of(reading: Reading) -> list[Person]:
    """Return the people with DICOM or PAR/REC in a reading, in order of first scan. Raises OSError.

    A PAR without a REC does not count: it has no image.
    """
    return people_of([*_dicom_items(reading), *_par_items(reading, with_rec=True)])


def patients_for_split(reading: Reading) -> list[Person]:
    """Return the people among whom the files of a packet are divided, then the unknown patients (`with_unknown_patients`).

    In contrast to `patients_of`, a PAR without a REC counts: it belongs to the person with its patient name. If there is no such
    person, it adds one. Raises OSError.
    """
    items = [*_dicom_items(reading), *_par_items(reading, with_rec=True), *_par_items(reading, with_rec=False)]
    return with_unknown_patients(reading, items, people_of(items))


def _dicom_items(reading: Reading) -> list[PatientFiles]:
    """Return the items of the sorted DICOM files, and of the unsorted ones that name a patient."""
    return [*_group_items(reading), *_unsorted_dicom_items(reading)]


def _group_items(reading: Reading) -> Iterator[PatientFiles]:
    """Yield, for each group, an item for each pair of name and birth date in its files; the pair of the group's header is first."""
    for index, group in enumerate(reading.groups()):
        patient = _text(group.header.get("PatientID"))
        headers = (group.header, *distinct_headers(reading, reading.group_rows(index)))
        day, series = _text(group.header.get("StudyDate")), _series_text(group.number, group.header)
        for name, birth in dict.fromkeys(map(_name_and_birth, headers)):
            identity = identity_of(name, birth, patient)
            yield PatientFiles(
                group.folded_patient_id, patient, identity, group.study_uid, group.start_time, day, series, index
            )


def _name_and_birth(header: HeaderLike) -> tuple[str, str]:
    return _text(header.get("PatientName")), _text(header.get("PatientBirthDate"))


def _unsorted_dicom_items(reading: Reading) -> Iterator[PatientFiles]:
    """Yield an item for each DICOM file that names a patient and is in no group, such as a presentation state."""
    folded_ids = {_text(group.header.get("PatientID")): group.folded_patient_id for group in reading.groups()}
    for index in range(len(reading)):
        row = reading.row(index)
        header = reading.header(index) if row.kind == "dicom" and row.group < 0 and row.fate == "kept" else None
        if header is None:
            continue
        patient, (name, birth) = _text(header.get("PatientID")), _name_and_birth(header)
        identity = identity_of(name, birth, patient)
        if identity is None and is_anonymous(patient):
            continue
        day, number = _text(header.get("StudyDate")), header.get("SeriesNumber")
        yield PatientFiles(
            folded_ids.get(patient, patient.lower()),
            patient,
            identity,
            _text(header.get("StudyInstanceUID")),
            day + _text(header.get("StudyTime")),
            day,
            _series_text(number if isinstance(number, int) else None, header),
            rows=(index,),
        )


def _par_items(reading: Reading, *, with_rec: bool) -> Iterator[PatientFiles]:
    """Yield an item for each PAR that has a REC (`with_rec`), or for each PAR that has none."""
    rows = [row for row in range(len(reading)) if reading.row(row).kind in ("par", "rec")]
    if not rows:
        return
    pairs, _ = find_pairs(reading, rows)
    for pair in pairs:
        has_rec = len(pair.files) > 1
        if has_rec is with_rec:
            identity = identity_of(_text(pair.header.get("PatientName")), "", "")
            started = _text(pair.header.get("StudyDate")) + _text(pair.header.get("StudyTime"))
            pair_rows = tuple(row for row, _ in pair.files)
            yield PatientFiles(
                "",
                "",
                identity,
                "",
                started,
                started[:8],
                _series_text(pair.number, pair.header),
                rows=pair_rows,
                is_par=True,
            )


def other_patient_warning(
    previous: str, series: Sequence[Series], subject: str, *, deidentified: bool
) -> Problem | None:
    """Return a warning if the series, which replace a session of PatientID `previous`, can only be of other people; else None."""
    items = [_item(each.header) for each in series]
    if not is_other_person(previous, items):
        return None
    new = dict.fromkeys(item.patient for item in items if item.patient)
    return replaced_patient_warning(previous, list(new), subject, deidentified=deidentified)


def _item(header: HeaderLike) -> PatientFiles:
    patient, (name, birth) = _text(header.get("PatientID")), _name_and_birth(header)
    return PatientFiles(patient.casefold(), patient, identity_of(name, birth, patient), "", "")


def _series_text(number: int | None, header: HeaderLike) -> str:
    """Return number and description of a series for messages: `3 (T1w)`."""
    description = _text(header.get("SeriesDescription"))
    return " ".join(filter(None, (str(number or ""), f"({description})" if description else ""))) or "without a number"


def _text(value: Value) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "").strip()


def plan_sessions(
    reading: Reading, session: SessionId, on_mixed: OnMixed, subject: str, *, deidentified: bool
) -> tuple[list[SessionPlan], list[Problem]]:
    """Assign each group to a session; return the plans and warnings.

    `deidentified`: messages count the patients and do not name them.

    For several patients, raises PacketError if on_mixed is `reject`, or if it is `split` and their files have the same UIDs.
    Raises OSError when a PAR cannot be read.
    """
    groups = reading.groups()
    people = patients_of(reading)
    everything = SessionPlan(session, tuple(range(len(groups))))
    name_warnings = different_names_warnings(contradictions(people), subject, deidentified=deidentified)
    if len(people) <= 1:
        return [everything], name_warnings
    if on_mixed is OnMixed.REJECT:
        problem = mixed_patients_problem(reading, people, subject, deidentified=deidentified)
        raise PacketError(problem if _shared_group(people) is None else inseparable_patients_problem(problem))
    if on_mixed is OnMixed.MERGE:
        message = (
            f"contains {patients_text(people, deidentified=deidentified)}, merged into session {session.id} as asked."
        )
        return [everything], [
            Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING),
            *name_warnings,
        ]
    _refuse_inseparable(reading, people, subject)
    everyone = patients_for_split(reading)
    plans = [_plan(numbered_session(session, k), person) for k, person in enumerate(everyone, start=1)]
    sessions = (
        with_patient(plan.session.id, plan.patient or "unknown patient", deidentified=deidentified) for plan in plans
    )
    count = sum(bool(person.patient) for person in everyone)
    message = f"contains {count} patients, split into the sessions {', '.join(sessions)} as asked."
    unknown = unknown_patients_warnings(reading, everyone, [plan.session.id for plan in plans], subject)
    return plans, [
        Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING),
        *unknown,
        *name_warnings,
    ]


def _refuse_inseparable(reading: Reading, people: Sequence[Person], subject: str) -> None:
    """Raise PacketError if files of two people have the same UIDs and numbers."""
    group = _shared_group(people)
    if group is None:
        return
    path = reading.row(reading.group_rows(group)[0]).path
    count = sum(group in owner.groups for owner in people)
    message = f"contains files of {count} patients with the same series UID ({path} and others)."
    hint = "Sort the files of each patient into a separate packet."
    raise PacketError(Problem(Code.MIXED_PATIENTS, subject, message, hint, has_remedy=False))


def _shared_group(people: Sequence[Person]) -> int | None:
    """Return the first group with files of several people; None if there is none."""
    person_of: dict[int, int] = {}
    return next(
        (group for k, person in enumerate(people) for group in person.groups if person_of.setdefault(group, k) != k),
        None,
    )


def _plan(session: SessionId, person: Person) -> SessionPlan:
    rows = tuple(row for item in person.items for row in item.rows)
    return SessionPlan(session, person.groups, person.patient, rows)


def numbered_session(session: SessionId, k: int) -> SessionId:
    """Return the k-th session of a split packet: `<session id>-<k>`, of subject `<subject>-<k>`.

    >>> numbered_session(SessionId("HQ210", "base"), 2).id
    'HQ210_base-2'
    """
    plain = session.session is None and not session.folder
    return SessionId(f"{session.subject}-{k}", session.session, "" if plain else f"{session.id}-{k}")
