"""The patients and studies of a reading (the members of a packet, a row each), and the folder and rows of each study."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qxbatch.core import Reading
from qxbatch.ingest.assemble import assign_rows
from qxbatch.ingest.labels import clean_label
from qxbatch.ingest.patients import patients_for_split
from qxbatch.ingest.people import Person

UNKNOWN = "unknown"
"""Name of the folder of an unknown patient."""


@dataclass(frozen=True)
class SplitFolder:
    """A new folder of `qxbatch split`, with the files of one study of one patient."""

    name: str
    """The name of the folder."""
    patient: str
    """PatientID as written, else the name; empty if the patient is unknown."""
    study: str
    """StudyInstanceUID; of PAR/REC, `PAR` and the day."""
    started: str
    """Date and time, or only the date, as DICOM writes them; empty if unknown."""
    rows: tuple[int, ...]
    """The rows of the reading that belong to it."""


@dataclass(frozen=True)
class _Key:
    """Identifies a study of a patient."""

    patient: str
    """The key of the patient (`_patient_keys`)."""
    study: str


@dataclass
class _Study:
    """A study, while its rows are collected."""

    patient: str
    started: str
    rows: list[int]


def plan(reading: Reading) -> list[SplitFolder]:
    """Return a folder for each study of each patient, in order of first scan; each row of the reading is in one of them.

    A member without a study gets the folder of the members near it in the packet, else the first one (`assign_rows`). A reading
    without DICOM and PAR/REC has no folders.
    """
    people = patients_for_split(reading)
    studies = _dicom_studies(reading, people)
    _add_par_and_unsorted(studies, people)
    order = sorted(studies, key=lambda key: (studies[key].started == "", studies[key].started, key.patient, key.study))
    folder_of_row = {row: k for k, key in enumerate(order) for row in studies[key].rows}
    if not order:
        return []
    rows_of_folders = assign_rows(reading, folder_of_row, len(order))
    folder_names = _folder_names([(key.patient, studies[key].patient) for key in order])
    return [
        SplitFolder(folder_names[k], studies[key].patient, key.study, studies[key].started, tuple(rows_of_folders[k]))
        for k, key in enumerate(order)
    ]


def _dicom_studies(reading: Reading, people: Sequence[Person]) -> dict[_Key, _Study]:
    """Return the studies of DICOM, by patient and StudyInstanceUID."""
    groups = reading.groups()
    patient_keys = _patient_keys(people)
    patients = {group: k for k, person in enumerate(people) for group in person.groups}
    members: dict[int, list[int]] = defaultdict(list)
    for row in map(reading.row, range(len(reading))):
        members[row.group].append(row.index)
    studies: dict[_Key, _Study] = {}
    for index, group in enumerate(groups):
        k = patients[index]
        study = studies.setdefault(
            _Key(patient_keys[k], group.study_uid), _Study(people[k].patient, group.start_time, [])
        )
        study.started = min((text for text in (study.started, group.start_time) if text), default="")
        study.rows += members[index]
    return studies


def _add_par_and_unsorted(studies: dict[_Key, _Study], people: Sequence[Person]) -> None:
    """Add each PAR/REC, and each unsorted DICOM file, to its study, which is created if it does not exist.

    The study of a PAR is its day, since it has no StudyInstanceUID.
    """
    for key, person in zip(_patient_keys(people), people, strict=True):
        for item in person.items:
            if item.group is None:
                uid, started = (f"PAR {item.day}".strip(), item.day) if item.is_par else (item.study, item.started)
                study = studies.setdefault(_Key(key, uid), _Study(person.patient, started, []))
                study.rows += item.rows


def _patient_keys(people: Sequence[Person]) -> list[str]:
    """Return a key for each person, which no other person has, even if PatientIDs are equal in folded case (`ß`, `ss`).

    The key of unknown patients is empty.
    """
    patient_keys: list[str] = []
    for person in people:
        patient_keys.append(_unused_name(person.patient.casefold(), {*patient_keys}) if person.patient else "")
    return patient_keys


def _folder_names(patients: Iterable[tuple[str, str]]) -> list[str]:
    """Return a name for each study: the patient's id, with a number if the patient has several studies or the name is used.

    `patients` are the key (`_Key.patient`) and the id of the patient of each study.
    """
    keys = list(patients)
    labels: dict[str, str] = {}
    for patient, label in keys:
        if patient not in labels:
            labels[patient] = _unused_name(clean_label(label) or UNKNOWN, {each.casefold() for each in labels.values()})
    study_counts = Counter(patient for patient, _ in keys)
    counts: Counter[str] = Counter()
    folder_names: list[str] = []
    for patient, _ in keys:
        counts[patient] += 1
        name = labels[patient] if study_counts[patient] == 1 else f"{labels[patient]}_{counts[patient]}"
        folder_names.append(_unused_name(name, {each.casefold() for each in folder_names}))
    return folder_names


def _unused_name(name: str, used_names: set[str]) -> str:
    """Return the name, with a number if it is used; `used_names` are in folded case."""
    unused, k = name, 1
    while unused.casefold() in used_names:
        k += 1
        unused = f"{name}-{k}"
    return unused
