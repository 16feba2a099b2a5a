"""Spellings of one name have a common part; names of two people have none."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.person_name import PARTICLES, PLACEHOLDER, PLACEHOLDER_WORDS, have_common_part, is_spelling, parse_name

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüéèçñøåł"


def is_name(part: str) -> bool:
    return part not in PARTICLES | PLACEHOLDER_WORDS and not PLACEHOLDER.search(part) and len(set(part)) > 1


PARTS = st.lists(st.text(LETTERS, min_size=3, max_size=9).filter(is_name), min_size=2, max_size=4, unique=True)


@st.composite
def spelled(draw: st.DrawFn, parts: list[str]) -> str:
    """Return a name as another exporter writes it: order, case, separators, Unicode composition, an initial."""
    order = draw(st.permutations(parts))
    short = draw(st.sampled_from([None, *range(1, len(order))]))
    spelling = [part[0] if index == short else part for index, part in enumerate(order)]
    spelling = [draw(st.sampled_from([part, part.upper(), part.title()])) for part in spelling]
    separator = draw(st.sampled_from(["^", " ", ", ", "_", "-", "^ ", ". "]))
    end = draw(st.sampled_from(["", "^", "^^", "=", " ", "^^^Dr", "=山田^太郎"]))
    return unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), separator.join(spelling)) + end


@given(st.data(), PARTS)
def test_all_spellings_of_a_name_belong_to_one_person(data: st.DataObject, parts: list[str]) -> None:
    one, other = parse_name("^".join(parts)), parse_name(data.draw(spelled(parts)))
    assert one.is_real
    assert other.is_real
    assert have_common_part(one, other)
    assert have_common_part(other, one)
    assert is_spelling(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Doe^J", "Doe^Jane"),
        ("JD", "Doe^Jane"),
        ("J. D.", "Doe^Jane"),
        ("DoeJane", "Doe^Jane"),
        ("Müller^Jörg", "Mueller^Joerg"),
        ("Mueller^Joerg", "MULLER JORG"),
        ("Anne-Marie^Roe", "Annemarie Roe"),
        ("O'Brien^Ann", "OBRIEN^A"),
        ("van der Berg^Anna", "Berg, Anna van der"),
        ("山田太郎", "山田^太郎"),
        ("Yamada^Tarou=山田^太郎", "山田^太郎"),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", "ヤマダ^タロウ"),
        ("Łukasz^Nowak", "Nowak^Lukasz"),
    ],
)
def test_spellings_of_a_name_have_a_common_part(one: str, other: str) -> None:
    assert have_common_part(parse_name(one), parse_name(other))
    assert have_common_part(parse_name(other), parse_name(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Doe^Anna", "Roe^Bob"),
        ("Doe^Anna^^Dr", "Roe^Bob^^Dr"),
        ("Dr. Doe", "Dr. Roe"),
        ("Li^A", "Wu^A"),
        ("Doe^J", "Roe^Jane"),
        ("van der Berg^Anna", "van der Wiel^Bob"),
        ("山田^太郎", "洪^吉洞"),
        ("HQ210", "HQ211"),
    ],
)
def test_names_without_a_common_part_belong_to_two_people(one: str, other: str) -> None:
    assert not have_common_part(parse_name(one), parse_name(other))
    assert not have_common_part(parse_name(other), parse_name(one))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "^^^^",
        "Anonymous",
        "ANON^",
        "T1^Phantom",
        "ACRPhantom30sep",
        "05aug14test",
        "Test^S R",
        "XXXX",
        "?",
        "J",
        "Patient",
    ],
)
def test_a_placeholder_is_no_real_name(value: str) -> None:
    assert not parse_name(value).is_real


@pytest.mark.parametrize("value", ["Doe", "Testa^Maria", "李", "Li^Bo", "Ernestine^Kay", "Διονυσιος"])
def test_a_name_of_a_person_is_real(value: str) -> None:
    assert parse_name(value).is_real
