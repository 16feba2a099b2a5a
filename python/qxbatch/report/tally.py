"""The progress of a run, from its events: packets, bytes, rate, time left, and the units at work.

A packet's bytes on disk count once, also if some are read again. They advance with its stages, in proportion to the time of each
(STAGE_TIMES), so the bar is not full while series are converted.
"""

from collections import deque
from typing import NamedTuple

from qxbatch.events import (
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
from qxbatch.problems import Severity
from qxbatch.report.outcome import has_failed

STAGE_TIMES = {
    Stage.READING: 0.15,
    Stage.CONVERTING: 0.6,
    Stage.RECORDING: 0.02,
    Stage.VERIFYING: 0.2,
    Stage.PUBLISHING: 0.03,
}
"""Fractions of a packet's time, measured on the sample sets and on packets of 28 and 90 MB (docs/command-line.md)."""
RATE_SECONDS = 60.0
"""Seconds over which the rate is averaged."""
FIRST_SECONDS = 3.0
"""Seconds until the time left is shown: earlier estimates are wrong."""
PREVIOUS_WEIGHT = 0.85
"""Weight of the previous estimate of the time left, so that it does not jump."""


class UnitProgress(NamedTuple):
    """One unit that is being imported."""

    name: str
    """Its session id."""
    stage: str
    converted_series: int
    """Number of converted series."""
    series_count: int
    """Number of series of the unit; 0 as long as it is not sorted."""


class RunProgress(NamedTuple):
    """The progress of a run."""

    unit_count: int
    """Number of units to import; the packets of one session are one unit."""
    ended_count: int
    """Number of units that ended, with or without errors."""
    failed_count: int
    """Number of units that ended with errors."""
    to_check_count: int
    """Number of units that ended with warnings and without errors."""
    total_bytes: int
    """Bytes of all packets."""
    done_bytes: float
    """Bytes of the packets of ended units, and the finished fraction of those of active units."""
    rate: float | None
    """Bytes per second; None as long as it is not known."""
    seconds_left: float | None
    """None as long as it is not known."""
    seconds: float
    """Seconds since the import of the packets started."""
    active_units: tuple[UnitProgress, ...]
    """The units that are being imported."""


class _Unit:
    """One unit from its start to its end."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self.stage: Stage | None = None
        self.read_bytes = 0.0
        """Bytes that were read."""
        self.progress = 0.0
        """The fraction of its work that is done, 0 to 1; it never decreases."""
        self.series_size = self.converted_size = 0
        """Bytes of all series, and of those that are converted and stored."""
        self.series_counts: dict[str, tuple[int, int]] = {}
        """Maps each session to the number of its converted series and of all its series."""
        self.series_count = 0
        """Number of its series; 0 as long as it is not sorted."""

    def advance(self) -> None:
        """Update the progress."""
        if self.stage is None:
            return
        stages = list(STAGE_TIMES)
        finished_stages = sum(STAGE_TIMES[stage] for stage in stages[: stages.index(self.stage)])
        stage_progress = 0.0
        if self.stage is Stage.READING:
            stage_progress = min(1.0, self.read_bytes / self.size) if self.size else 0.0
        elif self.stage is Stage.CONVERTING:
            stage_progress = self._converted_fraction()
        elif self.stage is Stage.RECORDING and self._converted_fraction() < 1:
            return  # another session of the unit is still being converted
        self.progress = max(self.progress, finished_stages + STAGE_TIMES[self.stage] * stage_progress)

    def _converted_fraction(self) -> float:
        return min(1.0, self.converted_size / self.series_size) if self.series_size else 0.0

    def unit_progress(self) -> UnitProgress:
        """Return the unit as the display shows it."""
        done = sum(done for done, _ in self.series_counts.values())
        return UnitProgress(self.name, "waiting" if self.stage is None else str(self.stage), done, self.series_count)


class Tally:
    """Counts the events of a run. The caller passes the times."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._units: dict[str, _Unit] = {}
        self._unit_count = self._ended_count = self._failed_count = self._to_check_count = 0
        self._total_bytes = 0
        self._ended_bytes = self._skipped_bytes = 0.0
        """Bytes of the units that ended. Of these, the bytes that were not yet done when their unit ended without a session: the
        rate does not count them."""
        self._read_bytes = 0
        """Bytes that the core has read in this run."""
        self._samples = deque([(now, 0.0)])
        """Pairs (time, bytes done by then, without the skipped ones) of the last RATE_SECONDS."""
        self._seconds_left: float | None = None
        """The last estimate, and its time in `_estimated_at`."""
        self._estimated_at = now

    def notify(self, event: Event, now: float) -> None:
        """Count an event."""
        match event:
            case RunStarted():
                self._unit_count, self._total_bytes = event.units, event.size
                self._began = self._estimated_at = now
                self._samples = deque([(now, 0.0)])
            case UnitStarted():
                self._units[event.unit] = _Unit(event.unit, event.size)
            case MembersRead():
                self._count_read(event.size)
            case UnitCancelled():
                self._units.pop(event.unit, None)
            case UnitFinished():
                self._finish(event)
            case StageStarted() | UnitSorted() | ConversionProgress() | SeriesFinished():
                self._update_unit(event)
            case _:
                pass

    def _update_unit(self, event: StageStarted | UnitSorted | ConversionProgress | SeriesFinished) -> None:
        unit = self._units.get(event.unit)
        if unit is None:
            return
        match event:
            case StageStarted():
                unit.stage = event.stage
            case UnitSorted():
                unit.series_size, unit.series_count = event.size, event.series
            case ConversionProgress():
                unit.series_counts[event.session] = (event.done, event.total)
            case SeriesFinished():
                unit.converted_size += event.size
        unit.advance()

    def _count_read(self, size: int) -> None:
        """Distribute new bytes over the units being read, by their size: the core counts only `size`, the sum since the start."""
        reading = [unit for unit in self._units.values() if unit.stage is Stage.READING]
        total_size = sum(unit.size for unit in reading)
        more, self._read_bytes = size - self._read_bytes, size
        for unit in reading:
            unit.read_bytes += more * unit.size / total_size if total_size else 0
            unit.advance()

    def _finish(self, event: UnitFinished) -> None:
        unit = self._units.pop(event.unit, None)
        self._ended_count += 1
        if any(map(has_failed, event.reports)):
            self._failed_count += 1
        elif any(problem.severity is Severity.WARNING for report in event.reports for problem in report.problems):
            self._to_check_count += 1
        if unit is not None:
            self._ended_bytes += unit.size
            published = any(report.folder is not None for report in event.reports)
            self._skipped_bytes += 0.0 if published else unit.size * (1 - unit.progress)

    def run_progress(self, now: float) -> RunProgress:
        """Return the progress of the run."""
        at_work = sum(unit.size * unit.progress for unit in self._units.values())
        done = self._ended_bytes + at_work
        self._samples.append((now, done - self._skipped_bytes))
        while len(self._samples) > 2 and self._samples[1][0] <= now - RATE_SECONDS:  # noqa: PLR2004 - the oldest and the newest
            self._samples.popleft()
        rate = self._rate()
        return RunProgress(
            self._unit_count,
            self._ended_count,
            self._failed_count,
            self._to_check_count,
            self._total_bytes,
            done,
            rate,
            self._time_left(now, done, rate),
            now - self._began,
            tuple(unit.unit_progress() for unit in self._units.values()),
        )

    def _rate(self) -> float | None:
        (start, start_bytes), (end, end_bytes) = self._samples[0], self._samples[-1]
        is_known = end - self._began >= FIRST_SECONDS and end_bytes > start_bytes
        return (end_bytes - start_bytes) / (end - start) if is_known else None

    def _time_left(self, now: float, done: float, rate: float | None) -> float | None:
        if rate is None:
            return None
        seconds = max(0.0, (self._total_bytes - done) / rate)
        if self._seconds_left is not None:
            seconds = (
                PREVIOUS_WEIGHT * max(0.0, self._seconds_left - (now - self._estimated_at))
                + (1 - PREVIOUS_WEIGHT) * seconds
            )
        self._seconds_left, self._estimated_at = seconds, now
        return seconds
