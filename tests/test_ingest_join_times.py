"""Parts of one scan are acquired one after another (docs/numbers.md)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from qxbatch.ingest.join import scans_to_join
from qxbatch.ingest.scan_part import ScanPart
from qxbatch.ingest.starts import NO_STARTS, Start
from tests.build.parts import FILE, part, parts, run, started, volume

HOUR = 3600.0
EVENING = 86398.0


def of_study(study: str, parts: Sequence[ScanPart]) -> list[ScanPart]:
    return [replace(each, study=study) for each in parts]


def slices(volumes: int, interval: float, repetition: float, *, first: int = 1, begin: float = 0.0) -> list[ScanPart]:
    """Return parts of one slice; slices start `interval` seconds apart, volumes `repetition` seconds."""
    return parts(
        *(
            volume(first + k, (4 * z,), starts=started(begin + k * repetition + z * interval))
            for k in range(volumes)
            for z in range(3)
        )
    )


def contents(*seconds: float) -> list[ScanPart]:
    """Return volumes that differ only in their ContentTime."""
    acquired = Start(1, 100.0)
    return parts(
        *(volume(k, starts=(acquired, acquired, Start(1, second))) for k, second in enumerate(seconds, start=1))
    )


@pytest.mark.parametrize("gap", [61, HOUR, 9 * HOUR])
def test_a_scan_repeated_later_is_another_scan(gap: float) -> None:
    assert scans_to_join(run(0, gap)) == []
    first, second = run(0, gap)
    assert scans_to_join([replace(first, study="1.2"), second]) == []


def test_volumes_that_start_within_a_minute_are_one_scan() -> None:
    assert scans_to_join(run(0, 60)) == [(0, 1)]


@pytest.mark.parametrize("pause", [600, 40, 11])
@pytest.mark.parametrize("first", [5, 1])
def test_two_runs_in_parts_are_two_scans(pause: float, first: int) -> None:
    """The acquisition numbers of the second run continue or start again at 1."""
    members = [*run(0, 2, 4, 6), *run(*(6 + pause + k for k in (0, 2, 4, 6)), first=first)]
    assert scans_to_join(members) == [(0, 1, 2, 3), (4, 5, 6, 7)]


def test_a_pause_of_a_few_repetitions_starts_no_new_scan() -> None:
    assert scans_to_join(run(0, 0.5, 1, 5.5, 6)) == [(0, 1, 2, 3, 4)]
    assert scans_to_join(run(0, 10, 20, 70)) == [(0, 1, 2, 3)]
    assert scans_to_join(run(0, 2, 4, 12)) == [(0, 1, 2, 3)]


def test_parts_can_be_in_any_order_of_time() -> None:
    members = run(606, 2, 600, 0, 604, 4, 602, 6)
    assert scans_to_join(members) == [(0, 2, 4, 6), (1, 3, 5, 7)]


def test_equal_times_and_times_in_whole_seconds_are_no_gap() -> None:
    assert scans_to_join(run(0, 0, 0, 0)) == [(0, 1, 2, 3)]
    assert scans_to_join(run(0, 0, 1, 1, 2, 3)) == [(0, 1, 2, 3, 4, 5)]
    assert scans_to_join([*run(0, 0, 0), *run(40, 40, 40, first=4)]) == [(0, 1, 2), (3, 4, 5)]


def test_slices_of_a_volume_can_be_closer_in_time_than_volumes() -> None:
    assert scans_to_join(slices(4, 0.1, 2.0)) == [tuple(range(12))]
    assert scans_to_join(slices(4, 0.1, 12.0)) == [tuple(range(12))]
    assert scans_to_join(slices(3, 24.0, 72.0)) == [tuple(range(9))]


def test_a_missing_slice_is_no_gap() -> None:
    members = slices(4, 0.1, 12.0)
    assert scans_to_join([*members[:4], *members[5:]]) == [tuple(range(11))]


@pytest.mark.parametrize("pause", [600, 40])
@pytest.mark.parametrize("first", [5, 1])
def test_two_runs_in_slices_are_two_scans(pause: float, first: int) -> None:
    members = [*slices(4, 0.1, 2.0), *slices(4, 0.1, 2.0, first=first, begin=6 + pause)]
    both = [tuple(range(12)), tuple(range(12, 24))]
    assert scans_to_join(members) == (both if pause > 60 or first == 5 else [])


@pytest.mark.parametrize("first", [5, 1])
@pytest.mark.parametrize("pause", [600, 30])
def test_two_slabs_in_slices_are_two_scans(pause: float, first: int) -> None:
    upper = [
        part(
            [
                replace(each, position=(*each.position[:2], each.position[2] + 12))
                for each in each_part.instances()
                if each
            ]
        )
        for each_part in slices(4, 0.1, 2.0, first=first, begin=6 + pause)
    ]
    assert scans_to_join([*slices(4, 0.1, 2.0), *upper]) == [tuple(range(12)), tuple(range(12, 24))]


def test_slices_of_one_volume_are_joined_before_and_after_a_gap() -> None:
    members = parts(*(volume(1, (4 * k,), starts=started(at)) for k, at in enumerate((0, 0.1, 0.2, 90, 90.1))))
    assert scans_to_join(members) == [(0, 1, 2), (3, 4)]


def test_the_second_half_of_interleaved_slices_can_follow_later() -> None:
    def halves(later: float) -> list[ScanPart]:
        return parts(*(volume(1, (4 * k,), starts=started(later * (k % 2) + k / 10)) for k in range(6)))

    assert scans_to_join(halves(150)) == [(0, 1, 2, 3, 4, 5)]
    assert scans_to_join([*run(0, places=(0, 8, 16)), *run(150, places=(4, 12, 20))]) == [(0, 1)]
    assert scans_to_join(halves(HOUR)) == [(0, 2, 4), (1, 3, 5)]


@pytest.mark.parametrize("days", [(1, 2), (1, 1), (None, None), (None, 1)])
def test_a_scan_can_cross_midnight(days: tuple[int | None, int | None]) -> None:
    assert scans_to_join([*run(EVENING, day=days[0]), *run(0, first=2, day=days[1])]) == [(0, 1)]
    assert scans_to_join([*run(EVENING, day=days[0]), *run(HOUR, first=2, day=days[1])]) == []


def test_the_same_time_on_another_day_is_another_scan() -> None:
    assert scans_to_join([*run(10, day=1), *run(12, day=2, first=2)]) == []


def test_parts_without_times_are_joined_within_a_study() -> None:
    members = parts(volume(1), volume(2))
    assert scans_to_join(members) == [(0, 1)]
    assert scans_to_join([members[0], replace(members[1], study="1.2")]) == []
    assert scans_to_join([members[0], *run(0, first=2)]) == []


def test_a_later_file_without_a_time_keeps_parts_apart() -> None:
    timed, untimed = volume(2, starts=started(2)), volume(2)
    assert scans_to_join([*run(0), part([timed[0], *untimed[1:]])]) == []


def test_studies_without_dates_need_several_volumes_with_different_times() -> None:
    def studies(*seconds: float) -> list[ScanPart]:
        return [replace(each, study=f"1.{k}") for k, each in enumerate(run(*seconds, day=None))]

    assert scans_to_join(studies(0, 2, 4)) == [(0, 1, 2)]
    assert scans_to_join(studies(0, 2)) == []
    assert scans_to_join(studies(0, 0)) == []
    assert scans_to_join(studies(0, 2, 2)) == []
    assert scans_to_join([*of_study("1.1", run(0, 2, day=None)), *of_study("1.2", run(0, 2, day=None, first=3))]) == [
        (0, 1),
        (2, 3),
    ]


def test_the_first_attribute_with_different_times_decides() -> None:
    assert scans_to_join(contents(0, 2, 4)) == [(0, 1, 2)]
    assert scans_to_join(contents(0, 0.1, 0.2, 30)) == [(0, 1, 2, 3)]
    assert scans_to_join(contents(0, HOUR)) == []


def test_the_series_time_replaces_a_missing_acquisition_time() -> None:
    def timed_parts(later: float) -> list[ScanPart]:
        return parts(*(volume(k, starts=(None, Start(1, k * later), None)) for k in (1, 2)))

    assert scans_to_join(timed_parts(2)) == [(0, 1)]
    assert scans_to_join(timed_parts(HOUR)) == []
    assert FILE.starts == NO_STARTS


def test_joining_many_parts_with_growing_gaps_terminates() -> None:
    assert scans_to_join(run(*(1.5**k for k in range(40)))) == [tuple(range(8))]
