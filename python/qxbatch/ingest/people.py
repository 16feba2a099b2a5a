"""Identifies the people in a packet: by PatientID and, if that is empty or anonymous, by name and birth date."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, compress
from typing import NamedTuple

from qxbatch.person_name import (
    PLACEHOLDER,
    PLACEHOLDER_WORDS,
    PersonName,
    are_comparable,
    have_common_part,
    identifying_spellings,
    is_spelling,
    parse_name,
)

_PLACEHOLDER_IDS = frozenset(
    {
        "patient",
        "subject",
        "volunteer",
        "proband",
        "control",
        "default",
        "pilot",
        "dicom",
        "id",
        "no id",
        "noid",
        "no-id",
    }
    | {"no_id", "patientid", "patient id", "patient_id", "tbd", "tba", "n/a", "na", "n.a.", "nn", "n.n.", "unbekannt"}
    | {"patient1", "patient 1", "anonymous1", "inconnu", "desconocido", "sconosciuto", "onbekend", "not available"}
)
"""PatientIDs that identify nobody, in addition to PLACEHOLDER_WORDS."""
_LONGEST_NAME = 512
"""Number of characters of a name that are compared. DICOM allows 64 in each of three component groups; a PAR can have more."""
_MOST_COMPARED = 250
"""Up to this many identities without PatientID are compared with each other. If there are more, only equal parts of names
and equal birth dates count.

The square of this number limits comparisons with people who have a PatientID.
"""
_PLACEHOLDER_DAYS = ("18000101", "19000101", "11111111", "99999999")
"""Placeholders for a birth date."""


class Identity(NamedTuple):
    """The identity in a header."""

    name: PersonName
    """A real name (`PersonName.is_real`)."""
    birth: str = ""
    """PatientBirthDate; empty when absent."""


class PatientFiles(NamedTuple):
    """An item: the files of a group of the core, the files of a PAR/REC, or an unsorted DICOM file, with their patient.

    A group whose files have several names or birth dates gives several items.
    """

    folded_id: str
    """PatientID trimmed and in lower case; empty when absent."""
    patient: str
    """PatientID as written."""
    identity: Identity | None
    """None if the name is not a person's."""
    study: str
    """StudyInstanceUID; empty when absent."""
    started: str
    """Start of the series or study, YYYYMMDDHHMMSS as far as known."""
    day: str = ""
    """StudyDate, YYYYMMDD."""
    series: str = ""
    """Number and description, for messages."""
    group: int | None = None
    """Index of the group in the core; None for the other kinds of items."""
    rows: tuple[int, ...] = ()
    """Rows of a PAR/REC, or of a DICOM file that is in no group."""
    is_par: bool = False
    """Whether it is a PAR, with or without its REC."""


class Person(NamedTuple):
    """One patient of a packet."""

    patient: str
    """Text that identifies the patient: PatientID as written, or the name if the PatientID is empty or anonymous; empty if the
    patient is unknown."""
    items: tuple[PatientFiles, ...]
    """At least one."""

    @property
    def groups(self) -> tuple[int, ...]:
        """Return the indexes of the core's groups."""
        return tuple(sorted({item.group for item in self.items if item.group is not None}))

    @property
    def identities(self) -> list[Identity]:
        """Return the different identities of the person's files."""
        return list(dict.fromkeys(item.identity for item in self.items if item.identity is not None))

    @property
    def sort_key(self) -> tuple[bool, str, str]:
        """Return the sort key: first scan (unknown last), then PatientID or, without it, the name."""
        return min((item.started == "", item.started, item.folded_id or self.patient.casefold()) for item in self.items)


def identity_of(name: str, birth: str, patient: str) -> Identity | None:
    """Return the identity in a header; None if the name is empty, a placeholder, or the PatientID itself."""
    parsed = parse_name(name[:_LONGEST_NAME])
    if not parsed.is_real or name.strip().casefold() == patient.strip().casefold():
        return None
    day = "".join(character for character in birth if character.isdigit())
    return Identity(parsed, "" if day in _PLACEHOLDER_DAYS or not day.strip("0") else day)


def is_anonymous(patient: str) -> bool:
    """Return whether a PatientID identifies nobody: it is empty, a filler such as `0000`, or a word such as `anonymous`."""
    folded = patient.strip().casefold()
    if not folded.strip("0x-_.?/ ") or folded in PLACEHOLDER_WORDS or folded in _PLACEHOLDER_IDS:
        return True
    return PLACEHOLDER.search(folded) is not None and not any(character.isdigit() for character in folded)


def can_be_same_person(identity: Identity, other: Identity) -> bool:
    """Return whether two identities can be one person: they have the same birth date, or names with a common part.

    Names in different scripts can be one person's, unless both birth dates are known and differ.
    """
    if identity.birth and identity.birth == other.birth:
        return True
    if not are_comparable(identity.name, other.name):
        return not (identity.birth and other.birth)
    return have_common_part(identity.name, other.name)


def contradict(identity: Identity, other: Identity) -> bool:
    """Return whether both name and birth date differ.

    A code such as `scan3` is not another person's name, names in different scripts can be equal, and a missing birth date does
    not differ.
    """
    if (
        not identity.birth
        or not other.birth
        or identity.birth == other.birth
        or identity.name.is_code
        or other.name.is_code
    ):
        return False
    return are_comparable(identity.name, other.name) and not is_spelling(identity.name, other.name)


def contradictions(people: Iterable[Person]) -> list[tuple[Person, Identity, Identity]]:
    """Return each person whose files have different names and birth dates, with the first two such identities."""
    contradicting = []
    for person in people:
        pairs = combinations((identity for identity in person.identities if identity.birth), 2)
        pair = next(((identity, other) for identity, other in pairs if contradict(identity, other)), None)
        if pair:
            contradicting.append((person, *pair))
    return contradicting


def people_of(items: Sequence[PatientFiles]) -> list[Person]:
    """Return the people in order of their first scan.

    Each PatientID is a person. If it is empty or an anonymous word, real names distinguish people: items whose identities can
    be one person are put together. They belong to a person with a PatientID, if `_person_index` finds one. Otherwise they are a
    new person. Without a real name, an anonymous word is a person like other PatientIDs, and items with an empty PatientID
    belong to nobody.
    """
    by_key: dict[str, list[PatientFiles]] = {}
    for item in items:
        has_only_name = item.identity is not None and is_anonymous(item.folded_id)
        by_key.setdefault("" if has_only_name else item.folded_id, []).append(item)
    anonymous = by_key.pop("", [])
    people = [Person(items_of_key[0].patient, tuple(items_of_key)) for items_of_key in by_key.values()]
    people.sort(key=lambda person: person.sort_key)
    new: list[Person] = []
    clusters = _clusters(anonymous)
    index_of = _person_index if len(clusters) * len(people) <= _MOST_COMPARED**2 else _equal_person_index(people)
    for cluster in clusters:
        index = index_of(cluster, people)
        if index is None:
            new.append(Person(_first_known_name(cluster), tuple(cluster)))
        else:
            people[index] = Person(people[index].patient, (*people[index].items, *cluster))
    return sorted([*people, *new], key=lambda person: person.sort_key)


def is_other_person(patient: str, items: Iterable[PatientFiles]) -> bool:
    """Return whether none of the items can be of the person with this PatientID.

    False if the PatientID, or all of the items, identify nobody.
    """
    known = [item for item in items if item.identity is not None or not is_anonymous(item.folded_id)]
    if is_anonymous(patient) or not known:
        return False
    of_patient = PatientFiles(patient.strip().casefold(), patient, None, "", "")
    return any(person.items == (of_patient,) for person in people_of([of_patient, *known]))


def _first_known_name(items: Sequence[PatientFiles]) -> str:
    return next((item.identity.name.full_name for item in items if item.identity), "")


def _clusters(items: Iterable[PatientFiles]) -> list[list[PatientFiles]]:
    """Return the items with an identity, grouped by identities that can be one person, directly or through others."""
    by_identity: dict[Identity, list[PatientFiles]] = {}
    for item in items:
        if item.identity is not None:
            by_identity.setdefault(item.identity, []).append(item)
    clusters = _clusters_by_keys(by_identity)
    if len(by_identity) <= _MOST_COMPARED:
        clusters = _join_clusters(clusters)
    item_clusters = [[item for identity in cluster for item in by_identity[identity]] for cluster in clusters]
    return sorted(
        item_clusters, key=lambda cluster: min((item.started == "", item.started, item.rows) for item in cluster)
    )


def _clusters_by_keys(identities: Iterable[Identity]) -> list[list[Identity]]:
    """Return the identities in clusters with equal birth dates or equal parts of names, directly or through others."""
    cluster_of: dict[str, list[Identity]] = {}
    for identity in identities:
        keys = _keys(identity)
        matching = {id(cluster_of[key]): cluster_of[key] for key in keys if key in cluster_of}
        largest, *others = sorted(matching.values(), key=len, reverse=True) or [[]]
        moved = [identity, *(member for cluster in others for member in cluster)]
        largest += moved
        cluster_of.update((key, largest) for member in moved for key in _keys(member))
    return list({id(cluster): cluster for cluster in cluster_of.values()}.values())


def _keys(identity: Identity) -> list[str]:
    """Return the keys of an identity. Identities with an equal part of the name, or the same birth date, have a key in common."""
    return [*identifying_spellings(identity.name), *([f"born {identity.birth}"] if identity.birth else [])]


def _join_clusters(clusters: Iterable[list[Identity]]) -> list[list[Identity]]:
    """Return the clusters; clusters with identities that can be one person are joined."""
    joined: list[list[Identity]] = []
    for cluster in clusters:
        is_same = [_any_can_be_same_person(cluster, other) for other in joined]
        same = [member for other in compress(joined, is_same) for member in other]
        joined = [
            *(other for other, same_person in zip(joined, is_same, strict=True) if not same_person),
            [*same, *cluster],
        ]
    return joined


def _person_index(cluster: Sequence[PatientFiles], people: Sequence[Person]) -> int | None:
    """Return the index of the person to whom items without PatientID belong; None if they are a new person.

    The kinds of persons, in order of preference; the first person of the first kind that occurs is chosen:
    1. the PatientID and the items' name have a common part;
    2. the identities can be one person's, and the names have a script in common;
    3. the identities can be one person's, and the names are in different scripts;
    4. the person has no known name, and shares a study with the items;
    5. the person has no known name.
    """
    identities = [item.identity for item in cluster if item.identity is not None]
    studies = {item.study for item in cluster if item.study}
    nameless = [index for index, person in enumerate(people) if not person.identities]
    indices = (
        *(index for index, person in enumerate(people) if _has_matching_id(person, identities)),
        *(
            index
            for index, person in enumerate(people)
            if _any_can_be_same_person(identities, person.identities, comparable_only=True)
        ),
        *(
            index
            for index, person in enumerate(people)
            if _any_can_be_same_person(identities, person.identities, comparable_only=False)
        ),
        *(index for index in nameless if studies & {item.study for item in people[index].items}),
        *nameless,
    )
    return next(iter(indices), None)


def _equal_person_index(people: Sequence[Person]) -> Callable[[Sequence[PatientFiles], Sequence[Person]], int | None]:
    """Return a function like `_person_index` that looks up equal parts of names and equal birth dates in tables."""
    by_id: dict[str, int] = {}
    by_identity: dict[str, int] = {}
    nameless: list[int] = []
    for index, person in enumerate(people):
        for spelling in identifying_spellings(_id_name(person)):
            by_id.setdefault(spelling, index)
        for key in (key for identity in person.identities for key in _keys(identity)):
            by_identity.setdefault(key, index)
        nameless += [] if person.identities else [index]
    of_study = {item.study: index for index in reversed(nameless) for item in people[index].items if item.study}

    def person_index(cluster: Sequence[PatientFiles], _people: Sequence[Person]) -> int | None:
        keys = [key for item in cluster if item.identity is not None for key in _keys(item.identity)]
        for table, values in ((by_id, keys), (by_identity, keys), (of_study, [item.study for item in cluster])):
            indices = [table[key] for key in values if key in table]
            if indices:
                return min(indices)
        return next(iter(nameless), None)

    return person_index


def _any_can_be_same_person(
    identities: Sequence[Identity], others: Sequence[Identity], *, comparable_only: bool = False
) -> bool:
    """Return whether one of `identities` and one of `others` can be one person; `comparable_only`: their names share a script."""
    pairs = ((identity, other) for identity in identities for other in others)
    return any(
        can_be_same_person(identity, other) and (are_comparable(identity.name, other.name) or not comparable_only)
        for identity, other in pairs
    )


def _has_matching_id(person: Person, identities: Sequence[Identity]) -> bool:
    """Return whether one of these names has a part in common with the person's PatientID.

    For example, the patient name of a PAR, which has no PatientID, can be the PatientID of the DICOM.
    """
    name = _id_name(person)
    return not is_anonymous(name.full_name) and any(have_common_part(name, identity.name) for identity in identities)


def _id_name(person: Person) -> PersonName:
    """Return a person's PatientID, parsed as a name."""
    return parse_name(person.items[0].patient[:_LONGEST_NAME])
