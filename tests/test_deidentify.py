"""Patient IDs and names are replaced in every form in which headers and file names write them; other words are kept."""

import math
import re
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR

from qxbatch import core
from qxbatch.acquisition import FREE_TEXTS, Acquisition
from qxbatch.deidentify import Redaction, no_redaction, redacted_header, redaction
from qxbatch.model import Value
from qxbatch.person_name import PARTICLES, PLACEHOLDER_WORDS
from qxbatch.record.summary import recorded_fields

TEXT_VRS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
HEADERS = [{"PatientID": "AP 4:1", "PatientName": "Doe^Jane"}, {"PatientID": "x", "PatientName": ""}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Doe^Jane", "S1"),
        ("/in/DOE_JANE.zip", "/in/S1.zip"),
        ("jane doe, 4", "S1, 4"),
        ("Doe,Jane", "S1"),
        ("DoeJane", "S1"),
        ("AP 4:1-30", "S1-30"),
        ("ap_4:1_2", "S1_2"),
        ("Doe_Janet", "S1_Janet"),
        ("Joe^Jane", "Joe^S1"),
        ("Does Janet", "Does Janet"),
        ("x", "x"),
        ("Doe", "S1"),
    ],
)
def test_a_name_in_any_form_is_replaced_by_the_session_id(text: str, expected: str) -> None:
    assert redaction(HEADERS, "S1")(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Found 301 DICOM file(s)", "Found 301 DICOM file(s)"),
        ("0.301 seconds", "0.301 seconds"),
        ("1.2.301.4", "1.2.301.4"),
        ("/in/301/a", "/in/S1/a"),
        ("patient 301.", "patient S1."),
        ("3012", "3012"),
    ],
)
def test_a_numeric_patient_id_is_kept_inside_other_numbers(text: str, expected: str) -> None:
    assert redaction([{"PatientID": "301"}], "S1")(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T1 4711008.1 x", "T1 S1.1 x"),
        ("4711008.001.txt", "S1.001.txt"),
        ("IM4711008.txt v4711008.2", "IMS1.txt vS1.2"),
        ("notes.4711008.txt x4711008y", "notes.S1.txt xS1y"),
        ("1.2.840.4711008.5", "1.2.840.4711008.5"),
        ("0.4711008 s", "0.4711008 s"),
        ("14711008 47110081", "14711008 47110081"),
        ("Found 4711008 DICOM file(s)", "Found 4711008 DICOM file(s)"),
        ("MRAB12345x", "MRS1x"),
        ("AB123456", "AB123456"),
    ],
)
def test_a_patient_id_of_five_digits_is_found_next_to_letters_and_dots(text: str, expected: str) -> None:
    assert redaction([{"PatientID": "4711008"}, {"PatientID": "AB12345"}], "S1")(text) == expected


def test_without_identities_nothing_is_redacted() -> None:
    assert redaction([{"PatientID": None}, {"PatientID": "a"}, {"PatientName": "Anonymous"}], "S1") is no_redaction


def test_only_free_text_elements_of_a_header_are_redacted() -> None:
    header: dict[str, Value] = {
        "SeriesDescription": "for Doe Jane",
        "SeriesInstanceUID": "1.301",
        "PatientID": "301",
        "RepetitionTime": 301.0,
    }
    redact = redaction([{"PatientID": "301", "PatientName": "Doe^Jane"}], "S1")
    assert redacted_header(header, redact) == {**header, "SeriesDescription": "for S1"}


def test_each_stored_text_of_a_header_is_redacted() -> None:
    stored: dict[str, Value] = recorded_fields(dict.fromkeys(core.FIELDS, "for Doe Jane"))
    redacted = redacted_header(stored, redaction(HEADERS, "S1"))
    texts = {field for field in stored if dictionary_VR(field) in TEXT_VRS}
    assert {field for field, value in redacted.items() if value == "for S1"} == texts


def test_each_text_of_the_facts_is_redacted_or_has_a_fixed_set_of_values() -> None:
    texts = {field.name for field in fields(Acquisition) if field.type == str | None}
    assert texts - {"started", "ended", "phase_encoding_direction", "phase_encoding_axis"} == set(FREE_TEXTS)


def test_codes_of_an_image_type_are_kept() -> None:
    header: dict[str, Value] = {"ImageType": ["DERIVED", "PRIMARY", "NORM", "Real Jane"]}
    redact = redaction([{"PatientName": "Norm^Real^Jane"}], "S1")
    assert redacted_header(header, redact)["ImageType"] == ["DERIVED", "PRIMARY", "NORM", "S1"]


def test_a_backslash_in_the_session_id_is_literal() -> None:
    assert redaction([{"PatientID": "P001"}], r"S\1")("P001") == r"S\1"


GROUPS = [{"PatientID": "X77", "PatientName": "Yamada^Tarou^Ken^Dr=山田^太郎=やまだ^たろう"}]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("T1 Yamada Tarou", "T1 S1"),
        ("tarou-yamada_notes.txt", "S1_notes.txt"),
        ("Ken, Yamada", "S1"),
        ("Tarou", "S1"),
        ("KEN T2", "S1 T2"),
        ("T1wYamadaTarouScan", "T1wS1Scan"),
        ("Dr. Yamada", "S1"),
        ("Dr. Roe", "Dr. Roe"),
        ("Yamadas", "Yamadas"),
        ("Kenya", "Kenya"),
        ("T1山田太郎x", "T1S1x"),
        ("太郎の頭", "S1の頭"),
        ("やまだ・たろう", "S1"),
        ("山の頭", "山の頭"),
        ("S1_Ken", "S1_S1"),
    ],
)
def test_each_part_of_a_name_is_replaced_in_all_component_groups(text: str, redacted: str) -> None:
    assert redaction(GROUPS, "S1")(text) == redacted


@pytest.mark.parametrize(
    ("name", "text", "redacted"),
    [
        ("Müller^Jörg", "Mueller_Joerg T1 MULLER JORG", "S1 T1 S1"),
        ("Müller^Jörg", "Mu\u0308ller.zip", "S1.zip"),
        ("O'Brien^Ann", "OBRIEN_ANN", "S1"),
        ("Li^Bo", "li_bo LiBo Li Bo3", "S1 S1 S13"),
        ("Li^Bo", "Li T1, bold, a bo", "Li T1, bold, a bo"),
        ("Roe^P^A", "T2 PA P A", "T2 PA P A"),
        ("Roe^P^A", "P. Roe", "S1"),
        ("van der Berg^Ann", "van der Wiel", "van der Wiel"),
        ("van der Berg^Ann", "Ann van der Berg", "S1"),
        ("Head^Phantom", "Head T1 phantom", "Head T1 phantom"),
        ("T1^Phantom", "T1 phantom, T1", "S1, T1"),
        ("Doe^Jane^test2", "jane_doe T1 test", "S1 T1 test"),
        ("Doe^Jane^test2", "Jane", "Jane"),
        ("Test^Regression", "test regression", "S1"),
        ("Test^Regression", "regression of a test", "regression of a test"),
        ("Doe^Jane^2024", "2024 2024.5 Jane 2024", "2024 2024.5 S1"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동님 길동 T1 洪", "S1님 S1 T1 洪"),
    ],
)
def test_parts_that_are_also_ordinary_words_are_replaced_only_next_to_another_part(
    name: str, text: str, redacted: str
) -> None:
    assert redaction([{"PatientName": name}], "S1")(text) == redacted


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("山田^太郎", "utf-8"),
        ("洪^吉洞", "euc_kr"),
        ("홍^길동", "euc_kr"),
        ("王^小东", "gb18030"),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", "shift_jis"),
        ("Müller^Özil", "utf-8"),
        ("Иван^Петров", "iso8859-5"),
        ("Žagar^Špela", "iso8859-15"),
    ],
)
def test_a_name_that_a_converter_decoded_as_latin_1_is_replaced(name: str, encoding: str) -> None:
    parts = name.split("^")
    redact = redaction([{"PatientName": name}], "S1")
    assert redact("T1 " + "".join(parts).encode(encoding).decode("latin-1") + " x") == "T1 S1 x"
    assert redact("T1 " + parts[1].encode(encoding).decode("latin-1") + " x") == "T1 S1 x"


def test_a_name_in_jis_x_0212_is_replaced_without_its_escapes() -> None:
    redact = redaction([{"PatientName": "丂丄^太郎"}], "S1")
    assert redact('T1 0!0" x') == "T1 S1 x"


def test_the_session_id_is_not_replaced_in_itself() -> None:
    redact = redaction([{"PatientID": "HQ210", "PatientName": "Doe^Jane"}], "HQ210_Jane")
    assert redact("HQ210_Jane: HQ210 of Jane Doe") == "HQ210_Jane: HQ210_Jane of HQ210_Jane"


NO_PARTS = PARTICLES | PLACEHOLDER_WORDS
NAMES = st.lists(
    st.text("bcdfghjklmnpqrvw", min_size=2, max_size=6).filter(
        lambda word: len(set(word)) > 1 and word not in NO_PARTS
    ),
    min_size=2,
    max_size=3,
    unique=True,
)


@settings(max_examples=60)
@given(st.data(), NAMES)
def test_adjacent_parts_of_a_name_are_always_replaced(data: st.DataObject, parts: list[str]) -> None:
    separators = st.sampled_from([" ", "^", "_", "-", ", ", ".", "=", ""])
    others = st.sampled_from(["T1w", "scan 3", "tse_2d", "1.2.840", ""])
    text = data.draw(others)
    for _ in range(data.draw(st.integers(1, 3))):
        order = data.draw(st.permutations(parts))
        run = data.draw(separators).join(order[: data.draw(st.integers(2, len(order)))])
        text += (
            " " + data.draw(st.sampled_from([run, run.upper(), run.title()])) + data.draw(st.sampled_from([" ", "_"]))
        )
        text += data.draw(others)
    redacted = redaction([{"PatientName": "^".join(parts)}], "Q9")(text)
    either = "|".join(map(re.escape, sorted(parts, key=len, reverse=True)))
    assert not re.search(rf"(?<![a-z])(?:{either})[\s^=,._-]*(?:{either})(?![a-z])", redacted, re.IGNORECASE), redacted
    long = "|".join(part for part in parts if len(part) > 2)
    assert not long or not re.search(rf"(?<![a-z0-9])(?:{long})(?![a-z0-9])", redacted, re.IGNORECASE), redacted


@settings(max_examples=60)
@given(NAMES, st.text("aeiou \t0123456789._-", max_size=40))
def test_text_without_a_part_of_a_name_is_unchanged(parts: list[str], text: str) -> None:
    assert redaction([{"PatientName": "^".join(parts)}], "Q9")(text) == text


@pytest.mark.parametrize("text", ["Jane1.txt", "scan Doe2", "2Doe", "doe_3"])
def test_a_part_next_to_a_digit_is_replaced(text: str) -> None:
    redact = redaction([{"PatientID": "P1", "PatientName": "Doe^Jane"}], "S1")
    assert "doe" not in redact(text).casefold()
    assert "jane" not in redact(text).casefold()


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("ZagarS", "Q9S"),
        ("KZagar_T1", "KQ9_T1"),
        ("T1wZagar", "T1wQ9"),
        ("zagarMR", "Q9MR"),
        ("ZagarAna", "Q9"),
        ("SZagarScan2", "SQ9Scan2"),
        ("WIPZagarscan", "WIPQ9scan"),
        ("T1wZagarscan", "T1wQ9scan"),
        ("Zagars", "Zagars"),
        ("wipzagarscan", "wipzagarscan"),
        ("T1wŽagarscan xŽagar", "T1wQ9scan xQ9"),
        ("planned Hannover SCANAN", "planned Hannover SCANAN"),
        ("AnaS", "AnaS"),
        ("banana BANANA BanAna", "banana BANANA BanAna"),
    ],
)
def test_a_part_marked_by_capitals_in_joined_text_is_replaced(text: str, redacted: str) -> None:
    assert redaction([{"PatientName": "Zagar^Ana"}], "Q9")(text) == redacted


@pytest.mark.parametrize("name", ["Ann^Lee", "Head^Ann", "Rain^Bo"])
@pytest.mark.parametrize(
    "text", ["planned", "fleet", "Headneck", "BRAIN", "Brain", "overhead", "PLANNED", "T1_brain", "annual"]
)
def test_words_that_contain_a_part_of_a_name_are_kept(name: str, text: str) -> None:
    assert redaction([{"PatientName": name}], "Q9")(text) == text


@pytest.mark.parametrize(
    ("description", "text", "redacted"),
    [
        ("WIP zzyzx scan", "WIPzzyzxscan", "WIPQ9scan"),
        ("WIP ZZYZX SCAN", "x_WIPZZYZXSCAN_2", "x_WIPQ9SCAN_2"),
        ("t1 abe", "T1abe", "T1Q9"),
        ("abe t1", "abet1 abetter", "Q9t1 abetter"),
        ("rest of abe x", "restofabex lab exam", "restofQ9x lab exam"),
    ],
)
def test_a_description_without_spaces_is_redacted_like_one_with_spaces(
    description: str, text: str, redacted: str
) -> None:
    assert redaction([{"PatientName": "Zzyzx^Abe", "SeriesDescription": description}], "Q9")(text) == redacted


def test_institution_and_station_are_free_text() -> None:
    redact = redaction([{"PatientName": "Zagar^Ana"}], "Q9")
    header: dict[str, Value] = {"InstitutionName": "Zagar Clinic", "StationName": "MR Zagar", "SOPInstanceUID": "1.2"}
    assert redacted_header(header, redact) == {
        "InstitutionName": "Q9 Clinic",
        "StationName": "MR Q9",
        "SOPInstanceUID": "1.2",
    }


SPELLINGS = ["Müller^Jörg", "Mueller^Joerg", "Muller^Jorg", "MÜLLER^JÖRG", "Mu\u0308ller^Jo\u0308rg"]


@pytest.mark.parametrize("header", SPELLINGS)
@pytest.mark.parametrize("written", SPELLINGS)
def test_each_spelling_of_an_umlaut_is_found_with_each_other(header: str, written: str) -> None:
    redact = redaction([{"PatientName": header}], "S1")
    assert redact(f"T1 {written} x") == "T1 S1 x"
    for part in written.split("^"):
        assert redact(f"T1_{part}_x") == "T1_S1_x"


@pytest.mark.parametrize(
    ("name", "text", "redacted"),
    [
        ("Garcia^Inigo", "García T1 ÍÑIGO", "S1 T1 S1"),
        ("Łukasz^Ørsted", "Lukasz_Orsted ØRSTED", "S1 S1"),
        ("Groß^Ida", "GROSS T1 ida", "S1 T1 S1"),
        ("Zagar^Ana", "ZAGAR%5EANA.dcm zagar%20ana", "S1.dcm S1"),
        ("Zagar^Ana", "zagar%255Eana+x", "S1+x"),
        ("Müller^Jörg", "M%C3%BCller T1 m%fcller", "S1 T1 S1"),
        ("Müller^Jörg", "M\udcfcller J\udcf6rg", "S1"),
        ("Zagar^Ana", "zagar\\nana T1 zagar\\x1bana", "S1 T1 S1\\x1bS1"),
        ("Müller^Jörg", r"m\u00fcller J\xc3\xb6rg", "S1"),
        ("Zagar^Ana", "50% of 20%an C:\\names\\temp", "50% of 20%an C:\\names\\temp"),
    ],
)
def test_a_name_with_other_diacritics_or_escapes_is_replaced(name: str, text: str, redacted: str) -> None:
    assert redaction([{"PatientName": name}], "S1")(text) == redacted


def test_a_session_id_with_diacritics_is_not_replaced_in_itself() -> None:
    redact = redaction([{"PatientName": "Müller^Jörg"}], "Müller7")
    assert redact("Müller7: of Jörg in Muller7") == "Müller7: of Müller7 in Muller7"


def test_a_search_takes_no_more_steps_for_thousands_of_names() -> None:
    letters = "bcdfghjklmnpqrstvwxz"

    def steps(count: int) -> int:
        words = [f"{a}{b}a{c}i{d}" for a in letters for b in letters for c in letters for d in letters]
        headers = [
            {"PatientName": f"{word}^{word[::-1]}", "PatientID": f"ID{k}"} for k, word in enumerate(words[:count])
        ]
        redact = redaction(headers, "S1")
        assert isinstance(redact, Redaction)
        before = redact.search.steps
        for word in words[:100]:
            assert word not in redact(f"/in/{word}/T1w of {word[::-1]} in IM0001, ID7 and nobody else")
        return redact.search.steps - before

    assert steps(4000) < 2 * steps(100)


@pytest.mark.parametrize("name", ["Doering", "Doer"])
@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        ("T1{}", 3),
        ("{}S", 4),
        ("K{}", 4),
        ("WIP{}scan", 5),
        ("plan{}scan", 5),
        ("{}scan", math.inf),
        ("T1{}scan", math.inf),
    ],
)
def test_a_joined_part_is_replaced_as_the_guarantees_say(name: str, text: str, shortest: float) -> None:
    redact = redaction([{"PatientName": f"{name}^Jo"}], "S1")
    assert redact(text.format(name)) == text.format("S1" if len(name) >= shortest else name)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Müller", "latin-1"),
        ("Müller", "cp437"),
        ("MÜLLER", "mac-roman"),
        ("Dvořák", "iso8859-2"),
        ("DVOŘÁK", "cp1250"),
        ("Иванов", "iso8859-5"),
        ("ИВАНОВ", "koi8-r"),
        ("王小东", "gb18030"),
        ("小小", "gb18030"),
        ("山田", "euc_jp"),
    ],
)
def test_a_name_in_bytes_of_any_encoding_is_replaced(name: str, encoding: str) -> None:
    redact = redaction([{"PatientName": f"{name.title()}^Q"}], "S1")
    data = name.encode(encoding)
    assert redact((b"T1 " + data + b" x").decode("utf-8", "surrogateescape")) == "T1 S1 x"
    escaped = "".join(f"%{byte:02X}" for byte in data)
    assert redact(f"T1 {escaped} x") == "T1 S1 x"


@pytest.mark.parametrize("text", ["Müllner Dvořan Иван 小 山", "T1 \udcfc\udce4 \udcd0\udca1 x"])
def test_other_words_beyond_ascii_are_kept(text: str) -> None:
    names = ("Müller^X", "Dvořák^X", "Иванов^X", "王小东", "山田^太郎")
    assert redaction([{"PatientName": name} for name in names], "S1")(text) == text


def test_a_name_in_utf_8_is_found_though_its_header_does_not_name_the_character_set() -> None:
    redact = redaction([{"PatientName": "Müller^Jörg".encode().decode("latin-1")}], "S1")
    assert redact("T1 Müller MÃ¼ller muller_jorg") == "T1 S1 S1 S1"


@pytest.mark.parametrize("cut", range(1, 12))
def test_the_beginning_of_a_name_at_the_cut_end_of_a_description_is_replaced(cut: int) -> None:
    description = f"{'ab ' * 20}Zagarovanova, Anna-Lena"
    redact = redaction([{"PatientName": "Zagarovanova^Anna", "SeriesDescription": description}], "S1")
    text = f"seqName:'{description[: 60 + cut]}' x, Z, ab za"
    assert redact(text) == f"seqName:'{'ab ' * 20}S1' x, Z, ab za"
