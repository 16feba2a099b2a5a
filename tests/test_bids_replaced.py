"""An export while an import replaces a session, or after such an import was killed: images of two imports are not mixed."""

import errno
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.files import export_cache as module
from qxbatch.bids.files.age_and_sex import age_and_sex
from qxbatch.bids.files.changes import Change, planned_changes
from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.file_hash import file_hash
from qxbatch.bids.files.planned_files import PlannedFile
from qxbatch.bids.files.shared import shared_files
from qxbatch.bids.rules.rule_file import read_rules
from qxbatch.bids.write.placing import LinkMode
from qxbatch.bids.write.request import ExportRequest
from qxbatch.bids.write.result import SessionOutcome
from qxbatch.bids.write.run import run_export
from qxbatch.session.folder import SessionFolder
from tests.build.bids import Scan, session
from tests.build.bids_study import T1, BidsStudy
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under

OTHER_SCANS = (Scan(2, "rest", "10:00:00", 100, volumes=3), Scan(3, "t1", "10:10:00", shape=(6, 6, 5)))


def replace_session(study: BidsStudy, name: str) -> None:
    """Replace a session, as another import does."""
    shutil.rmtree(study.sessions / name)
    study.add(name, *OTHER_SCANS)


@pytest.fixture
def study(tmp_path: Path) -> BidsStudy:
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2")
    return study


@pytest.mark.parametrize("link", [LinkMode.HARD, LinkMode.COPY])
def test_a_session_that_is_replaced_after_it_was_read_is_not_exported(study: BidsStudy, link: LinkMode) -> None:
    plans = decide([SessionFolder(study.sessions / name) for name in ("S1", "S2")], read_rules(study.rules))
    replace_session(study, "S1")
    export = run_export(ExportRequest(study.sessions, study.bids, link_mode=link), plans)
    states = {result.session: result.state for result in export.sessions}
    assert states == {"S1": SessionOutcome.FAILED, "S2": SessionOutcome.EXPORTED}
    assert "an import replaced the session" in " ".join(export.sessions[0].problems)
    assert not [path for path in study.tree() if path.startswith("sub-S1/")]
    assert "sub-S1" not in (study.bids / "participants.tsv").read_text()


def test_the_next_export_has_the_replaced_session(study: BidsStudy) -> None:
    plans = decide([SessionFolder(study.sessions / "S1")], read_rules(study.rules))
    replace_session(study, "S1")
    run_export(ExportRequest(study.sessions, study.bids), plans)
    assert study.run().status == 0
    exported = study.bids / f"{T1}.nii.gz"
    assert exported.read_bytes() == (study.sessions / "S1" / "nii" / "31.nii.gz").read_bytes()


def test_a_session_that_is_replaced_after_its_files_were_compared_is_not_exported(
    study: BidsStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changes_and_replaced_session(*args: Any) -> list[Change]:
        changes = planned_changes(*args)
        replace_session(study, "S1")
        return changes

    monkeypatch.setattr("qxbatch.bids.write.export.planned_changes", changes_and_replaced_session)
    run = study.run("--link=hard", "--sessions=S1")
    assert run.status == 1
    assert "S1: not exported: an import replaced the session while it was exported" in run.out
    assert not (study.bids / f"{T1}.nii.gz").exists()


def test_a_session_without_session_txt_is_not_exported(study: BidsStudy) -> None:
    (study.sessions / "S1" / "session.txt").unlink()
    run = study.run()
    assert run.status == 1
    assert "S1: not exported: it has images but no session.txt" in run.out
    assert "sub-S2/anat/sub-S2_T1w.nii.gz" in study.tree()
    assert f"{T1}.nii.gz" not in study.tree()


def test_files_of_a_session_without_session_txt_stay_in_the_data_set(study: BidsStudy) -> None:
    assert study.run().status == 0
    before = {path: data for path, data in study.tree().items() if path.startswith("sub-")}
    (study.sessions / "S1" / "session.txt").unlink()
    assert study.run().status == 1
    assert before == {path: data for path, data in study.tree().items() if path.startswith("sub-")}


def damage(study: BidsStudy, name: str) -> None:
    """Make the first image of a session differ from its checksum in the summary, as on a damaged disk."""
    (summary,) = (study.sessions / name).glob("qxbatch/summary.json")
    content = json.loads(summary.read_text())
    image = next(image for image in content["images"] if image["number"] == 21)
    size = (study.sessions / name / "nii" / "21.nii.gz").stat().st_size
    image["sums"] = {"nii/21.nii.gz": {"size": size, "sha256": "0" * 64}}
    summary.write_text(json.dumps(content))
    for cache in (study.sessions / ".qxbatch" / "bids").glob(
        "*.json"
    ):  # a damaged disk does not change the times of a file
        stored = json.loads(cache.read_text())
        stored["files"].get(f"/{study.sessions / name / 'nii' / '21.nii.gz'}", [""])[-1] = "0" * 64
        cache.write_text(json.dumps(stored))


@pytest.mark.parametrize("damaged", ["S1", "S2"])
def test_a_session_does_not_get_the_label_of_one_whose_files_cannot_be_placed(study: BidsStudy, damaged: str) -> None:
    study.add("S2", Scan(2, "t1", "11:00:00"))
    study.add("S3")
    assert study.run().status == 0
    before = {path: data for path, data in study.tree().items() if "S3" not in path and "code/" not in path}
    damage(study, damaged)
    study.rules.write_text(study.rules.read_text() + '\n[session.S1]\nsubject = "S2"\n[session.S2]\nsubject = "S1"\n')
    study.change_rules("task-rest", "task-open")
    for _ in range(2):
        run = study.run()
        assert run.status == 1
        assert f"is of session {damaged}, which is not exported now" in " ".join(run.out.split())
        assert "1 session exported" in run.out
        after = {path: data for path, data in study.tree().items() if "S3" not in path and "code/" not in path}
        assert after == before
        assert "sub-S3/func/sub-S3_task-open_bold.nii.gz" in study.tree()


def test_files_that_stay_keep_the_values_of_their_session_in_shared_tables(study: BidsStudy) -> None:
    study.add("S1", ses="x", subject="S1")
    assert study.run().status == 0
    before = study.tree()
    study.add("S1", Scan(2, "t1", "12:34:00"), Scan(3, "rest", "12:44:00", 100, volumes=3), ses="x", subject="S1")
    damage(study, "S1")
    study.add("S3")
    run = study.run("--json")
    assert run.status == 1
    after = study.tree()
    assert {path: data for path, data in after.items() if path.startswith("sub-S1/")} == {
        path: data for path, data in before.items() if path.startswith("sub-S1/")
    }
    assert "sub-S3" in after["participants.tsv"].decode()
    changed = {each["path"]: each["action"] for each in json.loads(run.out)["changed"]}
    assert changed["participants.tsv"] == "replace"


def test_a_session_is_not_exported_beside_images_that_an_interrupted_export_left(
    study: BidsStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "an error of the disk")

    study.add("S1", Scan(2, "t1", "11:00:00"))
    assert study.run().status == 0
    study.rules.write_text(study.rules.read_text() + '\n[session.S1]\nsubject = "S2"\n[session.S2]\nsubject = "S1"\n')
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.bids.write.apply.Applier._remove", fail)
        assert study.run().status == 73
    bold = "sub-S2/func/sub-S2_task-rest_bold.nii.gz"
    assert bold in study.tree(), "an image of S2 is beside the images of S1"
    summary = study.sessions / "S2" / "qxbatch" / "summary.json"
    content = summary.read_text()
    summary.write_text("{")
    run = study.run()
    assert run.status == 1
    assert f"S1: not exported: {bold} is of session S2, which is not exported now. Export both" in " ".join(
        run.out.split()
    )
    summary.write_text(content)
    assert study.run().status == 0
    assert bold not in study.tree()
    assert study.run("--sessions=S1").status == 0


def test_tables_have_no_values_of_a_session_that_is_replaced_after_its_unchanged_files_were_compared(
    study: BidsStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(age: str, *scans: Scan) -> None:
        study.add("S1", *scans)
        series = MrSeries(changes={"PatientSex": "F", "PatientAge": age})
        path = study.sessions / "S1" / "dicom" / "20.tar.gz"
        path.write_bytes(packed(under("20", series.files()), Kind.TAR_GZ))

    def replaced_session(*args: Any) -> list[PlannedFile]:
        shutil.rmtree(study.sessions / "S1")
        add("025Y", *OTHER_SCANS)
        return shared_files(*args)

    add("070Y")
    assert study.run().status == 0
    before = study.tree()
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.bids.write.run.shared_files", replaced_session)
        run = study.run()
    assert run.status == 1
    assert "S1: not exported: an import replaced the session while it was exported" in run.out
    for path in ("participants.tsv", f"{T1}.nii.gz", "sub-S1/sub-S1_scans.tsv"):
        assert study.tree()[path] == before[path]
    assert study.run().status == 0
    assert "sub-S1\t25\tF\n" in study.tree()["participants.tsv"].decode()


@pytest.mark.parametrize("words", [(), ("--sourcedata",)])
def test_a_session_is_not_exported_beside_the_dicom_of_another_one(study: BidsStudy, words: tuple[str, ...]) -> None:
    (study.sessions / "S1" / "dicom" / "30.tar.gz").write_bytes(b"DICOM of S1")
    (study.sessions / "S2" / "dicom" / "20.tar.gz").write_bytes(b"DICOM of S2")
    study.set_labels(S1="1", S2="2")
    assert study.run("--sourcedata").status == 0
    shutil.rmtree(study.sessions / "S1")
    shutil.rmtree(study.bids / "sub-1")
    study.set_labels(S2="1")
    run = study.run(*words)
    assert run.status == 1
    assert "sourcedata/sub-1/30.tar.gz is of session S1, which no longer exists." in " ".join(run.out.split())
    shutil.rmtree(study.bids / "sourcedata" / "sub-1")
    assert study.run(*words).status == 0


def test_ages_that_were_read_while_an_import_replaced_a_session_are_not_used_later(tmp_path: Path) -> None:
    def add(number: int, age: str) -> SessionFolder:
        folder = session(tmp_path, "S1", Scan(number, "t1"))
        headers = MrSeries(changes={"PatientAge": age}).files()
        archive = packed(under(f"{number}0", headers), Kind.TAR_GZ)
        (folder.path / "dicom" / f"{number}0.tar.gz").write_bytes(archive)
        return folder

    cache, replaced = ExportCache(None), add(2, "070Y")
    assert replaced.summary
    shutil.rmtree(replaced.path)
    current = add(3, "025Y")
    age_and_sex(replaced, cache)
    assert age_and_sex(current, cache)["age"] == "25"
    assert cache.age_and_sex("S1", current.paths.summary.stat()) is not None


def test_an_age_that_could_not_be_read_once_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "an error of the network")

    folder, stamps = session(tmp_path, "S1", Scan(2, "t1")), ExportCache(None)
    headers = MrSeries(changes={"PatientAge": "070Y"}).files()
    (folder.path / "dicom" / "20.tar.gz").write_bytes(packed(under("20", headers), Kind.TAR_GZ))
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.bids.files.age_and_sex.tarfile.open", fail)
        assert age_and_sex(folder, stamps) == {}
    assert age_and_sex(folder, stamps)["age"] == "70"


def test_the_only_session_is_damaged_and_a_table_was_edited(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", Scan(2, "t1", "10:00:00"))
    study.set_labels(S1="1")
    assert study.run().status == 0
    table = study.bids / "participants.tsv"
    table.write_text("participant_id\tgroup\nsub-1\tpatient\n")
    study.set_labels(S1="2")
    assert study.run().status == 0
    study.add("S1", Scan(2, "t1", "12:00:00", shape=(5, 4, 3)))
    damage(study, "S1")
    run = study.run()
    assert run.status == 1
    assert "S1: not exported:" in run.out
    assert "sub-1\tpatient" in table.read_text()


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "x.nii.gz"
    path.write_bytes(b"ours")

    def read_and_save(name):
        result = file_hash(name)
        if path.read_bytes() == b"ours":
            path.write_bytes(b"edit")
        return result

    monkeypatch.setattr(module, "file_hash", read_and_save)
    assert ExportCache(None).hash_of("x", path, path.stat()) == hashlib.sha256(b"edit").hexdigest()
