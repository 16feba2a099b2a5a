"""Units imported alone, as in a cluster job; the end of a failed unit; the locks of a split packet."""

import errno
import os
from collections.abc import Collection
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from qxbatch.convert.series import convert_series
from qxbatch.discover.candidates import candidates
from qxbatch.discover.units import Unit, units_of
from qxbatch.events import Observers
from qxbatch.model import Conversion, Series, SessionId
from qxbatch.pipeline import series
from qxbatch.pipeline.image import FinishedImage, finish_image
from qxbatch.pipeline.publishing import publish_sessions
from qxbatch.pipeline.recover import clear_own_staging
from qxbatch.pipeline.run_resources import opened_context
from qxbatch.pipeline.unit import import_unit
from qxbatch.pipeline.unit_locks import UnitLocks
from qxbatch.problems import Code, PacketError, Severity
from qxbatch.publish.locks import Locks
from qxbatch.settings.model import Settings
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries
from tests.build.packets import under, write_folder
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge


def ready_unit(settings: Settings, packet: str) -> Unit:
    """Return the unit of one packet, or in folder mode of a session folder."""
    [unit] = units_of(candidates(settings, only_names=[packet]), folder_mode=settings.masterinbox is None)
    return unit


def test_one_unit_of_several_is_imported_alone(study: Study) -> None:
    for k in (1, 2, 3):
        study.put(f"S{k}", MrSeries(patient=f"P{k}").files())
    before = snapshot(study.inbox)
    settings = parse({"sessionsfolder": str(study.sessions)}).settings
    unit = ready_unit(settings, "S2.zip")
    with opened_context(settings, [unit], Observers()) as context:
        imported = import_unit(context, unit)
    [report] = imported.reports
    assert (report.packet, report.series, report.images, report.problems) == ("S2.zip", 1, 1, ())
    assert report.archived == study.archive / "S2.zip"
    assert study.session_names() == ["S2"]
    Judge(study.session("S2")).check(None)
    assert snapshot(study.inbox) == {name: value for name, value in before.items() if name != "S2.zip"}
    assert not (study.sessions / ".qxbatch").exists()


def test_a_unit_imported_alone_equals_one_of_a_batch(study: Study, tmp_path_factory: pytest.TempPathFactory) -> None:
    batch = Study(tmp_path_factory.mktemp("batch"))
    for each in (study, batch):
        for k in (1, 2):
            write_folder(MrSeries(patient=f"P{k}").files(), each.session(f"S{k}") / "inbox")
    given = {"sessionsfolder": str(study.sessions), "masterinbox": "none", "sessions": "S*"}
    settings = parse(given).settings
    unit = ready_unit(settings, "S1")
    with opened_context(settings, [unit], Observers()) as context:
        import_unit(context, unit)
    assert batch.main("--masterinbox=none", "--sessions=S*").status == 0
    trees = [snapshot(each.session("S1")) for each in (study, batch)]
    varying = {"session.txt", "qxbatch/summary.json", "qxbatch/report.html", "dicom/dcm2niix_30.log"}
    assert trees[0].keys() == trees[1].keys()
    assert {name for name in trees[0] if trees[0][name] != trees[1][name]} <= varying
    assert study.session("S2").is_dir()
    assert not (study.session("S2") / "dicom").exists()


def test_staging_is_removed_after_all_work_on_a_failed_unit_has_ended(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first image is finished only when the import waits for it; an import that does not wait removes staging earlier."""
    started, awaited, ended = Event(), Event(), Event()
    all_jobs: list[series._SeriesWork] = []
    ended_before_removal: list[bool] = []

    class Recorded(series._SeriesWork):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            all_jobs.append(self)

    def convert(scan: Series, *args: Any, **named: Any) -> Conversion:
        if scan.n == 40:
            assert started.wait(60)
            raise OSError(errno.EIO, "faulty disk")
        return convert_series(scan, *args, **named)

    def finish(*args: Any) -> FinishedImage:
        started.set()
        awaited.wait(60)
        finished = finish_image(*args)
        ended.set()
        return finished

    def wait_until(futures: Collection[Future[Any]], **named: Any) -> Any:
        if set(all_jobs[0].finishing).intersection(futures):
            awaited.set()
        return wait(futures, **named)

    def clear(*args: Any) -> None:
        ended_before_removal.append(ended.is_set())
        awaited.set()
        clear_own_staging(*args)

    for name, changed in (
        ("pipeline.series._SeriesWork", Recorded),
        ("pipeline.series.convert_series", convert),
        ("pipeline.series.finish_image", finish),
        ("pipeline.series.wait", wait_until),
        ("pipeline.unit.clear_own_staging", clear),
    ):
        monkeypatch.setattr(f"qxbatch.{name}", changed)
    study.put("S1", {**under("a", MrSeries(number=3).files()), **under("b", MrSeries(number=4).files())})
    settings = parse({"sessionsfolder": str(study.sessions), "n_procs": "2", "parelements": "2"}).settings
    unit = ready_unit(settings, "S1.zip")
    with opened_context(settings, [unit], Observers()) as context:
        [report] = import_unit(context, unit).reports
    assert [problem.code for problem in report.problems] == [Code.CANNOT_WRITE]
    assert ended_before_removal == [True]


def test_a_part_of_a_split_packet_and_another_packet_of_the_run_do_not_become_one_session(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    taken = UnitLocks(locks, Unit(SessionId("A-1"), ()))
    taken.take_own()
    split = UnitLocks(locks, Unit(SessionId("A"), ()))
    with pytest.raises(PacketError) as raised:
        split.take_split(["A-1", "A-2"])
    assert raised.value.problem.code is Code.SAME_SESSION
    assert raised.value.problem.severity is Severity.ERROR
    assert "session A-1" in raised.value.problem.message
    taken.release()
    split.take_split(["A-1", "A-2"])
    with pytest.raises(PacketError) as raised:
        taken.take_own()
    assert raised.value.problem.code is Code.SAME_SESSION
    locks.close()


def test_a_session_that_another_run_made_meanwhile_needs_no_command(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", MrSeries().files())
    monkeypatch.setattr("qxbatch.pipeline.refuse.has_inbox_or_results", lambda _folder: True)
    run = study.main()
    assert (run.status, "already there" in run.text) == (0, True), run.text
    assert f"qxbatch {study.sessions} --sessions" not in run.text
    assert "Import it again" not in run.text


@pytest.mark.parametrize("is_published", [False, True])
def test_an_error_after_the_journal_says_that_the_next_run_finishes_the_import(
    study: Study, monkeypatch: pytest.MonkeyPatch, *, is_published: bool
) -> None:
    study.put("S1", MrSeries().files())

    def publish_some(*arguments: Any) -> Any:
        if is_published:
            publish_sessions(*arguments)
        raise OSError(errno.EIO, "Input/output error", str(study.sessions))

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.finish.publish_sessions", publish_some)
        run = study.main()
    assert run.status == 1
    text = " ".join(run.text.split())
    assert (
        f"the import could not be finished: {study.sessions}: input/output error. Its session may be written already."
        in text
    )
    assert "The packet is unchanged" not in text
    assert ("S1" in study.session_names()) == is_published
    assert study.main().status == 0
    assert study.session_names() == ["S1"]
    assert [path.name for path in study.archive.iterdir()] == ["S1.zip"]


@pytest.mark.parametrize("code", [errno.EIO, errno.EMFILE, errno.ENOMEM, errno.ENOTCONN])
def test_a_session_whose_summary_cannot_be_read_now_is_not_rebuilt(
    code: int, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(MrSeries().files(), study.session("S1") / "inbox")
    options = ["--masterinbox=none", "--sessions=S1", "--overwrite=yes"]
    assert study.main(*options, "--deidentify-logs").status == 0
    before = snapshot(study.session("S1"))

    def unreadable(path: Path, *_: Any) -> str:
        raise OSError(code, os.strerror(code), str(path))

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.session.folder.read_text", unreadable)
        run = study.main(*options)
    assert run.status == 1
    assert "its session exists, and" in " ".join(run.text.split())
    assert "; nothing was changed." in " ".join(run.text.split())
    assert snapshot(study.session("S1")) == before


def test_too_little_memory_is_no_internal_error(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_memory(*_: object) -> None:
        raise MemoryError

    study.put("S1", MrSeries().files())
    monkeypatch.setattr("qxbatch.pipeline.unit.read_job", without_memory)
    run = study.main()
    assert run.status == 1
    assert "cannot allocate memory" in run.text.casefold()
    assert "internal error" not in run.text
