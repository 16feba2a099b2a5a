"""The patients and studies of a reading, the names of their folders, and the rows of each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qxbatch.core import Reading
from qxbatch.ingest.assemble import with_neighbours
from qxbatch.ingest.labels import clean_label
from qxbatch.ingest.pairs import find_pairs
from qxbatch.ingest.patients import split_patients
from qxbatch.ingest.people import Person

UNKNOWN = "unknown"


@dataclass(frozen=True)
class StudyFolder:
    """One study of one patient."""

    name: str
    """The name of the folder."""
    patient: str
    study: str
    """StudyInstanceUID; of PAR/REC, `PAR` and the day."""
    started: str
    """Date and time, or only the date, as DICOM writes them; empty if unknown."""
    rows: tuple[int, ...]


@dataclass(frozen=True)
class _Key:
    patient: str
    study: str


@dataclass
class _Study:
    patient: str
    started: str
    rows: list[int]


def plan(reading: Reading) -> list[StudyFolder]:
    """Return a folder for each study of each patient, in order of first scan; each row of the reading is in one of them.

    A reading without DICOM and PAR/REC has none.
    """
    people = split_patients(reading)
    studies = {**_of_pairs(reading, people), **_of_dicom(reading, people)}
    _add_unsorted(studies, people)
    order = sorted(studies, key=lambda key: (studies[key].started == "", studies[key].started, key.patient, key.study))
    owned = {row: k for k, key in enumerate(order) for row in studies[key].rows}
    if not order:
        return []
    plans = with_neighbours(reading, owned, len(order))
    folder_names = _names([(key.patient, studies[key].patient) for key in order])
    return [
        StudyFolder(folder_names[k], studies[key].patient, key.study, studies[key].started, tuple(plans[k]))
        for k, key in enumerate(order)
    ]


def _of_dicom(reading: Reading, people: Sequence[Person]) -> dict[_Key, _Study]:
    """Return the studies of each patient."""
    groups = reading.groups()
    texts = _texts_of(people)
    patients = {group: k for k, person in enumerate(people) for group in person.groups}
    members: dict[int, list[int]] = defaultdict(list)
    for row in map(reading.row, range(len(reading))):
        members[row.group].append(row.index)
    studies: dict[_Key, _Study] = {}
    for index, group in enumerate(groups):
        k = patients[index]
        item = studies.setdefault(_Key(texts[k], group.study), _Study(people[k].patient, group.started, []))
        item.started = min((text for text in (item.started, group.started) if text), default="")
        item.rows += members[index]
    return studies


def _add_unsorted(studies: dict[_Key, _Study], people: Sequence[Person]) -> None:
    """Add the DICOM files that are not sorted to the study that they name, or to a new one."""
    for text, person in zip(_texts_of(people), people, strict=True):
        for item in person.items:
            if item.group is None and not item.is_par:
                study = studies.setdefault(_Key(text, item.study), _Study(person.patient, item.started, []))
                study.rows += item.rows


def _texts_of(people: Sequence[Person]) -> list[str]:
    """Return a text for each person: that of two people differs, even if their PatientIDs are equal in folded case (`ß`, `ss`).

    The text of unknown patients is empty.
    """
    texts: list[str] = []
    for person in people:
        texts.append(_free(person.patient.casefold(), {*texts}) if person.patient else "")
    return texts


def _of_pairs(reading: Reading, people: Sequence[Person]) -> dict[_Key, _Study]:
    """Return the studies of PAR/REC: a PAR has the patient's name and the day."""
    patients = _patients_of_nameless(people)
    pairs, _ = find_pairs(reading, range(len(reading)))
    studies: dict[_Key, _Study] = {}
    for pair in pairs:
        name, day = (str(pair.header.get(field) or "").strip() for field in ("PatientName", "StudyDate"))
        name = patients.get(pair.files[0][0]) or name
        item = studies.setdefault(_Key(name.casefold(), f"PAR {day}".strip()), _Study(name, day, []))
        item.rows += [row for row, _ in pair.files]
    return studies


def _patients_of_nameless(people: Sequence[Person]) -> dict[int, str]:
    """Return the patients of the PAR/REC without a patient's name, by row, if there are several patients."""
    if sum(bool(person.patient) for person in people) <= 1:
        return {}
    items = (
        (person.patient, item) for person in people for item in person.items if item.is_par and item.identity is None
    )
    return {row: patient for patient, item in items for row in item.rows}


def _names(patients: Iterable[tuple[str, str]]) -> list[str]:
    """Return a name for each folder: the patient's id, with a number if the patient has several studies or the name is used."""
    keys = list(patients)
    labels: dict[str, str] = {}
    for patient, label in keys:
        if patient not in labels:
            labels[patient] = _free(clean_label(label) or UNKNOWN, {each.casefold() for each in labels.values()})
    several = Counter(patient for patient, _ in keys)
    counts: Counter[str] = Counter()
    folder_names: list[str] = []
    for patient, _ in keys:
        counts[patient] += 1
        name = labels[patient] if several[patient] == 1 else f"{labels[patient]}_{counts[patient]}"
        folder_names.append(_free(name, {each.casefold() for each in folder_names}))
    return folder_names


def _free(name: str, used_names: set[str]) -> str:
    free, k = name, 1
    while free.casefold() in used_names:
        k += 1
        free = f"{name}-{k}"
    return free
