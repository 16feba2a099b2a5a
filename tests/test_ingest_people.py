"""Who the files of a packet are of, by PatientID, name and birth date."""

import pytest

from qxbatch.ingest.people import Identity, Item, Person, contradictions, identity_of, is_anonymous, people_of
from qxbatch.person_name import parse_name


def item(
    patient: str = "", name: str = "", birth: str = "", study: str = "1", started: str = "2024", group: int = 0
) -> Item:
    return Item(patient.casefold(), patient, identity_of(name, birth, patient), study, started, group=group)


def found(*items: Item) -> list[str]:
    return [person.patient for person in people_of(items)]


@pytest.mark.parametrize("patient", ["", "anonymous", "000", "xx", "Unknown", "TEST"])
def test_names_tell_people_apart_where_the_id_does_not(patient: str) -> None:
    assert is_anonymous(patient)
    people = found(item(patient, "Doe^Anna", started="2"), item(patient, "Roe^Bob", started="1"))
    assert people == ["Roe^Bob", "Doe^Anna"], "in order of first scan"


def test_a_real_id_is_one_person_whatever_its_names() -> None:
    assert found(item("P1", "Doe^Anna"), item("p1", "Roe^Bob")) == ["P1"]
    assert found(item("P1", "Doe^Anna"), item("P2", "Doe^Anna")) == ["P1", "P2"]


def test_the_same_birth_date_makes_one_person_and_another_one_does_not_make_two() -> None:
    assert len(found(item("", "Doe^Anna", "19500101"), item("", "Roe^Anne", "19500101"))) == 1
    assert len(found(item("", "Doe^Anna", "19500101"), item("", "Doe^A", "19910101"))) == 1
    assert len(found(item("", "Doe^Anna", "19500101"), item("", "Roe^Bob", "19910101"))) == 2
    assert len(found(item("", "Doe^Anna", "19500101"), item("", "Roe^Bob"))) == 2


def test_a_name_joins_those_it_shares_a_part_with() -> None:
    names = [item("", "Doe^Anna"), item("", "Anna^Roe"), item("", "Roe^Bob")]
    for order in (names, names[::-1], [names[0], names[2], names[1]]):
        assert len(found(*order)) == 1


def test_files_without_a_name_are_nobody_and_join_nobody() -> None:
    assert found(item(), item("", "Anonymous"), item("", "T1^Phantom")) == []
    assert len(found(item("", "Doe^Anna"), item(), item("", "Roe^Bob"))) == 2


def test_names_in_two_scripts_say_nothing_without_birth_dates() -> None:
    assert len(found(item("", "Yamada^Tarou"), item("", "山田^太郎"))) == 1
    assert len(found(item("", "Yamada^Tarou", "19500101"), item("", "山田^太郎", "19910101"))) == 2


def test_a_name_without_an_id_belongs_to_the_patient_of_that_name() -> None:
    [one, other] = people_of([item("P1", "Doe^Anna"), item("P2", "Roe^Bob"), item("", "ROE BOB", group=7)])
    assert (one.groups, other.groups) == ((0,), (0, 7))


def test_a_name_that_is_a_patients_id_is_that_patients() -> None:
    assert found(item("HQ210", "Doe^Anna"), item("", "HQ210")) == ["HQ210"]
    assert found(item("HQ210", "Doe^Anna"), item("", "HQ211")) == ["HQ210", "HQ211"]
    assert found(item("12345", "Doe^Anna"), item("", "Roe^Bob")) == ["12345", "Roe^Bob"]
    assert found(item("12345", "Doe^Anna"), item("", "12345")) == ["12345"]


@pytest.mark.parametrize("birth", ["19000101", "00000000", "11111111"])
def test_a_placeholder_is_no_common_birth_date(birth: str) -> None:
    assert len(found(item("", "Doe^Anna", birth), item("", "Roe^Bob", birth))) == 2


def test_a_name_without_an_id_that_no_patient_has_is_another_person() -> None:
    assert found(item("P1", "Doe^Anna"), item("", "Roe^Bob")) == ["P1", "Roe^Bob"]


def test_a_patient_whose_name_is_not_known_can_be_any_one_person() -> None:
    assert found(item("P1", "Anonymous"), item("", "Doe^Anna")) == ["P1"]
    assert found(item("P1", "P1"), item("", "Doe^Anna")) == ["P1"]
    assert len(found(item("P1", "Anonymous"), item("", "Doe^Anna"), item("", "Roe^Bob"))) == 2


def test_a_patient_whose_name_is_not_known_gets_the_name_of_its_study() -> None:
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
def test_one_id_with_another_name_and_birth_date_is_doubtful(name: str, birth: str, differ: bool) -> None:
    people = people_of([item("P1", "Doe^Anna", "19500101"), item("P1", name, birth)])
    assert [person.patient for person, _, _ in contradictions(people)] == ["P1"] * differ


def test_the_identities_of_a_person_are_the_different_ones() -> None:
    person = Person("P1", (item("P1", "Doe^Anna"), item("P1", "Doe^Anna"), item("P1", "x")))
    assert person.identities == [Identity(parse_name("Doe^Anna"))]
