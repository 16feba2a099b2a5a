"""Decides to which patient the files without a patient belong, in a packet of several patients: a known or an unknown one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from qxbatch.core import Reading
from qxbatch.ingest.neighbours import Neighbours
from qxbatch.ingest.people import PatientFiles, Person
from qxbatch.ingest.row_path import tree_path


def with_unknown_patients(reading: Reading, items: Sequence[PatientFiles], people: Sequence[Person]) -> list[Person]:
    """Return the people with all their items, then a person without a name for each study whose patient is unknown.

    A series without a patient belongs to the only patient of its study, a PAR/REC to the only patient of the nearest folder.
    If there is none, or if there are several, the patient is unknown. The patient of a series with files of several patients is
    unknown, too; people who have no other files are left out. Each item belongs to exactly one of the returned persons.
    """
    owned, unknown = _assign_series(items, people)
    everyone = [*owned, unknown]
    par_recs = [item for item in items if item.group is None and not _has_patient(item)]
    indices = _nearest_people(reading, everyone, par_recs)
    for item, k in zip(par_recs, indices, strict=True):
        (unknown if k is None else everyone[k]).append(item)
    known = [Person(person.patient, tuple(own)) for person, own in zip(people, owned, strict=True) if own]
    return [*known, *_unknown_patients(unknown)]


def _assign_series(
    items: Sequence[PatientFiles], people: Sequence[Person]
) -> tuple[list[list[PatientFiles]], list[PatientFiles]]:
    """Return the items of each person, and those of nobody; without the PAR/REC that have no patient."""
    people_of_group: dict[int, set[int]] = defaultdict(set)
    for k, person in enumerate(people):
        for group in person.groups:
            people_of_group[group].add(k)
    study_of = {item.group: item.study for item in items if item.group is not None}
    people_of_study: dict[str, set[int]] = defaultdict(set)
    for group, owners in people_of_group.items():
        people_of_study[study_of[group]] |= owners
    if len(people) > 1:
        people_of_study.pop("", None)  # series without StudyInstanceUID can be of several studies
    owned = [[item for item in person.items if item.group is None] for person in people]
    unknown: list[PatientFiles] = []
    for item in items:
        if item.group is not None:
            owners = people_of_group.get(item.group) or people_of_study.get(item.study, set())
            (owned[min(owners)] if len(owners) == 1 else unknown).append(item)
    return owned, unknown


def _nearest_people(
    reading: Reading, everyone: Sequence[Sequence[PatientFiles]], par_recs: Sequence[PatientFiles]
) -> list[int | None]:
    """Return, for each PAR/REC, the index in `everyone` whose items are in the nearest folder.

    None if items of several indices are in that folder, or if there are no items.
    """
    if not par_recs:
        return []
    owned = ((row, k) for k, items in enumerate(everyone) for item in items for row in _rows_of(reading, item))
    neighbours = Neighbours((tree_path(reading.row(row)), k) for row, k in owned)
    return [neighbours.sole_nearest_owner(tree_path(reading.row(item.rows[0]))) for item in par_recs]


def _rows_of(reading: Reading, item: PatientFiles) -> Sequence[int]:
    """Return the rows of an item's files."""
    return item.rows if item.group is None else reading.group_rows(item.group)


def _has_patient(item: PatientFiles) -> bool:
    return bool(item.folded_id) or item.identity is not None


def _unknown_patients(items: Sequence[PatientFiles]) -> list[Person]:
    """Return a person without a name for each study, in order of first scan. PAR/REC of one day are a study."""
    studies: Mapping[str, list[PatientFiles]] = defaultdict(list)
    for item in items:
        studies[item.study if item.group is not None else f"PAR {item.day}"].append(item)
    return sorted((Person("", tuple(own)) for own in studies.values()), key=lambda person: person.sort_key)
