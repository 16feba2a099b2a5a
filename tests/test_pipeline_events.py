"""The events of an import and their order; an observer that fails does not affect the import."""

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from qxbatch.events import (
    BytesRead,
    CandidateFound,
    ConversionProgress,
    ConverterEnded,
    Event,
    MembersRead,
    Observer,
    Observers,
    ProblemFound,
    RunFinished,
    RunStarted,
    SeriesFinished,
    Stage,
    StageStarted,
    UnitCancelled,
    UnitFinished,
    UnitSorted,
    UnitStarted,
)
from qxbatch.pipeline.run import run
from qxbatch.pipeline.signals import ENDING_SIGNALS
from qxbatch.problems import Code
from qxbatch.settings.model import Settings
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.study import Study

TREE = {**under("a", MrSeries(number=3).files()), **under("b", MrSeries(number=4, time="102000").files())}


class Recorder:
    """An observer that records the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def notify(self, event: Event, /) -> None:
        self.events.append(event)

    def of(self, *kinds: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]

    def steps(self) -> list[str]:
        """Return the kinds of events, stages by name, without successive repeats, MembersRead and events of series."""
        names = [
            event.stage if isinstance(event, StageStarted) else type(event).__name__
            for event in self.events
            if not isinstance(event, (MembersRead, ConversionProgress, ConverterEnded, SeriesFinished))
        ]
        return [name for k, name in enumerate(names) if k == 0 or names[k - 1] != name]


class Failing:
    """An observer that raises at one kind of event."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.calls = 0

    def notify(self, event: Event, /) -> None:
        if isinstance(event, self.kind):
            self.calls += 1
            raise OSError("the display failed")


def settings(study: Study, **given: str) -> Settings:
    return parse({"sessionsfolder": str(study.sessions), "quiet": "yes", **given}).settings


def test_an_import_sends_its_events_in_order(study: Study) -> None:
    packet = study.put("S1", TREE)
    size = packet.stat().st_size
    recorder = Recorder()
    assert run(settings(study), observers=[recorder]) == 0
    assert recorder.steps() == [
        "CandidateFound",
        "RunStarted",
        "UnitStarted",
        Stage.READING,
        "BytesRead",
        "UnitSorted",
        Stage.CONVERTING,
        Stage.RECORDING,
        Stage.VERIFYING,
        Stage.PUBLISHING,
        "UnitFinished",
        "RunFinished",
    ]
    assert recorder.of(RunStarted, UnitStarted) == [RunStarted(1, size), UnitStarted("S1", size)]
    assert recorder.of(BytesRead) == [BytesRead("S1", 0, size), BytesRead("S1", size, size)]
    assert recorder.of(ConversionProgress) == [ConversionProgress("S1", "S1", done, 2) for done in range(3)]
    size = sum(map(len, TREE.values()))
    assert recorder.of(UnitSorted) == [UnitSorted("S1", 2, size)]
    assert sum(event.size for event in recorder.events if isinstance(event, SeriesFinished)) == size
    converters = [event for event in recorder.events if isinstance(event, ConverterEnded)]
    assert sorted(event.n for event in converters) == [30, 40]
    assert all(event.commands[-1] == "exit status: 0" for event in converters)
    [finished] = recorder.of(UnitFinished)
    [ended] = recorder.of(RunFinished)
    assert isinstance(finished, UnitFinished)
    assert isinstance(ended, RunFinished)
    assert (ended.status, ended.report.sessions) == (0, finished.reports)
    counts = [event.files for event in recorder.events if isinstance(event, MembersRead)]
    assert counts == sorted(counts)
    assert counts[-1] >= len(TREE)


def test_a_failed_packet_sends_its_problem(study: Study) -> None:
    study.put("S1", TREE)
    study.put("S2", {"README": b"no images"}, Kind.FOLDER)
    recorder = Recorder()
    assert run(settings(study, n_procs="1"), observers=[recorder]) == 1
    of_failed = [event for event in recorder.events if getattr(event, "unit", "") == "S2"]
    assert [type(event) for event in of_failed] == [
        UnitStarted,
        StageStarted,
        BytesRead,
        BytesRead,
        ProblemFound,
        UnitFinished,
    ]
    [problem] = [event.problem for event in of_failed if isinstance(event, ProblemFound)]
    assert problem.code is Code.NO_IMAGES
    assert study.session_names() == ["S1"]


@pytest.fixture
def handlers() -> Iterator[None]:
    """Restore the signal handlers that a stopped run replaces; SIGINT raises also where the shell ignores it."""
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_a_stopped_run_sends_a_cancelled_unit(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.put("S1", TREE)

    class Stopping(Recorder):
        def notify(self, event: Event, /) -> None:
            super().notify(event)
            if event == StageStarted("S1", Stage.CONVERTING):
                os.kill(os.getpid(), signal.SIGINT)

    recorder = Stopping()
    slow = study.sessions.parent / "dcm2niix"
    slow.write_text(
        "#!/bin/sh\nif [ $# -eq 1 ]; then echo 'dcm2niiX version v1.0.20260724'; exit 3; fi\nexec sleep 60\n"
    )
    slow.chmod(0o755)
    monkeypatch.setenv("QXBATCH_DCM2NIIX", str(slow))
    with pytest.raises(KeyboardInterrupt):
        run(settings(study), observers=[recorder])
    assert recorder.of(UnitCancelled, UnitFinished, RunFinished) == [UnitCancelled("S1")]
    assert study.session_names() == []
    assert (study.inbox / "S1.zip").exists()


@pytest.mark.parametrize(
    "kind", [CandidateFound, UnitStarted, StageStarted, BytesRead, ConversionProgress, UnitFinished]
)
def test_an_observer_that_raises_is_dropped_and_the_import_continues(
    study: Study, kind: type, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("qxbatch"), "propagate", True)
    study.put("S1", TREE)
    failing, recorder = Failing(kind), Recorder()
    summary = study.sessions.parent / "summary.json"
    assert run(settings(study, json_file=str(summary)), observers=[failing, recorder]) == 0
    assert failing.calls == 1
    assert recorder.steps()[-1] == "RunFinished"
    assert f"Failing failed at the event {kind.__name__}" in caplog.text
    assert json.loads(summary.read_text())["sessions"][0]["session"] == "S1"
    assert (study.archive / "S1.zip").exists()


def test_every_observer_gets_events_and_an_interrupt_is_not_swallowed() -> None:
    class Interrupted:
        def notify(self, _event: Event, /) -> None:
            raise KeyboardInterrupt

    observer: Observer = Observers([Interrupted()])
    with pytest.raises(KeyboardInterrupt):
        observer.notify(UnitCancelled("S1"))
    recorder = Recorder()
    Observers([recorder, recorder]).notify(UnitCancelled("S1"))
    assert recorder.events == [UnitCancelled("S1")] * 2


def test_a_summary_that_cannot_be_written_gives_status_73(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.put("S1", TREE)
    assert run(settings(study, json_file=str(tmp_path))) == 73
    assert f"--json-file={tmp_path} cannot be written" in capsys.readouterr().err
    assert study.session_names() == ["S1"]
