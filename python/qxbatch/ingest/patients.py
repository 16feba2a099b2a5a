"""One packet, one patient: tells them apart, and gives each patient a session when the user asks for it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qxbatch.core import Group, Header, Reading
from qxbatch.deidentify import HeaderLike
from qxbatch.ingest.pairs import find_pairs
from qxbatch.ingest.patient_messages import differing, mixed, named, shown_patients
from qxbatch.ingest.people import Item, Person, contradictions, identity_of, is_anonymous, people_of
from qxbatch.model import SessionId, Value
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.settings.model import OnMixed


class Share(NamedTuple):
    """The groups and the PAR/REC that go to one session."""

    session: SessionId
    groups: tuple[int, ...]
    """By their index."""
    patient: str = ""
    """PatientID as the headers write it, else the name, where a packet was split."""
    rows: tuple[int, ...] = ()
    """Rows of PAR/REC files whose name tells the patient."""


def patients_of(reading: Reading) -> list[Person]:
    """Return the people whose DICOM and PAR/REC are in a reading, in order of first scan. Raises OSError."""
    return people_of([*_of_dicom(reading), *_of_pairs(reading)])


def _of_dicom(reading: Reading) -> Iterator[Item]:
    """Yield an item for each group, or several where the files of one without a telling PatientID have several names."""
    for index, group in enumerate(reading.groups()):
        patient = _text(group.header.get("PatientID"))
        of_files = _identities(reading, index) if is_anonymous(group.patient) and group.files > 1 else ()
        for name, birth in dict.fromkeys((_named(group.header), *of_files)):
            identity = identity_of(name, birth, patient)
            day, series = _text(group.header.get("StudyDate")), _series(group.number, group.header)
            yield Item(group.patient, patient, identity, group.study, group.started, day, series, index)


def _identities(reading: Reading, group: int) -> Iterator[tuple[str, str]]:
    for row in reading.group_rows(group):
        header = reading.header(row)
        if header is not None:
            yield _named(header)


def _named(header: Header) -> tuple[str, str]:
    return _text(header.get("PatientName")), _text(header.get("PatientBirthDate"))


def _of_pairs(reading: Reading) -> Iterator[Item]:
    """Yield an item for each PAR that has its REC."""
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


def _series(number: int | None, header: HeaderLike) -> str:
    description = _text(header.get("SeriesDescription"))
    return " ".join(filter(None, (str(number or ""), f"({description})" if description else ""))) or "without a number"


def _text(value: Value) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "").strip()


def share_out(
    reading: Reading, session: SessionId, on_mixed: OnMixed, subject: str, *, anonymous: bool
) -> tuple[list[Share], list[Problem]]:
    """Give each group to a session. `anonymous`: messages count the patients and do not name them.

    Raises PacketError for more than one patient when on_mixed is `reject`, OSError when a PAR cannot be read.
    """
    groups = reading.groups()
    people = patients_of(reading)
    everything = Share(session, tuple(range(len(groups))))
    differ = differing(contradictions(people), subject, anonymous=anonymous)
    if len(people) <= 1:
        return [everything], differ
    if on_mixed is OnMixed.REJECT:
        raise PacketError(mixed(reading, people, subject, anonymous=anonymous))
    if on_mixed is OnMixed.MERGE:
        message = f"contains {shown_patients(people, anonymous=anonymous)}, merged into session {session.id} as asked."
        return [everything], [Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING), *differ]
    _refuse_inseparable(reading, people, subject)
    shares = _split(groups, people, session)
    message = (
        f"contains {len(people)} patients, split into the sessions "
        f"{', '.join(named(share.session.id, share.patient, anonymous=anonymous) for share in shares)} as asked."
    )
    return shares, [Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING), *differ]


def _refuse_inseparable(reading: Reading, people: Sequence[Person], subject: str) -> None:
    """Raise PacketError where files of two people have the same UIDs and numbers."""
    owners: dict[int, int] = {}
    for k, person in enumerate(people):
        for group in person.groups:
            if owners.setdefault(group, k) != k:
                path = reading.row(reading.group_rows(group)[0]).path
                message = f"contains files of {len(people)} patients with the same series UID ({path} and others)."
                hint = "Sort the files of each patient into a packet of their own."
                raise PacketError(Problem(Code.MIXED_PATIENTS, subject, message, hint))


def _split(groups: Sequence[Group], people: Sequence[Person], session: SessionId) -> list[Share]:
    """Return a share for each patient. A group without a patient goes where its study went, else to the first."""
    owner = {group: k for k, person in enumerate(people) for group in person.groups}
    by_study = {groups[group].study: owner[group] for group in sorted(owner, reverse=True)}
    of = [owner.get(index, by_study.get(group.study, 0)) for index, group in enumerate(groups)]
    return [
        Share(
            numbered_session(session, k + 1),
            tuple(index for index, mine in enumerate(of) if mine == k),
            person.patient,
            tuple(row for item in person.items for row in item.rows),
        )
        for k, person in enumerate(people)
    ]


def numbered_session(session: SessionId, k: int) -> SessionId:
    """Return the k-th session of a packet that is split: `<session id>-<k>`, of subject `<subject>-<k>`.

    >>> numbered_session(SessionId("HQ210", "base"), 2).id
    'HQ210_base-2'
    """
    plain = session.session is None and not session.folder
    return SessionId(f"{session.subject}-{k}", session.session, "" if plain else f"{session.id}-{k}")
