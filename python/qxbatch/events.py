"""The events of a run and its observers: the terminal, the log and the JSON summary.

In each event, `unit` is the name of a unit: the id of its session (`Unit.name`). Events are named tuples, because every run
defines them all, and a dataclass takes three times as long to define.
"""

import threading
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol

from qxbatch.model import Candidate, Report, SessionReport
from qxbatch.problems import Problem


class Stage(StrEnum):
    """The stages of a unit: of the packets that are imported together (qxbatch.discover.units)."""

    READING = "reading"
    CONVERTING = "converting"
    RECORDING = "recording"
    VERIFYING = "verifying"
    PUBLISHING = "publishing"


class CandidateFound(NamedTuple):
    """A candidate and its verdict; it may be no packet (`Verdict.STRAY`). One for each candidate, before the import."""

    candidate: Candidate


class RunStarted(NamedTuple):
    """The import of the ready units begins."""

    units: int
    """Number of units."""
    size: int
    """Bytes of all packets."""


class UnitStarted(NamedTuple):
    """The import of one unit begins."""

    unit: str
    size: int
    """Bytes of its packets."""


class StageStarted(NamedTuple):
    """A unit reached a stage."""

    unit: str
    stage: Stage


class BytesRead(NamedTuple):
    """Progress of reading: how many bytes of a unit's packets were read, and their total."""

    unit: str
    read: int
    total: int


class MembersRead(NamedTuple):
    """What the Rust core has read in this run up to now."""

    files: int
    """Number of files, members of archives included."""
    size: int
    """Their bytes."""


class ConversionProgress(NamedTuple):
    """How many series of a session are converted; the first event, before the first conversion, has 0."""

    unit: str
    session: str
    done: int
    """Number of converted series."""
    total: int
    """Number of series of the session."""


class UnitSorted(NamedTuple):
    """A unit was read and its files have their final names."""

    unit: str
    series: int
    """Number of its series."""
    size: int
    """Bytes of the files of all its series."""


class SeriesFinished(NamedTuple):
    """A series is converted and, if its files are packed or compressed, stored."""

    unit: str
    size: int
    """Bytes of its files."""


class ConverterEnded(NamedTuple):
    """The conversion of a series ended. A series that is only sorted gets the event too, without commands."""

    unit: str
    n: int
    """The number of the series in the session (`Series.n`)."""
    state: str
    """The value of a `qxbatch.model.State`."""
    commands: tuple[str, ...]
    """`Conversion.commands`, without identities if logs are de-identified."""


class ProblemFound(NamedTuple):
    """A problem of a unit."""

    unit: str
    problem: Problem


class UnitFinished(NamedTuple):
    """A unit ended, with or without errors."""

    unit: str
    reports: tuple[SessionReport, ...]


class UnitCancelled(NamedTuple):
    """A unit ended because the run was stopped."""

    unit: str


class RunFinished(NamedTuple):
    """The run ended, and was not stopped."""

    report: Report
    status: int
    """The exit status of the run (qxbatch.exits), unless the JSON summary cannot be written."""


Event = (
    CandidateFound
    | RunStarted
    | UnitStarted
    | StageStarted
    | BytesRead
    | MembersRead
    | ConversionProgress
    | UnitSorted
    | SeriesFinished
    | ConverterEnded
    | ProblemFound
    | UnitFinished
    | UnitCancelled
    | RunFinished
)


class Observer(Protocol):
    """Receives events, one at a time, from any thread."""

    def notify(self, event: Event, /) -> None:
        """Handle an event. The work waits until this returns."""


class Observers:
    """Passes events to several observers. One that raises is logged and gets no further events; the work continues."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self._observers = list(observers)
        self._lock = threading.Lock()

    def add(self, observer: Observer) -> None:
        """Add an observer, which gets all later events."""
        with self._lock:
            self._observers.append(observer)

    def notify(self, event: Event, /) -> None:
        """Pass an event to all observers."""
        with self._lock:
            for observer in list(self._observers):
                try:
                    observer.notify(event)
                except Exception:  # noqa: BLE001 - what an observer does must not lose data
                    self._drop(observer, event)

    def _drop(self, observer: Observer, event: Event) -> None:
        import logging

        self._observers.remove(observer)
        name, kind = type(observer).__name__, type(event).__name__
        logging.getLogger("qxbatch").exception("%s failed at the event %s and is not used any more", name, kind)
