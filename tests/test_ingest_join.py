"""The rule that decides which parts are one scan, on constructed facts (docs/numbers.md)."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.ingest.join import scans_to_join
from qxbatch.ingest.scan_part import Instance, ScanPart
from tests.build.parts import FILE, part, parts, started, volume


def test_volumes_with_the_same_series_number_are_one_scan() -> None:
    assert scans_to_join(parts(volume(1), volume(2), volume(3))) == [(0, 1, 2)]


def test_slices_with_the_same_series_number_are_one_scan() -> None:
    assert scans_to_join(parts(*([each] for each in volume()))) == [(0, 1, 2)]


def test_slices_of_several_volumes_are_one_scan() -> None:
    assert scans_to_join(parts(*([each] for each in (*volume(1), *volume(2))))) == [(0, 1, 2, 3, 4, 5)]


def test_parts_with_a_missing_slice_are_one_scan() -> None:
    assert scans_to_join(parts(*([each] for each in volume(places=(0, 4, 12, 16))))) == [(0, 1, 2, 3)]


def test_the_last_volume_may_be_incomplete() -> None:
    assert scans_to_join(parts(volume(1), volume(2), volume(3, (0, 4)))) == [(0, 1, 2)]


def test_the_temporal_position_distinguishes_volumes_too() -> None:
    assert scans_to_join(parts(volume(1, temporal_position=1), volume(1, temporal_position=2))) == [(0, 1)]


@pytest.mark.parametrize("acquisition", [1, None])
def test_a_repeated_position_without_another_acquisition_number_keeps_parts_apart(acquisition: int | None) -> None:
    assert scans_to_join(parts(volume(acquisition), volume(acquisition))) == []


def test_an_acquisition_number_that_only_some_files_have_is_ignored() -> None:
    assert scans_to_join(parts(volume(1), volume(None))) == []


def test_a_part_with_two_volumes_keeps_all_parts_apart() -> None:
    assert scans_to_join(parts(volume(1), volume(2), [*volume(3), *volume(4)])) == []


@pytest.mark.parametrize("shift", [0.3, 1.0, 2.0])
def test_a_stack_shifted_by_less_than_a_slice_is_another_scan(shift: float) -> None:
    assert scans_to_join(parts(volume(1), volume(1, (shift, 4 + shift, 8 + shift)))) == []


def test_a_stack_shifted_in_plane_is_another_scan() -> None:
    assert scans_to_join(parts(volume(1), volume(2, position=(-9.0, -10.0, 0.0)))) == []


def test_positions_that_differ_by_rounding_are_equal() -> None:
    assert scans_to_join(parts(volume(1), volume(2, (0.001, 4.001, 7.999)))) == [(0, 1)]
    assert scans_to_join(parts(volume(1), volume(1, (0.001, 4.001, 7.999)))) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": ("T2*", "P")},
        {"repetition_time": (2030.0,)},
        {"repetition_time": ()},
        {"measures": ((3.0, 3.0), (32.5,))},
        {"measures": ((3.0, 3.1), (30.0,))},
        {"measures": ((3.0, 3.0), ())},
        {"orientation": (1.0, 0.0, 0.0, 0.0, 0.995, 0.0998)},
        {"frame_of_reference": "1.8"},
    ],
)
def test_one_fact_that_differs_keeps_parts_apart(facts: dict[str, Any]) -> None:
    assert scans_to_join(parts(volume(1), volume(2, **facts))) == []


def test_a_later_file_that_differs_keeps_parts_apart() -> None:
    first, *others = volume(2)
    assert scans_to_join(parts(volume(1), [first, *(replace(each, kind=("other",)) for each in others)])) == []


def test_values_may_differ_by_rounding() -> None:
    near: dict[str, Any] = {"measures": ((3.0001, 3.0), (30.0004,)), "orientation": (1.0, 0.0002, 0.0, 0.0, 1.0, 0.0)}
    near["repetition_time"] = (2015.0,)
    assert scans_to_join(parts(volume(1), volume(2, **near))) == [(0, 1)]


def test_another_patient_is_another_scan() -> None:
    assert scans_to_join([part(volume(1)), part(volume(2), patient="p2")]) == []


@pytest.mark.parametrize(
    ("numbers", "scans"),
    [
        ((5001, 5002), [(0, 1)]),
        ((5002, 5001), [(0, 1)]),
        ((1, 2), []),
        ((5, 6), []),
        ((5, 5001), []),
        ((5000, 5001), []),
        ((5001, 6001), []),
        ((5002, 5003), []),
        ((1101, 1201), []),
        ((5001, 5003), []),
    ],
)
def test_series_numbers_of_one_scan_are_equal_or_consecutive_within_a_thousand(
    numbers: tuple[int, int], scans: list[tuple[int, ...]]
) -> None:
    members = [part(volume(k), number) for k, number in enumerate(numbers, start=1)]
    assert scans_to_join(members) == scans


def test_only_some_scanners_number_parts_within_a_thousand() -> None:
    members = [part(volume(k), 7000 + k, thousands=False) for k in (1, 2)]
    assert scans_to_join(members) == []
    assert scans_to_join([*members, part(volume(3), 7001, thousands=False)]) == [(0, 2)]


def test_two_scans_in_parts_are_joined_by_series_number() -> None:
    members = [part(volume(k), number) for number in (1101, 1201) for k in (1, 2)]
    assert scans_to_join(members) == [(0, 1), (2, 3)]


@pytest.mark.parametrize(
    ("frames", "scans"),
    [(("1.9", "1.9"), [(0, 1)]), (("1.9", "1.8"), []), (("1.9", ""), []), (("", ""), [])],
)
def test_parts_of_two_studies_need_the_same_frame_of_reference(
    frames: tuple[str, str], scans: list[tuple[int, ...]]
) -> None:
    members = [
        part(volume(k, frame_of_reference=frame, starts=started(k)), study=f"1.{k}")
        for k, frame in enumerate(frames, start=1)
    ]
    assert scans_to_join(members) == scans


def test_within_a_study_the_frame_of_reference_may_be_absent() -> None:
    assert scans_to_join(parts(volume(1), volume(2, frame_of_reference=""), volume(3))) == [(0, 1, 2)]


def test_two_visits_in_parts_are_joined_by_study() -> None:
    members = [part(volume(k), study=study) for study in ("1.1", "1.2") for k in (1, 2)]
    assert scans_to_join(members) == [(0, 1), (2, 3)]


def test_mosaics_are_joined_as_volumes_and_never_as_slices() -> None:
    assert scans_to_join(parts(*(volume(k, (0,), is_volume=True) for k in (1, 2)))) == [(0, 1)]
    assert scans_to_join(parts(*(volume(1, (place,), is_volume=True) for place in (0, 4)))) == []
    assert scans_to_join(parts(*(volume(k, (0, 4), is_volume=True) for k in (1, 2)))) == []


def test_a_part_that_cannot_be_joined_does_not_affect_others() -> None:
    assert scans_to_join([None, *parts(volume(1), volume(2))]) == [(1, 2)]
    assert scans_to_join([ScanPart("p1", 5, "1.1", FILE, lambda: [FILE, None]), part(volume(2))]) == []


@pytest.mark.parametrize("orientation", [(0.0,) * 6, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), (math.nan,) * 6])
def test_parts_with_an_invalid_orientation_are_never_joined(orientation: tuple[float, ...]) -> None:
    assert scans_to_join(parts(*(volume(k, (0,), orientation=orientation) for k in (1, 2)))) == []


def test_later_files_are_not_read_if_the_first_files_differ() -> None:
    def read_all() -> list[Instance]:
        raise AssertionError

    first = volume(1)[0]
    others = (
        replace(first, kind=("T1",)),
        replace(first, measures=((1.0, 1.0), (30.0,))),
        replace(first, frame_of_reference="1.7"),
    )
    members = [ScanPart("p1", 5, "1.1", each, read_all) for each in (first, *others)]
    assert scans_to_join([*members, ScanPart("p1", 6, "1.1", first, read_all)]) == []


def test_reading_a_part_stops_at_its_first_repeated_position() -> None:
    examined = []

    def many() -> Iterable[Instance]:
        for acquisition in range(1, 1000):
            for each in volume(acquisition):
                examined.append(each)
                yield each

    assert scans_to_join([ScanPart("p1", 5, "1.1", FILE, many), part(volume(2000))]) == []
    assert len(examined) == 4


@given(st.permutations([volume(k) for k in range(1, 6)]))
def test_the_order_of_parts_does_not_matter(files: list[list[Instance]]) -> None:
    assert scans_to_join(parts(*files)) == [(0, 1, 2, 3, 4)]


def test_stacks_with_a_gap_between_them_are_two_scans() -> None:
    assert scans_to_join(parts(volume(1), volume(1, (12, 16, 20)))) == [(0, 1)]
    assert scans_to_join(parts(volume(1), volume(1, (24, 28, 32)))) == []
