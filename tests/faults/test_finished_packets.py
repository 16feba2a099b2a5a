"""A run that finishes the import of a killed run does not import the same packet again, even with --overwrite=yes."""

from collections.abc import Callable

import pytest

from qxbatch.discover.own_names import HiddenKind
from qxbatch.publish.journal import run_of_journal
from qxbatch.publish.transfer import hidden_path
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under
from tests.build.study import Study
from tests.endtoend.judge import Judge

T1 = MrSeries(number=3)
BOLD = MrSeries(number=4)
NOTE = "finished now, from where an interrupted run stopped"


def two_packets(study: Study) -> list[str]:
    study.put("S1-a", T1.files())
    study.put("S1-b", BOLD.files(), Kind.FOLDER)
    return ["--nameformat=(?P<subject_id>.*?)-.*", "--on-same-session=merge", "--archive=copy"]


def named_like_the_patient(study: Study) -> list[str]:
    study.put("S1_Doe_Jane", T1.with_(name="Doe^Jane").files())
    return ["--nameformat=(?P<subject_id>S1).*", "--deidentify-logs", "--archive=leave"]


def two_patients(study: Study) -> list[str]:
    study.put("S1", {**under("a", T1.files()), **under("b", BOLD.with_(patient="P777").files())})
    return ["--on-mixed=split", "--archive=leave"]


def session_folder(study: Study) -> list[str]:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "scan.zip").write_bytes(packed(T1.files(), Kind.ZIP))
    return ["--masterinbox=none", "--sessions=S1", "--archive=leave"]


def interrupt(study: Study, monkeypatch: pytest.MonkeyPatch, *args: str) -> None:
    """Run until the journal is written: nothing is published."""

    def no_disk(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.deliver.finish", no_disk)
        assert study.main(*args).status == 1
    assert (study.sessions / ".qxbatch" / "journal" / "S1.json").exists()


@pytest.mark.parametrize("fill", [two_packets, named_like_the_patient, two_patients, session_folder])
def test_a_finished_packet_is_not_imported_again(
    study: Study, monkeypatch: pytest.MonkeyPatch, fill: Callable[[Study], list[str]]
) -> None:
    args = [*fill(study), "--overwrite=yes"]
    interrupt(study, monkeypatch, *args)

    def not_expected(*_: object) -> None:
        raise AssertionError("a packet is read again")

    monkeypatch.setattr("qxbatch.pipeline.unit.read_job", not_expected)
    run = study.main(*args)
    assert run.status == 0, run.text
    assert NOTE in run.text
    assert not (study.sessions / ".qxbatch").exists()
    assert study.session_names() == (["S1-1", "S1-2"] if fill is two_patients else ["S1"])


@pytest.mark.parametrize("fill", [two_packets, named_like_the_patient, two_patients, session_folder])
@pytest.mark.parametrize("overwrite", ["--overwrite=yes", "--overwrite=no"])
def test_an_import_that_cannot_be_finished_is_tried_and_reported_once(
    study: Study, monkeypatch: pytest.MonkeyPatch, fill: Callable[[Study], list[str]], overwrite: str
) -> None:
    args = [*fill(study), overwrite]
    packets = 2 if fill is two_packets else 1
    interrupt(study, monkeypatch, *args)
    tries: list[object] = []

    def failing(*args: object, **_: object) -> None:
        tries.append(args)
        raise OSError(16, "Device or resource busy")

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.recover.finish", failing)
        run = study.main(*args)
    assert run.status == 1, run.text
    assert len(tries) == 1
    text = " ".join(run.text.split())
    assert text.count("S1: the import of an interrupted run cannot be finished: ") == 1
    assert "0 of 1 session was written." in text
    assert f"0 imported {packets} refused" in text
    assert study.main(*args).status == 0
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("kind", [Kind.TAR, Kind.FOLDER])
def test_another_packet_of_a_finished_session_is_imported(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    packet = study.put("S1", T1.files())
    args = ["--overwrite=yes", "--archive=leave"]
    interrupt(study, monkeypatch, *args)
    packet.unlink()
    study.put("S1", BOLD.files(), kind)
    run = study.main(*args)
    assert run.status == 0, run.text
    assert NOTE not in run.text
    assert sorted(Judge(study.session("S1")).text.images) == [41]


def test_an_internal_error_in_the_recovery_of_one_packet_does_not_stop_the_others(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", under("a", MrSeries().files()))

    def failing(*_: object, **__: object) -> None:
        raise TypeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.finish.archive_packets", failing)
        assert study.main().status == 1
        study.put("S2", under("a", MrSeries().files()))
        run = study.main()
    assert run.status == 1, run.text
    assert "S1: internal error while the import of an interrupted run was finished: TypeError." in run.text
    assert "Traceback" not in run.out
    assert study.main().status == 0
    assert list(study.inbox.iterdir()) == []


def publish_only(study: Study, monkeypatch: pytest.MonkeyPatch, *args: str) -> None:
    """Run until the sessions are published: no packet is archived, and the journal stays."""

    def killed(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.finish.archive_packets", killed)
        assert study.main(*args).status == 1
    assert (study.sessions / ".qxbatch" / "journal" / "S1.json").exists()


@pytest.mark.parametrize("replaced_by", ["nothing", "folder", "link"])
def test_a_packet_stays_if_its_session_lost_its_session_txt(
    study: Study, monkeypatch: pytest.MonkeyPatch, replaced_by: str
) -> None:
    packet = study.put("S1", T1.files())
    publish_only(study, monkeypatch)
    session_txt = study.session("S1") / "session.txt"
    session_txt.unlink()
    if replaced_by == "folder":
        session_txt.mkdir()
    elif replaced_by == "link":
        session_txt.symlink_to("nowhere")
    run = study.main()
    assert run.status == 1
    assert "is no longer the session that was made from its packets" in run.text
    assert packet.exists()
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_a_partial_copy_of_a_packet_whose_session_is_gone_is_removed(
    study: Study, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    study.put("S1", T1.files())
    args = [f"--archive={mode}"]
    publish_only(study, monkeypatch, *args)
    workspace = Workspace(study.sessions)
    tag = workspace.of_run(run_of_journal(workspace.journal_path("S1"))).hidden_name_tag("S1")
    study.archive.mkdir(parents=True, exist_ok=True)
    hidden_path(study.archive / "S1.zip", HiddenKind.COPY, tag).write_bytes(b"a part")
    study.session("S1").rename(study.sessions.parent / "elsewhere")
    study.main(*args)
    assert study.session_names() == ["S1"]
    assert [path.name for path in study.archive.iterdir()] == ["S1.zip"]
