"""Which patients and studies there are in a reading, what their folders are called, and what goes into each."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from qxbatch.core import Reading
from qxbatch.ingest.assemble import with_neighbours
from qxbatch.ingest.labels import clean_label
from qxbatch.ingest.pairs import find_pairs
from qxbatch.ingest.patients import patients_of

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Piece:
    """One study of one patient."""

    name: str
    """Of its folder."""
    patient: str
    study: str
    started: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class _Key:
    patient: str
    study: str


@dataclass
class _Found:
    shown: str
    started: str
    rows: list[int]


def plan(reading: Reading) -> list[Piece]:
    """Return a piece for each patient and study, in order of first scan; every row of the reading is in one of them."""
    found = {**_of_pairs(reading), **_of_dicom(reading)}
    order = sorted(found, key=lambda key: (found[key].started == "", found[key].started, key.patient, key.study))
    owned = {row: k for k, key in enumerate(order) for row in found[key].rows}
    if not order:
        return []
    plans = with_neighbours(reading, owned, len(order))
    names = _names([(key.patient, found[key].shown) for key in order])
    return [
        Piece(names[k], found[key].shown, key.study, found[key].started, tuple(plans[k])) for k, key in enumerate(order)
    ]


def _of_dicom(reading: Reading) -> dict[_Key, _Found]:
    """Return the studies of each patient. A series without a patient belongs to the one of its study."""
    groups = reading.groups()
    shown = {group: person.patient for person in patients_of(reading) for group in person.groups}
    named = {groups[index].study: patient for index, patient in shown.items()}
    members: dict[int, list[int]] = defaultdict(list)
    for row in map(reading.row, range(len(reading))):
        members[row.group].append(row.index)
    found: dict[_Key, _Found] = {}
    for index, group in enumerate(groups):
        patient = shown.get(index, named.get(group.study, ""))
        item = found.setdefault(_Key(patient.casefold(), group.study), _Found(patient, group.started, []))
        item.started = min((text for text in (item.started, group.started) if text), default="")
        item.rows += members[index]
    return found


def _of_pairs(reading: Reading) -> dict[_Key, _Found]:
    """PAR headers tell the patient's name and the day."""
    pairs, _ = find_pairs(reading, range(len(reading)))
    found: dict[_Key, _Found] = {}
    for pair in pairs:
        name, day = (str(pair.header.get(field) or "").strip() for field in ("PatientName", "StudyDate"))
        item = found.setdefault(_Key(name.casefold(), f"PAR {day}".strip()), _Found(name, day, []))
        item.rows += [row for row, _ in pair.files]
    return found


def _names(patients: Iterable[tuple[str, str]]) -> list[str]:
    """Name the folders: the patient's id, with a number where there are several studies, or another of that name."""
    keys = list(patients)
    labels: dict[str, str] = {}
    for patient, shown in keys:
        if patient not in labels:
            labels[patient] = _free(clean_label(shown) or UNKNOWN, {each.casefold() for each in labels.values()})
    several = Counter(patient for patient, _ in keys)
    seen: Counter[str] = Counter()
    names: list[str] = []
    for patient, _ in keys:
        seen[patient] += 1
        name = labels[patient] if several[patient] == 1 else f"{labels[patient]}_{seen[patient]}"
        names.append(_free(name, {each.casefold() for each in names}))
    return names


def _free(name: str, taken: set[str]) -> str:
    free, k = name, 1
    while free.casefold() in taken:
        k += 1
        free = f"{name}-{k}"
    return free
