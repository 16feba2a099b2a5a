"""The patients of a packet, determined by PatientID, name and birth date."""

import pytest

from qxbatch.ingest.people import Identity, PatientFiles, Person, contradictions, identity_of, is_anonymous, people_of
from qxbatch.person_name import parse_name


def item(
    patient: str = "", name: str = "", birth: str = "", study: str = "1", started: str = "2024", group: int = 0
) -> PatientFiles:
    return PatientFiles(patient.casefold(), patient, identity_of(name, birth, patient), study, started, group=group)


def patients(*items: PatientFiles) -> list[str]:
    return [person.patient for person in people_of(items)]


@pytest.mark.parametrize("patient", ["", "anonymous", "000", "xx", "Unknown", "TEST"])
def test_names_distinguish_people_without_a_real_patient_id(patient: str) -> None:
    assert is_anonymous(patient)
    people = patients(item(patient, "Doe^Anna", started="2"), item(patient, "Roe^Bob", started="1"))
    assert people == ["Roe^Bob", "Doe^Anna"], "in order of first scan"


def test_a_real_patient_id_is_one_person_with_any_names() -> None:
    assert patients(item("P1", "Doe^Anna"), item("p1", "Roe^Bob")) == ["P1"]
    assert patients(item("P1", "Doe^Anna"), item("P2", "Doe^Anna")) == ["P1", "P2"]


def test_an_equal_birth_date_joins_names_and_a_different_one_does_not_split_a_name() -> None:
    assert len(patients(item("", "Doe^Anna", "19500101"), item("", "Roe^Anne", "19500101"))) == 1
    assert len(patients(item("", "Doe^Anna", "19500101"), item("", "Doe^A", "19910101"))) == 1
    assert len(patients(item("", "Doe^Anna", "19500101"), item("", "Roe^Bob", "19910101"))) == 2
    assert len(patients(item("", "Doe^Anna", "19500101"), item("", "Roe^Bob"))) == 2


def test_names_that_share_a_part_belong_to_one_person() -> None:
    names = [item("", "Doe^Anna"), item("", "Anna^Roe"), item("", "Roe^Bob")]
    for order in (names, names[::-1], [names[0], names[2], names[1]]):
        assert len(patients(*order)) == 1


def test_files_without_a_name_are_no_person_and_join_no_others() -> None:
    assert patients(item(), item("", "Anonymous"), item("", "T1^Phantom")) == []
    assert len(patients(item("", "Doe^Anna"), item(), item("", "Roe^Bob"))) == 2


def test_names_in_two_scripts_differ_only_with_different_birth_dates() -> None:
    assert len(patients(item("", "Yamada^Tarou"), item("", "山田^太郎"))) == 1
    assert len(patients(item("", "Yamada^Tarou", "19500101"), item("", "山田^太郎", "19910101"))) == 2


def test_files_without_an_id_belong_to_the_patient_with_their_name() -> None:
    [one, other] = people_of([item("P1", "Doe^Anna"), item("P2", "Roe^Bob"), item("", "ROE BOB", group=7)])
    assert (one.groups, other.groups) == ((0,), (0, 7))


def test_a_name_equal_to_a_patient_id_belongs_to_that_patient() -> None:
    assert patients(item("HQ210", "Doe^Anna"), item("", "HQ210")) == ["HQ210"]
    assert patients(item("HQ210", "Doe^Anna"), item("", "HQ211")) == ["HQ210", "HQ211"]
    assert patients(item("12345", "Doe^Anna"), item("", "Roe^Bob")) == ["12345", "Roe^Bob"]
    assert patients(item("12345", "Doe^Anna"), item("", "12345")) == ["12345"]


@pytest.mark.parametrize("birth", ["19000101", "00000000", "11111111"])
def test_a_placeholder_birth_date_joins_nobody(birth: str) -> None:
    assert len(patients(item("", "Doe^Anna", birth), item("", "Roe^Bob", birth))) == 2


def test_an_unknown_name_without_an_id_is_another_person() -> None:
    assert patients(item("P1", "Doe^Anna"), item("", "Roe^Bob")) == ["P1", "Roe^Bob"]


def test_a_patient_without_a_name_can_have_the_name_of_one_person() -> None:
    assert patients(item("P1", "Anonymous"), item("", "Doe^Anna")) == ["P1"]
    assert patients(item("P1", "P1"), item("", "Doe^Anna")) == ["P1"]
    assert len(patients(item("P1", "Anonymous"), item("", "Doe^Anna"), item("", "Roe^Bob"))) == 2


def test_a_patient_without_a_name_gets_the_name_of_its_study() -> None:
    people = people_of([item("P1", "", study="1"), item("P2", "", study="2"), item("", "Doe^Anna", study="2", group=5)])
    assert [person.groups for person in people] == [(0,), (0, 5)]


@pytest.mark.parametrize(
    ("name", "birth", "differ"),
    [
        ("Roe^Bob", "19910101", True),
        ("Doe^Bob", "19910101", True),
        ("Roe^Bob", "", False),
        ("Roe^Bob", "19500101", False),
        ("ANNA DOE", "19910101", False),
        ("Doe^A", "19910101", False),
        ("Anonymous", "19910101", False),
        ("scan3", "19910101", False),
        ("山田^太郎", "19910101", False),
    ],
)
def test_an_id_with_two_names_and_birth_dates_is_a_contradiction(name: str, birth: str, differ: bool) -> None:
    people = people_of([item("P1", "Doe^Anna", "19500101"), item("P1", name, birth)])
    assert [person.patient for person, _, _ in contradictions(people)] == ["P1"] * differ


def test_the_identities_of_a_person_have_no_duplicates() -> None:
    person = Person("P1", (item("P1", "Doe^Anna"), item("P1", "Doe^Anna"), item("P1", "x")))
    assert person.identities == [Identity(parse_name("Doe^Anna"))]


def person_texts(names: list[str]) -> list[tuple[str, ...]]:
    """Return the names of each person, if these are the names of files without PatientID."""
    people = people_of([PatientFiles("", "", identity_of(name, "", ""), "", "") for name in names])
    return [tuple(identity.name.full_name for identity in person.identities) for person in people]


@pytest.mark.parametrize("count", [10, 1200])
def test_many_people_are_distinguished_and_spellings_put_together(count: int) -> None:
    letters = ["".join("bcdfghjklm"[int(digit)] for digit in f"{k:04}") for k in range(count)]
    names = [f"x{text}q^y{text}z" for text in letters]
    people = person_texts([*names, names[0].upper(), f"{names[1]}^von"])
    assert len(people) == count
    assert {(names[0], names[0].upper()), (names[1], f"{names[1]}^von")} <= {*people}


def test_a_name_of_many_similar_parts_is_compared_soon() -> None:
    parts = " ".join("a" * k for k in range(2, 31))
    assert len(person_texts([parts, "a" * 300 + "b"])) == 2
    assert len(person_texts(["Anne^Marie^Doe", "AnneMarie"])) == 1
    assert (
        len(person_texts([" ".join(f"q{k:x}w" for k in range(4000)), " ".join(f"z{k:x}y" for k in range(4000))])) == 2
    )


def test_many_people_with_and_without_an_id_are_compared_soon() -> None:
    words = ["".join("bcdfghjklm"[int(digit)] for digit in f"{k:04}") for k in range(600)]
    named = [PatientFiles("", "", identity_of(f"x{word}q^y{word}z", "", ""), "", "") for word in words]
    with_id = [PatientFiles(f"v{word}w " + "k" * 60000, "", None, "", "") for word in words]
    with_id = [
        item._replace(patient=item.folded_id, identity=identity_of(f"s{item.folded_id[1:5]}t", "", ""))
        for item in with_id
    ]
    own = PatientFiles("", "", identity_of("Doe^" + with_id[7].folded_id[:6], "", ""), "", "")
    people = people_of([*with_id, *named, own])
    assert len(people) == 1200
    assert [len(person.items) for person in people if person.patient == with_id[7].patient] == [2]
