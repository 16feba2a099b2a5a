"""Values of a protocol: accepted notations, and the facts that agree with them."""

import tomllib

import pytest

from qxbatch.protocol.fields import FIELDS
from qxbatch.protocol.values import (
    CountRange,
    ExpectedNumbers,
    WrongValueError,
    actual_text,
    read_count_range,
    read_expectation,
    rounded_text,
    toml_string,
)


def agrees(field: str, value: object, fact: object) -> bool:
    """Return whether a fact agrees with a value of a protocol."""
    return read_expectation(FIELDS[field], value).agrees(fact)


@pytest.mark.parametrize("written", ["2000 ± 1", "2000±1", "2000 +- 1", "2000+/-1", " 2000 ±1 ", 2000, 2000.0, "2000"])
def test_a_tolerance_can_be_written_in_several_ways(written: object) -> None:
    assert agrees("tr_ms", written, 2000.9)
    assert agrees("tr_ms", written, 1999.0)
    assert not agrees("tr_ms", written, 2001.5)


def test_a_value_that_was_rounded_as_it_was_written_agrees() -> None:
    fact = 1.234564
    assert agrees("tr_ms", f"{rounded_text(fact)} ± 0", fact)


def test_a_tolerance_can_be_a_percentage() -> None:
    assert agrees("tr_ms", "2000 ± 5%", 2099)
    assert not agrees("tr_ms", "2000 ± 5%", 2101)


def test_a_tolerance_of_zero_ignores_only_rounding_errors() -> None:
    assert agrees("te_ms", ["2.46 ± 0"], (2.4600001,))
    assert not agrees("te_ms", ["2.46 ± 0"], (2.461,))


def test_a_number_without_a_tolerance_has_the_default_of_its_field() -> None:
    assert agrees("te_ms", 2.46, (2.47,))
    assert not agrees("te_ms", 2.46, (2.5,))
    assert not agrees("matrix", [64, 64, 36], (64, 64, 35))


def test_every_echo_time_is_compared() -> None:
    echoes = ["13 ± 0.1", "31 ± 0.1", 49]
    assert agrees("te_ms", echoes, (13.05, 31.0, 49.0))
    assert not agrees("te_ms", echoes, (13.0, 31.0))
    assert not agrees("te_ms", echoes, (13.0, 31.0, 50.0))


def test_a_text_can_be_one_of_several_ignoring_case() -> None:
    assert agrees("coil", ["Head_32", "Head_64"], "HEAD_64")
    assert not agrees("coil", "Head_32", "Head_64")


def test_an_unknown_value_agrees_with_nothing() -> None:
    assert not agrees("coil", "None", None)
    assert not agrees("tr_ms", 0, None)
    assert not agrees("b_values", {"0": 1}, None)


@pytest.mark.parametrize(
    "fact", [((0.0, 7), (1000.0, 64)), ((5.0, 7), (995.0, 32), (1005.0, 32)), ((0.0, 6), (50.0, 1), (990.0, 64))]
)
def test_similar_b_values_are_one_shell(fact: object) -> None:
    assert agrees("b_values", {"0": 7, "1000": 64}, fact)


@pytest.mark.parametrize("fact", [((0.0, 7), (1000.0, 63)), ((0.0, 7), (1200.0, 64)), ((0.0, 7),), ()])
def test_other_shells_differ(fact: object) -> None:
    assert not agrees("b_values", {"0": 7, "1000": 64}, fact)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tr_ms", "two seconds"),
        ("tr_ms", "2000 ± x"),
        ("tr_ms", "± 1"),
        ("tr_ms", "2000 ± -1"),
        ("tr_ms", True),
        ("tr_ms", [2000]),
        ("tr_ms", float("nan")),
        ("tr_ms", float("inf")),
        pytest.param("tr_ms", 10**400, id="an integer too large for a float"),
        pytest.param("tr_ms", f"{'9' * 400} ± 1", id="a text too large for a float"),
        pytest.param("tr_ms", f"30 ± {'9' * 400}", id="a tolerance too large for a float"),
        ("tr_ms", "٣"),
        ("te_ms", []),
        ("te_ms", [None]),
        ("coil", 32),
        ("coil", []),
        ("coil", ""),
        ("b_values", {}),
        ("b_values", [0, 1000]),
        ("b_values", {"0": 0}),
        ("b_values", {"low": 3}),
        ("b_values", {"0": True}),
    ],
)
def test_an_invalid_value_is_refused(field: str, value: object) -> None:
    with pytest.raises(WrongValueError):
        read_expectation(FIELDS[field], value)


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [(1, 1, 1), ("1", 1, 1), ("0-1", 0, 1), ("1 – 2", 1, 2), ("300 ± 5", 295, 305), ("1 +- 3", 0, 4)],
)
def test_a_count_can_be_a_range(written: object, least: int, most: int) -> None:
    assert read_count_range(written) == CountRange(least, most)


@pytest.mark.parametrize("written", [0, -1, 1.5, True, "", "2-1", "0", "one", "1-", None, [1]])
def test_an_invalid_count_is_refused(written: object) -> None:
    with pytest.raises(WrongValueError):
        read_count_range(written)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tr_ms", "2000 ± 1"),
        ("te_ms", ["13 ± 0.1", "31.25 ± 0.1"]),
        ("matrix", [64, 64, 36]),
        ("b_values", {"0": 7, "1000": 64}),
        ("coil", ['T:HEA "x"\\', "zwölf\n"]),
        ("effective_echo_spacing_s", "0.00051 ± 0.000005"),
    ],
)
def test_a_value_written_as_toml_is_read_back(field: str, value: object) -> None:
    before = read_expectation(FIELDS[field], value)
    assert read_expectation(FIELDS[field], tomllib.loads(f"x = {before.toml}")["x"]) == before


def test_any_text_can_be_written_as_toml() -> None:
    text = "".join(map(chr, range(0x500))) + "\U0001f9e0\u2028"
    assert tomllib.loads(f"x = {toml_string(text)}")["x"] == text


def test_facts_are_printed_without_rounding_errors() -> None:
    assert actual_text(2.4600001) == "2.46"
    assert actual_text((64, 64, 36)) == "64, 64, 36"
    assert actual_text(((0.0, 7), (1000.0, 64))) == "b0 x 7, b1000 x 64"
    assert actual_text(None) is None
    assert actual_text(float("inf")) == "inf"
    assert ExpectedNumbers((2000.0,), (1.0,)).text == "2000 ± 1"
