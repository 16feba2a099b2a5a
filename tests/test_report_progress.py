"""The progress of a run, by the bytes of its packets; the tests set the clock."""

import io
from pathlib import Path

import pytest

from qxbatch.events import (
    BytesRead,
    ConversionProgress,
    Event,
    MembersRead,
    RunStarted,
    SeriesFinished,
    Stage,
    StageStarted,
    UnitCancelled,
    UnitFinished,
    UnitSorted,
    UnitStarted,
)
from qxbatch.model import SeriesLabel, SessionId, SessionReport
from qxbatch.problems import Code, Problem, Severity
from qxbatch.report.lines import display, end_lines
from qxbatch.report.marks import ASCII, UNICODE, Marks, marks_for
from qxbatch.report.progress import PLAIN_SECONDS, Progress
from qxbatch.report.tally import STAGE_TIMES, Tally

MB = 1_000_000
LABELS = (SeriesLabel(20, 2, "epiRT", (21, 22)),)
DONE = SessionReport("S1.zip", SessionId("S1"), Path("/s/S1"), series=2, images=2)
WARNED = SessionReport(
    "S1.zip", SessionId("S1"), Path("/s/S1"), (Problem(Code.LEFT_OUT, "S1", "left out.", severity=Severity.WARNING),)
)
REFUSED = SessionReport("S2.zip", SessionId("S2"), None, (Problem(Code.DAMAGED, "S2.zip", "is damaged."),))


class Clock:
    """A clock with a time that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tally_of(*events: Event) -> Tally:
    tally = Tally(0.0)
    for event in events:
        tally.notify(event, 0.0)
    return tally


def fraction_of(*events: Event) -> float:
    """Return the fraction of a packet of 10 MB that is done after some events."""
    started = (RunStarted(1, 10 * MB), UnitStarted("S1", 10 * MB))
    return tally_of(*started, *events).run_progress(1.0).done_bytes / (10 * MB)


READING = StageStarted("S1", Stage.READING)
SORTED = (READING, UnitSorted("S1", 2, 40 * MB), StageStarted("S1", Stage.CONVERTING))


def test_the_fractions_of_the_stages_add_up_to_one() -> None:
    assert sum(STAGE_TIMES.values()) == pytest.approx(1)
    assert set(STAGE_TIMES) == set(Stage)


def test_a_packet_advances_with_its_stages_and_its_series() -> None:
    read = STAGE_TIMES[Stage.READING]
    assert fraction_of(READING) == 0
    assert fraction_of(READING, MembersRead(1, 5 * MB)) == pytest.approx(read / 2)
    assert fraction_of(*SORTED) == pytest.approx(read)
    half = (*SORTED, SeriesFinished("S1", 20 * MB))
    assert fraction_of(*half) == pytest.approx(read + STAGE_TIMES[Stage.CONVERTING] / 2)
    all_series = (*half, SeriesFinished("S1", 20 * MB))
    assert fraction_of(*all_series, StageStarted("S1", Stage.VERIFYING)) == pytest.approx(1 - 0.2 - 0.03)
    assert fraction_of(*all_series, UnitFinished("S1", (DONE,))) == 1


def test_members_read_again_are_not_counted_again() -> None:
    counts = [MembersRead(k, k * 50 * MB) for k in range(1, 20)]
    assert fraction_of(READING, *counts) == pytest.approx(STAGE_TIMES[Stage.READING])
    verifying = (*SORTED, SeriesFinished("S1", 40 * MB), StageStarted("S1", Stage.VERIFYING))
    assert fraction_of(*verifying, *counts) == fraction_of(*verifying)


def test_the_progress_of_a_packet_with_several_sessions_never_decreases() -> None:
    first = (*SORTED, SeriesFinished("S1", 20 * MB))
    recorded = (*first, StageStarted("S1", Stage.RECORDING))
    again = (*recorded, StageStarted("S1", Stage.CONVERTING))
    assert fraction_of(*first) == fraction_of(*recorded) == fraction_of(*again)


def test_failed_packets_and_packets_to_check_are_counted() -> None:
    events = [UnitFinished("S1", (DONE,)), UnitFinished("S2", (REFUSED,)), UnitFinished("S3", (WARNED,))]
    progress = tally_of(RunStarted(4, MB), *events).run_progress(1.0)
    assert (progress.unit_count, progress.ended_count, progress.failed_count, progress.to_check_count) == (4, 3, 1, 1)


def test_a_stopped_unit_is_no_longer_at_work() -> None:
    tally = tally_of(RunStarted(1, MB), UnitStarted("S1", MB), UnitCancelled("S1"), READING)
    assert tally.run_progress(1.0).active_units == ()


def run_at(rate: float, seconds: int) -> Tally:
    """Return the tally of a run of 100 packets of 1 MB that finishes `rate` packets per second."""
    tally = tally_of(RunStarted(100, 100 * MB))
    done = 0
    for second in range(1, seconds + 1):
        while done < int(second * rate):
            done += 1
            tally.notify(UnitStarted(f"S{done}", MB), second)
            for event in (READING, *SORTED):
                tally.notify(event._replace(unit=f"S{done}"), second)
            tally.notify(UnitFinished(f"S{done}", (DONE,)), second)
        tally.run_progress(float(second))
    return tally


def test_rate_and_time_left_are_computed_from_bytes() -> None:
    progress = run_at(2.0, 20).run_progress(20.0)
    assert progress.rate == pytest.approx(2 * MB, rel=0.1)
    assert progress.seconds_left == pytest.approx(30, rel=0.1)


def test_there_is_no_time_left_after_too_few_packets() -> None:
    progress = run_at(2.0, 2).run_progress(2.0)
    assert (progress.rate, progress.seconds_left) == (None, None)


def test_the_time_left_does_not_jump() -> None:
    tally = run_at(2.0, 20)
    before = tally.run_progress(20.0).seconds_left
    tally.notify(UnitStarted("large", 30 * MB), 20.5)
    tally.notify(UnitFinished("large", (DONE,)), 20.5)
    after = tally.run_progress(21.0).seconds_left
    assert before is not None
    assert after is not None
    assert abs(before - after) < 8


def test_packets_without_work_do_not_affect_the_rate() -> None:
    tally = tally_of(RunStarted(2, 100 * MB), UnitStarted("S2", 90 * MB), READING._replace(unit="S2"))
    tally.notify(MembersRead(1, 90 * MB), 0.5)
    tally.notify(UnitFinished("S2", (REFUSED,)), 1.0)
    tally.notify(UnitStarted("S1", 10 * MB), 1.0)
    for event in (*SORTED, SeriesFinished("S1", 20 * MB)):
        tally.notify(event, 9.0)
    progress = tally.run_progress(10.0)
    assert progress.done_bytes > 90 * MB
    assert progress.rate is not None
    assert progress.rate < 3 * MB


def test_up_to_three_units_at_work_are_shown_with_their_series() -> None:
    tally = tally_of(RunStarted(5, 5 * MB), *(UnitStarted(f"S{k}", MB) for k in range(1, 6)), *SORTED)
    tally.notify(ConversionProgress("S1", "S1", 1, 2), 0.0)
    lines = ["".join(text for text, _ in line) for line in display(tally.run_progress(1.0), 80, UNICODE)]
    assert lines[2:] == ["  S1  converting  1 of 2 series", "  S2  waiting", "  S3  waiting"]


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("marks", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_the_display_is_narrower_than_the_terminal(width: int, marks: Marks) -> None:
    name = "a-very-long-name-of-a-session-that-somebody-chose" * 2
    tally = tally_of(RunStarted(3000, 5 * MB), UnitStarted(name, MB), StageStarted(name, Stage.READING))
    for line in display(tally.run_progress(5000.0), width, marks):
        assert sum(len(text) for text, _ in line) < width


@pytest.mark.parametrize(
    ("encoding", "environment", "expected"),
    [
        ("utf-8", {"LANG": "en_GB.UTF-8"}, UNICODE),
        ("utf-8", {"LANG": "C.UTF-8", "LC_CTYPE": "C.UTF-8"}, UNICODE),
        ("utf-8", {"LC_ALL": "C", "LANG": "C.UTF-8"}, ASCII),
        ("utf-8", {"LC_CTYPE": "C.UTF-8"}, ASCII),
        ("utf-8", {}, ASCII),
        ("iso8859-1", {"LANG": "de_DE"}, ASCII),
        ("ascii", {"LANG": "C.UTF-8"}, ASCII),
    ],
)
def test_the_locale_decides_the_marks(encoding: str, environment: dict[str, str], expected: object) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert marks_for(stream, environment) == expected


def test_without_a_terminal_a_line_is_printed_every_half_minute() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(stream=stream, clock=clock)
    progress.notify(RunStarted(2, 10 * MB))
    progress.notify(UnitStarted("S1", 5 * MB))
    for seconds in (1.0, PLAIN_SECONDS - 1, PLAIN_SECONDS, PLAIN_SECONDS + 1, 3 * PLAIN_SECONDS):
        clock.now = 1000.0 + seconds
        progress.tick()
    progress.notify(UnitFinished("S1", (DONE,)))
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["0 of 2 sessions done, 0% of 10 MB"] * 2
    assert lines[2:] == ["[1/2] S1.zip -> S1: 2 series, 2 images, 0.0 s"]


def test_the_end_of_a_run_does_not_wait_for_the_next_line() -> None:
    """The thread sleeps for half a minute; the end of a run must not wait for it."""
    progress = Progress(stream=io.StringIO())
    with progress:
        progress.notify(BytesRead("S1", 0, 1))
    assert not progress.is_working


def test_quiet_writes_nothing() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(quiet=True, stream=stream, clock=clock)
    progress.notify(RunStarted(1, MB))
    progress.notify(UnitFinished("S1", (REFUSED,)))
    assert stream.getvalue() == ""


def ended_text(*problems: Problem, list_all: bool = False) -> list[str]:
    report = SessionReport("S1.zip", SessionId("S1"), Path("/s/S1"), problems, 2, 2, labels=LABELS)
    return ["".join(text for text, _ in line) for line in end_lines((report,), UNICODE, list_all=list_all)]


def test_the_line_of_a_finished_packet_has_its_first_problem() -> None:
    review = Problem(Code.CONVERT_REVIEW, "series 20", "looks odd.", severity=Severity.WARNING)
    many = ", ".join(f"folder/file{k}.PAR" for k in range(9))
    long = Problem(Code.UNPAIRED, many, "has no REC.", severity=Severity.WARNING)
    assert ended_text() == []
    assert ended_text(list_all=True) == ["✓ S1.zip -> S1: 2 series, 2 images, 0.0 s"]
    assert ended_text(review) == ["! S1.zip: to check: series 2, epiRT (images 21, 22): looks odd."]
    assert ended_text(long, review) == [f"! S1.zip: to check (2 problems): has no REC: {many}."]
    failing = Problem(Code.CONVERT_FAILED, "series 20", "failed.")
    assert ended_text(failing, review) == ["✗ S1.zip: FAILED: series 2, epiRT (images 21, 22): failed."]
