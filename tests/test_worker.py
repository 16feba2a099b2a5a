"""`qxbatch worker` imports one named packet, and imports it only once."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qxbatch.archive.packet import archive_packet
from qxbatch.cluster.creation import make_submission
from qxbatch.cluster.end_job import write_study_level
from qxbatch.collecting import NEW_OBJECTS
from qxbatch.discover.candidates import candidates
from qxbatch.discover.units import units_of
from qxbatch.model import Report
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries
from tests.build.packets import write_folder
from tests.build.parrec import ParRec
from tests.build.study import Run, Study, run_main, snapshot


def put(study: Study, *names: str) -> None:
    for name in names:
        study.put(name, MrSeries(patient=f"P {name}").files())


def worker(study: Study, *options: str) -> Run:
    return run_main("worker", str(study.sessions), *options)


@pytest.mark.parametrize("name", ["S2.zip", "S2"])
def test_a_worker_imports_only_the_named_packet(study: Study, name: str) -> None:
    put(study, "S1", "S2", "S3")
    before = snapshot(study.inbox)
    run = worker(study, f"--packet={name}")
    assert run.status == 0, run.text
    assert study.session_names() == ["S2"]
    assert {key: value for key, value in before.items() if key != "S2.zip"} == snapshot(study.inbox)
    assert not (study.sessions / "study.tsv").exists(), "a worker never writes the study level"
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("name", ["S1", "S1.zip"])
def test_a_lone_par_beside_the_packet_of_its_stem_is_left_out(study: Study, name: str) -> None:
    """Its packet has the whole file name, and so another session."""
    put(study, "S1")
    (study.inbox / "S1.PAR").write_text(ParRec().par())
    run = worker(study, f"--packet={name}")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1"]
    assert "S1.PAR" not in run.text
    assert sorted(snapshot(study.inbox)) == ["S1.PAR"]


@pytest.mark.parametrize("name", ["S1.PAR", "s1.REC", "S1"])
def test_a_worker_imports_a_pair_whose_names_differ_in_case(study: Study, name: str) -> None:
    (study.inbox / "S1.PAR").write_text(ParRec().par())
    (study.inbox / "s1.REC").write_bytes(ParRec().rec())
    put(study, "S2")
    run = worker(study, f"--packet={name}")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1"]
    assert sorted(snapshot(study.inbox)) == ["S2.zip"]


def test_a_worker_finishes_the_import_of_a_pair_whose_rec_is_archived(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The PAR alone would have another session."""
    (study.inbox / "s1.PAR").write_text(ParRec().par())
    (study.inbox / "S1.REC").write_bytes(ParRec().rec())
    calls: list[object] = []

    def fail_the_second_time(*args: object, **named: object) -> object:
        calls.append(args)
        if len(calls) > 1:
            raise OSError(5, "Input/output error")
        return archive_packet(*args, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.archiving.archive_packet", fail_the_second_time)
        assert study.main().status == 1
    assert sorted(snapshot(study.inbox)) == ["s1.PAR"]
    run = worker(study, "--packet=s1.PAR")
    assert run.status == 0, run.text
    assert study.session_names() == ["s1"]
    assert sorted(snapshot(study.archive)) == ["S1.REC", "s1.PAR"]
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("folder_mode", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "{sessions}/inbox/MR/S1.zip",
        "{sessions}/S1",
        "../../S1",
        "../../inbox",
        "../../study.tsv",
        ".",
        "..",
        "../../../o",
    ],
)
def test_a_path_is_the_name_of_no_packet(path: str, folder_mode: bool, study: Study) -> None:
    """Joined to the folder of staging, the path leads to the packet, a session or another folder, which are no staging."""
    put(study, "S1")
    assert study.main("--archive=leave").status == 0
    write_folder({"file": b"of the user"}, study.sessions.parent / "o")
    write_folder({"file": b"of a live run"}, study.sessions / ".qxbatch" / "work" / "S9")
    before = snapshot(study.sessions.parent), (study.sessions / "study.tsv").read_bytes()
    options = ["--masterinbox=none"] if folder_mode else []
    run = worker(study, f"--packet={path.format(sessions=study.sessions)}", *options)
    assert run.status == 64
    assert "is a path, and not the name of a packet" in run.text
    assert (snapshot(study.sessions.parent), (study.sessions / "study.tsv").read_bytes()) == before


def test_a_worker_does_not_name_the_page_of_the_study(study: Study) -> None:
    put(study, "S1")
    assert f"Page of the study: {study.sessions / 'report.html'}" in study.run().out
    put(study, "S2")
    run = worker(study, "--packet=S2.zip", "--check=yes", "--verbose=yes")
    assert run.status == 0, run.text
    assert "1 of 1 session was written." in run.out
    assert "Page of the study" not in run.out, "it does not show the new session"


def test_a_second_call_of_a_worker_changes_nothing(study: Study) -> None:
    put(study, "S1")
    assert worker(study, "--packet=S1.zip").status == 0
    before = snapshot(study.sessions)
    for name in ("S1.zip", "S1"):
        run = worker(study, f"--packet={name}")
        assert run.status == 0
        assert "session S1 exists; nothing was done." in run.out
    put(study, "S1")
    assert "session S1 exists; nothing was done." in worker(study, "--packet=S1.zip").out
    assert {key: value for key, value in snapshot(study.sessions).items() if key in before} == before


def test_a_second_call_for_a_split_packet_is_a_success(study: Study) -> None:
    files = {f"{k}/{path}": data for k in "12" for path, data in MrSeries(patient=f"P{k}", study=k).files().items()}
    study.put("S1", files)
    assert worker(study, "--packet=S1.zip", "--on-mixed=split").status == 0
    assert study.session_names() == ["S1-1", "S1-2"]
    for name in ("S1.zip", "S1"):
        run = worker(study, f"--packet={name}", "--on-mixed=split")
        assert run.status == 0, run.text
        assert f"{name} is not in the inbox, and it was split into S1-1 and others; nothing was done." in run.out
    study.put("S1", files)
    run = worker(study, "--packet=S1.zip", "--on-mixed=split")
    assert "S1.zip: it was split into S1-1 and others; nothing was done." in run.out


def test_a_worker_reads_the_mode_of_a_config_file(study: Study, tmp_path: Path) -> None:
    write_folder(MrSeries().files(), study.session("S1") / "inbox")
    config = tmp_path / "config.toml"
    config.write_text("masterinbox = 'none'\n")
    run = worker(study, "--packet=S1", f"--config={config}")
    assert run.status == 0, run.text
    assert (study.session("S1") / "session.txt").exists()


def test_a_worker_reads_a_config_file_from_a_pipe_and_writes_the_log_that_it_names(
    study: Study, tmp_path: Path
) -> None:
    put(study, "S1")
    pipe, log = tmp_path / "pipe", tmp_path / "run.log"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=[f"log_file = '{log}'\nparelements = 2\n"])
    writer.start()
    run = worker(study, "--packet=S1", f"--config={pipe}")
    writer.join()
    assert run.status == 0, run.text
    assert "option: --parelements=2\n" in log.read_text()


def test_a_dry_run_in_a_config_file_is_refused_as_on_the_command_line(study: Study, tmp_path: Path) -> None:
    put(study, "S1")
    config = tmp_path / "config.toml"
    config.write_text("test = true\n")
    before = snapshot(study.sessions)
    for option in (f"--config={config}", "--test"):
        run = worker(study, "--packet=S1", option)
        assert run.status == 64
        assert "test" in run.err
    assert snapshot(study.sessions) == before
    config.write_text("test = false\ncheck = 'yes'\n")
    assert worker(study, "--packet=S9", f"--config={config}").status == 0
    assert worker(study, "--packet=S1", f"--config={config}").status == 0
    assert study.session_names() == ["S1"]


def test_a_loose_file_is_refused_with_the_others_of_its_study_as_in_an_import(study: Study) -> None:
    files = [*MrSeries(patient="A").files().values(), *MrSeries(patient="B", study="2").files().values()]
    for name, data in zip(("A1.dcm", "A2.dcm", "B1.dcm"), (*files[:2], files[-1]), strict=True):
        study.put_bytes(name, data)
    run = worker(study, "--packet=A1.dcm")
    assert run.status == 1
    assert "2 loose DICOM files of one study (A1.dcm, A2.dcm) are not a packet" in run.out
    assert study.session_names() == []
    run = worker(study, "--packet=B1.dcm")
    assert run.status == 0, run.text
    assert study.session_names() == ["B1.dcm"]


def test_a_missing_or_stray_packet_gives_status_66(study: Study) -> None:
    study.put_bytes("notes.txt", b"notes")
    for name, reason in (("S9", "nothing of that name is in"), ("notes.txt", "stray")):
        run = worker(study, f"--packet={name}")
        assert run.status == 66
        assert reason in run.out
        assert worker(study, f"--packet={name}", "--check=no").status == 0


def test_a_damaged_packet_fails_with_its_reason_at_every_call(study: Study) -> None:
    put(study, "S1")
    path = study.inbox / "S1.zip"
    path.write_bytes(path.read_bytes()[:-300])
    for _ in range(2):
        run = worker(study, "--packet=S1.zip")
        assert run.status == 1
        assert "is damaged" in run.out


def test_a_packet_locked_by_another_run_is_not_imported(study: Study) -> None:
    put(study, "S1")
    locks = Locks(Workspace(study.sessions).locks_folder)
    lock = locks.take("session S1")
    assert lock is not None
    assert worker(study, "--packet=S1.zip").status == 75
    locks.release(lock)
    locks.close()
    assert worker(study, "--packet=S1.zip").status == 0


@pytest.mark.parametrize("name", ["session S1", "packet S1.zip"])
def test_a_worker_removes_the_lock_of_a_run_killed_after_its_last_step(study: Study, name: str) -> None:
    put(study, "S1")
    assert worker(study, "--packet=S1.zip").status == 0
    leave_lock(study, name)
    other = Locks(Workspace(study.sessions).locks_folder).take("session S2")
    assert other is not None
    assert worker(study, "--packet=S1.zip").status == 0
    assert list(Workspace(study.sessions).locks_folder.iterdir()) == [other.path]


def test_the_last_job_of_a_submission_removes_the_locks_of_killed_tasks(study: Study) -> None:
    put(study, "S1")
    settings = parse({"sessionsfolder": str(study.sessions), "scheduler": "SLURM"}).settings
    units = units_of(candidates(settings), folder_mode=False)
    submission = make_submission(settings, {"scheduler": "SLURM"}, units, Report())
    assert submission is not None
    leave_lock(study, "packet S1.zip")
    write_study_level(submission, settings)
    assert not Workspace(study.sessions).locks_folder.exists()


def leave_lock(study: Study, name: str) -> None:
    """Leave a lock as a killed run does: with its file, without the kernel's lock."""
    lock = Locks(Workspace(study.sessions).locks_folder).take(name)
    assert lock is not None
    os.close(lock.descriptor)


def test_two_packets_of_one_session_are_refused_or_merged_as_in_a_run(study: Study) -> None:
    study.put("S1", MrSeries(number=1).files())
    write_folder(MrSeries(number=2).files(), study.inbox / "S1")
    put(study, "S2")
    run = worker(study, "--packet=S1.zip")
    assert run.status == 1
    assert "belong to one session" in run.out
    run = worker(study, "--packet=S1.zip", "--on-same-session=merge")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1"]
    assert [path.name for path in study.inbox.iterdir()] == ["S2.zip"]


def test_a_worker_imports_a_session_of_folder_mode(study: Study) -> None:
    for k in (1, 2):
        write_folder(MrSeries(patient=f"P{k}").files(), study.session(f"S{k}") / "inbox")
    run = worker(study, "--packet=S2", "--masterinbox=none")
    assert run.status == 0, run.text
    assert not (study.session("S1") / "dicom").exists()
    assert (study.session("S2") / "session.txt").exists()
    assert worker(study, "--packet=S2", "--masterinbox=none").status == 0


def test_a_worker_uses_the_logfile_and_bids_names(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("packet,subject\nAX1,OP1\nAX2,OP2\n")
    put(study, "AX1", "AX2")
    spec = f"--logfile=path:{table}|packet_name:packet|subject_id:subject"
    assert worker(study, "--packet=OP2", spec).status == 0
    assert worker(study, "--packet=AX2.zip", spec).status == 0
    assert study.session_names() == ["OP2"]
    put(study, "sub-7_ses-2")
    output = tmp_path / "out"
    run = run_main("worker", str(study.inbox), str(output), "participant", "--packet=sub-7_ses-2.zip")
    assert run.status == 0, run.text
    assert (output / "sub-7_ses-2" / "session.txt").exists()
    assert (study.inbox / "sub-7_ses-2.zip").exists(), "the BIDS-App form leaves packets"


def test_a_worker_clears_the_staging_of_a_killed_worker(study: Study) -> None:
    put(study, "S1", "S2")
    space = Workspace(study.sessions)
    (space.staging_top / "S1" / ("0" * 16) / "scratch").mkdir(parents=True)
    (space.staging_top / "S2" / ("0" * 16) / "scratch").mkdir(parents=True)
    assert worker(study, "--packet=S1.zip").status == 0
    assert [path.name for path in space.staging_top.iterdir()] == ["S2"], "the staging of other sessions is unchanged"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "No packet is named"),
        (["--packet=S1", "--packt=S2"], "--packet"),
        (["--packet=S1", "--scheduler=SLURM"], "There is no option --scheduler"),
        (["--submission=20260101-000000-aaaaaaaa", "--task=1/0"], "There is no submission"),
        (["--submission=../x", "--task=1/0"], "There is no submission"),
    ],
)
def test_an_invalid_call_is_a_usage_error(study: Study, options: list[str], message: str) -> None:
    run = worker(study, *options)
    assert run.status == 64
    assert message in run.err


def test_a_worker_has_the_garbage_collection_threshold_of_an_import(study: Study) -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700)
        assert worker(study, "--packet=S1").status == 66
        assert gc.get_threshold()[0] == NEW_OBJECTS
    finally:
        gc.set_threshold(*before)


def test_an_import_without_a_scheduler_loads_no_cluster_module(study: Study) -> None:
    put(study, "S1")
    code = (
        "import sys; from qxbatch.cli.main import main; status = main(sys.argv[1:]);"
        "print([name for name in sys.modules if 'cluster' in name or name == 'qxbatch.settings.scheduler']); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(study.sessions)], capture_output=True, text=True, check=True, timeout=100
    )
    loaded = [line for line in done.stdout.splitlines() if line.startswith("[")][-1]
    assert loaded in ("['qxbatch.settings.of_cluster']", "[]")


@pytest.mark.parametrize("order", [("S1.zip", "S1_2.zip"), ("S1_2.zip", "S1.zip")], ids=" ".join)
def test_numbers_in_archived_names_do_not_depend_on_the_order(study: Study, order: tuple[str, str]) -> None:
    study.archive.mkdir(parents=True)
    (study.archive / "S1.zip").write_bytes(b"another packet of that name")
    put(study, "S1", "S1_2")
    names = {name: (study.inbox / name).read_bytes() for name in order}
    for name in order:
        assert worker(study, f"--packet={name}").status == 0
    assert (study.archive / "S1_2.zip").read_bytes() == names["S1_2.zip"]
    assert (study.archive / "S1_3.zip").read_bytes() == names["S1.zip"]


def test_a_worker_whose_replaced_files_cannot_be_kept_imports_nothing(study: Study) -> None:
    put(study, "S1")
    assert worker(study, "--packet=S1.zip").status == 0
    put(study, "S1")
    (study.archive.parent / "replaced").write_text("not a folder")
    before = snapshot(study.sessions)
    run = worker(study, "--packet=S1.zip", "--overwrite=yes")
    assert run.status == 73
    assert "the folder of replaced files cannot be created" in run.err
    assert snapshot(study.sessions) == before


def test_a_sessions_folder_that_cannot_be_created_is_named(study: Study, tmp_path: Path) -> None:
    put(study, "S1")
    output = tmp_path / "output"
    output.symlink_to("nothing")
    run = run_main("worker", str(study.inbox), str(output), "participant", "--packet=S1")
    assert run.status == 73
    assert f"The sessions folder {output} cannot be created" in run.err


@pytest.mark.parametrize("is_bids_app", [False, True])
def test_the_log_of_a_worker_is_not_written_into_a_packet(tmp_path: Path, is_bids_app: bool) -> None:
    data, output = tmp_path / "data", tmp_path / "output"
    write_folder(MrSeries().files(), data / "sub-1")
    output.mkdir()
    before = snapshot(tmp_path)
    words = [str(data), str(output), "participant"] if is_bids_app else [str(output), f"--masterinbox={data}"]
    run = run_main("worker", *words, "--packet=sub-1", f"--log-file={data / 'sub-1' / 'run.log'}")
    assert run.status == 64, run.text
    assert "is in the master inbox" in run.err
    assert snapshot(tmp_path) == before
