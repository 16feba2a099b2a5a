"""A session compared with a protocol: each difference is listed once."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from qxbatch.acquisition import Acquisition, ImageKind, SeriesVerdict
from qxbatch.protocol.check import SessionCheck, check_session
from qxbatch.protocol.difference import DifferenceKind, differences_text
from qxbatch.protocol.fields import FIELDS
from qxbatch.protocol.model import ONCE, ExpectedSeries, Protocol, SeriesParameters
from qxbatch.protocol.scanned import ScannedSeries, scanner_name
from qxbatch.protocol.values import CountRange, read_expectation
from tests.build.scanned import DWI, LOCALIZER, PRISMA, REST, SHORT, SKYRA, T1, series, session

MAGNITUDE = frozenset({ImageKind.MAGNITUDE})


def parameters(volumes: int | None = None, **values: object) -> SeriesParameters:
    """Return expected values as read from a protocol file."""
    read = {name: read_expectation(FIELDS[name], value) for name, value in values.items()}
    return SeriesParameters(read, None if volumes is None else CountRange(volumes, volumes))


def expected(name: str, volumes: int | None = None, count: CountRange = ONCE, **values: object) -> ExpectedSeries:
    """Return an entry for magnitude images."""
    return ExpectedSeries(name, MAGNITUDE, count, parameters(volumes, **values))


ENTRY = expected("rest", 300, tr_ms=2000, phase_encoding_direction="j-")


def check(*scanned: ScannedSeries, entries: tuple[ExpectedSeries, ...] = (ENTRY,), **protocol: object) -> SessionCheck:
    """Compare a session that has these series with a protocol."""
    return check_session(Protocol(entries, path=Path("p.toml"), **protocol), session("S1", *scanned))  # type: ignore[arg-type]


def listed(checked: SessionCheck) -> list[tuple[str, int | None, str, str, str | None]]:
    """Return the differences without names and notes."""
    return [
        (each.kind.value, each.series_number, each.field, each.expected, each.actual) for each in checked.differences
    ]


def test_a_session_as_planned_has_no_difference() -> None:
    assert check(series("rest")).differences == ()
    assert check(series("REST")).differences == (), "case is ignored"


def test_a_missing_series_is_listed() -> None:
    assert listed(check()) == [("missing", None, "count", "1", "0")]
    assert differences_text(check().differences) == "rest: missing"


def test_an_unexpected_series_is_listed_unless_it_is_a_localizer() -> None:
    checked = check(series("rest"), series("localizer", 1, LOCALIZER), series("t2", 9))
    assert listed(checked) == [("extra", 9, "count", "0", "1")]


def test_a_report_is_expected_only_if_an_entry_names_it() -> None:
    spectrum = Acquisition(acquired_volumes=None)
    report = replace(series("svs_se", 8, spectrum), verdict=SeriesVerdict.NOT_EVALUABLE)
    entries = (ExpectedSeries("svs_se"),)
    assert check(report, entries=entries).differences == ()
    assert check(report, replace(report, n=90), entries=entries).differences == (), "a second report is no repeat"
    assert [each.kind.value for each in check(entries=entries).differences] == ["missing"]
    assert [each.kind.value for each in check(report, entries=(expected("svs_se"),)).differences] == ["missing"]


def test_a_different_parameter_has_both_values() -> None:
    checked = check(series("rest", tr_ms=2500.0))
    assert listed(checked) == [("parameter", 5, "tr_ms", "2000 ± 1", "2500")]
    assert differences_text(checked.differences) == "series 5 (rest): tr_ms is 2500, expected 2000 ± 1"


def test_a_value_that_no_header_contains_is_unknown() -> None:
    checked = check(series("rest", tr_ms=None))
    assert listed(checked) == [("parameter", 5, "tr_ms", "2000 ± 1", None)]
    assert "tr_ms is not known" in differences_text(checked.differences)


def test_a_factor_that_no_header_contains_is_1() -> None:
    entry = expected("rest", multiband_factor=3, in_plane_acceleration=1)
    assert listed(check(series("rest"), entries=(entry,))) == [("parameter", 5, "multiband_factor", "3", "1")]


@pytest.mark.parametrize(
    ("direction", "axis", "actual"),
    [("j", None, ["j"]), ("i", None, ["i"]), (None, "j", []), (None, "i", [None]), ("j-", None, [])],
)
def test_a_flipped_direction_is_a_difference_and_an_unknown_polarity_is_not(
    direction: str | None, axis: str | None, actual: list[str | None]
) -> None:
    scanned = series("rest", phase_encoding_direction=direction, phase_encoding_axis=axis)
    assert [each.actual for each in check(scanned).differences] == actual


@pytest.mark.parametrize("axis", ["i", "j"])
def test_an_unknown_polarity_is_compared_with_each_allowed_direction(axis: str) -> None:
    entry = expected("rest", phase_encoding_direction=["j", "j-"])
    scanned = series("rest", phase_encoding_direction=None, phase_encoding_axis=axis)
    assert len(check(scanned, entries=(entry,)).differences) == (axis != "j")


def test_a_large_range_of_volumes_needs_no_memory() -> None:
    entry = replace(ENTRY, parameters=SeriesParameters({}, CountRange(1, 1_000_000)))
    tracemalloc.start()
    assert check(series("rest"), entries=(entry,)).differences == ()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_missing_volumes_are_listed_once() -> None:
    assert listed(check(series("rest", **SHORT))) == [("volumes", 5, "volumes", "300", "212")]
    assert check(series("rest", **SHORT)).differences[0].note == "22 slices missing"


def test_fewer_volumes_than_the_protocol_are_listed_without_a_planned_number() -> None:
    assert listed(check(series("rest", planned_volumes=None, complete_volumes=150))) == [
        ("volumes", 5, "volumes", "300", "150")
    ]


def test_fewer_volumes_than_planned_are_listed_without_an_expected_number() -> None:
    assert listed(check(series("rest", **SHORT), entries=(expected("rest"),))) == [
        ("volumes", 5, "volumes", "300", "212")
    ]


def test_a_number_of_volumes_in_the_expected_range_is_no_difference() -> None:
    entry = replace(ENTRY, parameters=SeriesParameters({}, CountRange(200, 300)))
    assert check(series("rest", **SHORT), entries=(entry,)).differences == ()


def test_more_volumes_than_expected_are_a_different_parameter() -> None:
    assert listed(check(series("rest", planned_volumes=320, acquired_volumes=320, complete_volumes=320))) == [
        ("parameter", 5, "volumes", "300", "320")
    ]


def test_a_volume_with_missing_slices_is_not_complete() -> None:
    short = series("t1", facts=T1, complete_volumes=0, missing_slices=14)
    checked = check(short, entries=(expected("t1", 1),))
    assert listed(checked) == [("volumes", 5, "volumes", "1", "0")]
    assert checked.differences[0].note == "14 slices missing"
    assert listed(check(short, entries=(expected("t1"),))) == [("volumes", 5, "volumes", "1", "0")]


def test_b_values_of_an_interrupted_diffusion_scan_are_not_compared() -> None:
    entry = expected("dwi", 97, b_values={"0": 7, "1000": 30, "2000": 60})
    short = series("dwi", facts=DWI, complete_volumes=40, b_values=((0.0, 3), (1000.0, 10), (2000.0, 27)))
    assert [each.field for each in check(short, entries=(entry,)).differences] == ["volumes"]
    other = series("dwi", facts=DWI, b_values=((0.0, 7), (1500.0, 90)))
    assert [each.field for each in check(other, entries=(entry,)).differences] == ["b_values"]


def test_the_repeat_of_an_interrupted_series_is_kept_and_listed_once() -> None:
    checked = check(series("rest", 5, **SHORT), series("rest", 7))
    assert listed(checked) == [("repeated", 5, "count", "1", "2")]
    assert checked.differences[0].note == "incomplete, 212 of 300 volumes"
    assert checked.repeated_n == frozenset()
    assert [each.series_number for each in checked.entry_checks[0].selected_series] == [7]


def test_the_second_and_third_series_of_a_name_are_repeats() -> None:
    checked = check(series("rest", 5), series("rest", 7), series("rest", 9))
    assert [(each.kind, each.series_number) for each in checked.differences] == [
        (DifferenceKind.REPEATED, 7),
        (DifferenceKind.REPEATED, 9),
    ]
    assert checked.repeated_n == {70, 90}


def test_a_repeat_with_the_right_parameters_is_kept() -> None:
    checked = check(series("rest", 5, tr_ms=2500.0), series("rest", 7))
    assert listed(checked) == [("repeated", 5, "count", "1", "2")]
    assert checked.differences[0].note == "tr_ms 2500"
    assert checked.repeated_n == {50}


def test_the_later_series_is_the_repeat() -> None:
    first, second = series("rest", 9, started="2024-01-15T10:00:00"), series("rest", 5, started="2024-01-15T11:00:00")
    assert check(second, first).repeated_n == {50}


def test_a_series_interrupted_twice_is_incomplete_and_repeated() -> None:
    checked = check(series("rest", 5, **SHORT), series("rest", 7, acquired_volumes=100, complete_volumes=100))
    assert [(each.kind.value, each.series_number) for each in checked.differences] == [("volumes", 5), ("repeated", 7)]


def test_an_expected_number_of_series_has_no_repeats() -> None:
    twice = (expected("rest", count=CountRange(1, 2)),)
    assert check(series("rest", 5), series("rest", 7), entries=twice).differences == ()
    assert check(series("rest", 5), entries=twice).differences == ()
    assert listed(check(entries=twice)) == [("missing", None, "count", "1-2", "0")]
    assert check(entries=(expected("rest", count=CountRange(0, 1)),)).differences == ()


def test_one_of_two_runs_is_missing() -> None:
    checked = check(series("rest"), entries=(expected("rest", count=CountRange(2, 2)),))
    assert differences_text(checked.differences) == "rest: found 1, expected 2"


def test_magnitude_and_phase_of_one_name_are_separate_entries() -> None:
    entries = (ENTRY, replace(ENTRY, kinds=frozenset({ImageKind.PHASE})))
    phase = series("rest", 6, kinds=(ImageKind.PHASE,))
    assert check(series("rest", 5), phase, entries=entries).differences == ()
    assert listed(check(series("rest", 5), entries=entries)) == [("missing", None, "count", "1", "0")]


def test_a_series_of_another_kind_is_one_difference() -> None:
    checked = check(series("rest", kinds=(ImageKind.MAGNITUDE, ImageKind.PHASE)))
    assert listed(checked) == [("parameter", 5, "kinds", "magnitude", "magnitude, phase")]


def test_a_series_without_facts_is_not_missing() -> None:
    assert check(series("rest", facts=None)).differences == ()


def test_a_full_name_has_priority_over_a_pattern() -> None:
    entries = (expected("rest*", 100), expected("rest_2", 300))
    checked = check(series("rest_1", complete_volumes=100, planned_volumes=100), series("rest_2"), entries=entries)
    assert checked.differences == ()


def test_a_wildcard_character_can_be_escaped() -> None:
    entries = (expected("t2[*]_gre"),)
    assert check(series("t2*_gre"), entries=entries).differences == ()
    assert not entries[0].is_pattern
    assert [each.kind.value for each in check(series("t2x_gre"), entries=entries).differences] == ["missing", "extra"]


def test_values_of_a_scanner_replace_the_general_ones() -> None:
    entry = replace(ENTRY, by_scanner={SKYRA: parameters(200, tr_ms=2500)})
    on_skyra = series("rest", scanner=SKYRA, tr_ms=2500.0, planned_volumes=200, complete_volumes=200)
    assert check(on_skyra, entries=(entry,)).differences == ()
    assert [each.field for each in check(series("rest", scanner=SKYRA), entries=(entry,)).differences] == [
        "tr_ms",
        "volumes",
    ]


def test_a_series_of_one_scanner_is_not_expected_on_another() -> None:
    entries = (ENTRY, replace(expected("t1"), scanners=(SKYRA,)))
    assert check(series("rest"), entries=entries).differences == ()
    assert listed(check(series("rest"), series("t1", 2, T1), entries=entries)) == [("extra", 2, "count", "0", "1")]


def test_another_scanner_or_software_is_listed_once_for_a_session() -> None:
    scanners = {PRISMA: ("syngo MR E11",), SKYRA: ()}
    assert check(series("rest"), scanners=scanners).differences == ()
    upgraded = check(series("rest", software="syngo MR XA30"), series("rest", 6), scanners=scanners)
    both = check(series("rest", software="syngo MR XA30"), scanners=scanners)
    assert listed(both) == [("parameter", None, "software", "syngo MR E11", "syngo MR XA30")]
    assert differences_text(both.differences) == "software is syngo MR XA30, expected syngo MR E11"
    assert [each.kind.value for each in upgraded.differences] == ["repeated"]
    other = series("rest", scanner="GE SIGNA Architect")
    assert listed(check(other, scanners=scanners)) == [
        ("parameter", None, "scanner", f"{PRISMA} or {SKYRA}", "GE SIGNA Architect")
    ]
    assert check(series("rest", scanner=SKYRA, software="any"), scanners=scanners).differences == ()


def test_each_series_is_compared_with_the_values_for_its_scanner() -> None:
    entry = replace(expected("t1", tr_ms=2300), by_scanner={SKYRA: parameters(tr_ms=1900)})
    rest = (series("rest", 3), series("rest_2", 4))
    entries = (ENTRY, expected("rest_2"), entry)
    assert check(*rest, series("t1", 2, T1, scanner=SKYRA, tr_ms=1900.0), entries=entries).differences == ()
    assert [each.field for each in check(*rest, series("t1", 2, T1, scanner=SKYRA), entries=entries).differences] == [
        "tr_ms"
    ]


def test_a_series_belongs_first_to_an_entry_for_its_scanner() -> None:
    entries = (
        replace(ENTRY, scanners=(PRISMA,)),
        replace(expected("rest", 300, tr_ms=2500), scanners=(SKYRA,)),
        replace(expected("dwi"), scanners=(SKYRA,)),
    )
    on_skyra = series("rest", 6, scanner=SKYRA, tr_ms=2500.0)
    checked = check(series("t1", 1, T1), series("rest", 3), on_skyra, entries=(*entries, expected("t1")))
    assert checked.differences == (), "no series of another scanner is missing"
    assert [len(each.selected_series) for each in checked.entry_checks] == [1, 1, 1]
    only_first = check(series("t1", 1, T1), series("rest", 3, scanner=SKYRA), entries=(entries[0], expected("t1")))
    assert only_first.differences == (), "an entry for the scanner of most series, if there is no other"


def test_each_scanner_of_a_session_must_be_listed() -> None:
    scanners = {PRISMA: ("syngo MR E11",), SKYRA: ("syngo MR E11",)}
    rest = series("rest", 3)
    others = {
        "Unlisted X": [("parameter", None, "scanner", f"{PRISMA} or {SKYRA}", "Unlisted X")],
        SKYRA: [],
        "Siemens": [],
        "": [],
    }
    entries = (ENTRY, expected("t1"))
    for scanner, differences in others.items():
        checked = check(rest, series("t1", 4, T1, scanner=scanner), entries=entries, scanners=scanners)
        assert listed(checked) == differences
    upgraded = series("t1", 4, T1, scanner=SKYRA, software="XA30")
    assert [each.actual for each in check(rest, upgraded, entries=entries, scanners=scanners).differences] == ["XA30"]
    derived = series("t1", 4, T1, scanner="Workstation X", kinds=(ImageKind.DERIVED,))
    any_kind = replace(expected("t1"), kinds=None)
    assert check(rest, derived, entries=(ENTRY, any_kind), scanners=scanners).differences == ()


def test_a_message_has_the_first_ten_differences() -> None:
    checked = check(*(series(f"x{k}", k) for k in range(20)), series("rest", 30))
    assert differences_text(checked.differences).endswith("series 9 (x9): not expected; 10 more")


def test_a_scanner_is_named_by_manufacturer_and_model() -> None:
    assert scanner_name("Siemens HealthCare GmbH", "Prisma_fit") == "Siemens Prisma_fit"
    assert scanner_name("TOSHIBA_MEC", "Titan3T") == scanner_name("CANON_MEC", "Titan3T") == "Canon Titan3T"
    assert scanner_name("GEneric", "M1") == "GEneric M1", "`ge` is a word"
    assert scanner_name("", "") == ""
    assert REST.software
