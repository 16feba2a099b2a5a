"""If the session id replaces patients, no output except the DICOM itself and the packet's own paths names them."""

import csv
import errno
import gzip
import json
import os
import re
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qxbatch.events import RunFinished
from qxbatch.model import Report, SessionId, SessionReport
from qxbatch.problems import Code, Problem, Severity
from qxbatch.report.json_file import JsonSummaryObserver
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.parrec import ParRec
from tests.build.study import Study
from tests.endtoend.judge import Judge

SECRETS = re.compile(rb"SECRET77|Doe[^A-Za-z0-9]{0,2}Jane|Jane[^A-Za-z0-9]{0,2}Doe", re.IGNORECASE)
SERIES = MrSeries(patient="SECRET77", name="Doe^Jane", description="T1 of Doe Jane")
TREE = {
    **under("DOE_JANE/T1", SERIES.files()),
    **under("DOE_JANE/cut", {"IM0001": SERIES.with_(number=5).files()["IM0001"][:700]}),
    "DOE_JANE/SECRET77.log": b"scanner's log\n",
    "DOE_JANE/letter to Doe, Jane.txt": b"letter\n",
    "README": b"x",
}
PAIR = {
    f"DOE_JANE_WIP_4_1.{ending}": data
    for ending, data in zip(("PAR", "REC"), ParRec(acquisition=4, patient="Doe^Jane").files("x").values(), strict=True)
}


def outputs(session: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the texts of a session: names of files and members, and contents except the packet's own bytes and paths."""
    for path in sorted(session.rglob("*")):
        name = path.relative_to(session).as_posix()
        yield name, name.encode()
        if not path.is_file():
            continue
        data = path.read_bytes()
        if name.endswith(".tar.gz"):
            with tarfile.open(path) as archive:
                yield from ((f"{name}!{member}", member.encode()) for member in archive.getnames())
        elif name == "qxbatch/ledger.tsv":
            yield from ((name, line.partition(b"\t")[2]) for line in data.splitlines())
        elif name.endswith(".nii.gz"):
            yield name, gzip.decompress(data)[:4096]
        elif not name.startswith(("inbox/", "dicom/log/")) and not name.endswith(".json.gz"):
            yield name, data


def leaks(texts: Iterator[tuple[str, bytes]], secrets: re.Pattern[bytes]) -> list[str]:
    return [f"{name}: {match[0]!r}" for name, data in texts if (match := secrets.search(data))]


def test_a_packet_of_par_rec_alone_is_named_by_its_session(study: Study, tmp_path: Path) -> None:
    study.put("X1_Doe_Jane", PAIR, Kind.ZIP)
    files = (tmp_path / "run.log", tmp_path / "run.json")
    names = "--nameformat=(?P<subject_id>X[0-9]+).*"
    run = study.run("--deidentify-logs", names, f"--log-file={files[0]}", f"--json-file={files[1]}")
    assert run.status == 0, run.text
    assert leaks(((path.name, path.read_bytes()) for path in files), SECRETS) == []
    assert not SECRETS.search(run.out.partition(" complete.")[2].encode()), run.out


@pytest.mark.parametrize("how", ["logfile", "switch"])
def test_no_output_names_the_patient(study: Study, tmp_path: Path, how: str) -> None:
    study.put("SECRET77" if how == "logfile" else "S1", {**TREE, **under("DOE_JANE/par", PAIR)}, Kind.ZIP)
    table = tmp_path / "table.csv"
    table.write_text("packet_name,subject_id\nSECRET77,S1\n")
    options = (
        (f"--logfile=path:{table}|packet_name:packet_name|subject_id:subject_id",)
        if how == "logfile"
        else ("--deidentify-logs",)
    )
    files = (tmp_path / "run.log", tmp_path / "run.json")
    run = study.run(*options, f"--log-file={files[0]}", f"--json-file={files[1]}", "--on-mixed=merge")
    assert run.status == 0, run.text
    assert "Traceback" not in run.text
    session = study.session("S1")
    Judge(session).check_places()
    assert leaks(outputs(session), SECRETS) == []
    assert leaks(((path.name, path.read_bytes()) for path in files), SECRETS) == []
    after = run.out.partition(" complete.")[2] + run.err
    assert not SECRETS.search(after.encode()), after
    labels = {name.split("/")[-1].split("-")[0] for name, _ in outputs(session) if ".tar.gz!30/" in name}
    assert labels == {"S1"}


def test_a_refused_packet_names_no_patient_either(study: Study, tmp_path: Path) -> None:
    packet = study.put("S1", {**TREE, **under("DOE_JANE/b", SERIES.with_(number=6).files())}, Kind.ZIP)
    data = bytearray(packet.read_bytes())
    data[len(data) // 2] ^= 0xFF
    packet.write_bytes(bytes(data))
    run = study.run("--deidentify-logs", f"--json-file={tmp_path / 'run.json'}", f"--log-file={tmp_path / 'run.log'}")
    assert run.status == 1, run.text
    output = run.text + (tmp_path / "run.json").read_text() + (tmp_path / "run.log").read_text()
    assert not SECRETS.search(output.encode()), output
    assert packet.exists()


@pytest.mark.data
@pytest.mark.parametrize("name", ["dcm_qa_agfa", "nitest-balls1", "dcm_qa_xa30i"])
def test_real_patients_are_named_nowhere(study: Study, data: Path, name: str) -> None:
    import pydicom

    from tests.build.packets import read_tree

    tree = read_tree(data / name / "In" if (data / name / "In").exists() else data / name)
    words = set()
    for content in tree.values():
        raw = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        if raw[128:132] == b"DICM":
            header = pydicom.dcmread(__import__("io").BytesIO(raw), stop_before_pixels=True, force=True)
            words |= {str(header.get(field, "")).strip() for field in ("PatientID", "PatientName")}
    words = {word for word in words if len(word) > 3}
    study.put("S1", tree, Kind.FOLDER)
    run = study.run("--deidentify-logs", "--on-mixed=merge")
    assert run.status == 0, run.text
    assert words, "the set has an identity to look for"
    secrets = re.compile("|".join(rf"(?<![\w.]){re.escape(word)}(?![\w.])" for word in sorted(words)).encode())
    assert leaks(outputs(study.session("S1")), secrets) == []


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o002, 0o664, 0o775)]
)
def test_written_files_obey_the_umask(study: Study, umask: int, file: int, folder: int) -> None:
    study.put("S1", TREE, Kind.ZIP)
    old = os.umask(umask)
    try:
        assert study.run().status == 0
    finally:
        os.umask(old)
    for path in [study.session("S1"), *study.session("S1").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (folder if path.is_dir() else file), f"{path}: {mode:o}"


@pytest.mark.parametrize("mode", [(), ("--masterinbox=none", "--sessions=*")], ids=["inbox", "folder"])
def test_parts_of_a_name_in_joined_text_are_in_no_output(study: Study, mode: tuple[str, ...]) -> None:
    changes: dict[str, object] = {
        "InstitutionName": "Zagar Clinic",
        "StationName": "MRZagar",
        "SequenceName": "ZagarSeq",
        "ProtocolName": "WIP zagar scan",
    }
    series = SERIES.with_(name="Zagar^Ana", description="KZagar ana T1 planned", changes=changes)
    tree = {**under("ZagarA", series.files()), "ZagarA/KZagar_notes.txt": b"x\n", "ZagarA/planned.txt": b"y\n"}
    if mode:
        for path, data in tree.items():
            file = study.session("S1") / "inbox" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    else:
        study.put("S1", tree)
    run = study.main("--deidentify-logs", *mode)
    assert run.status == 0, run.text
    session = study.session("S1")
    texts = (each for each in outputs(session) if not (mode and each[0].startswith(("inbox/", "qxbatch/ledger"))))
    assert leaks(texts, re.compile(rb"zagar|\bana\b", re.IGNORECASE)) == []
    assert b"planned" in (session / "session.txt").read_bytes()


def test_packets_that_are_not_imported_are_named_in_no_log_and_summary(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("packet\tsubject\nX1_Doe_Jane\tX1\nX2_Doe_Jane\tX2\n")
    options = (f"--logfile=path:{table}|packet_name:packet|subject_id:subject", "--max-members=8")
    few = under("a", MrSeries(patient="X1", name="").files())
    study.put("X1_Doe_Jane", few)
    assert study.main(*options).status == 0
    study.put("X1_Doe_Jane", few)
    study.put("X2_Doe_Jane", {**few, **{f"{k}.txt": b"x" for k in range(9)}})
    study.put("Doe_Jane", few)
    files = (tmp_path / "run.log", tmp_path / "run.json")
    run = study.main(*options, f"--log-file={files[0]}", f"--json-file={files[1]}")
    assert run.status == 1
    assert "2 left alone" in run.text, "one is already there, one has no match in the logfile"
    assert leaks(((path.name, path.read_bytes()) for path in files), SECRETS) == []
    found = json.loads(files[1].read_text())["found"]
    assert {Path(entry["path"]) for entry in found} == {study.inbox / "(name left out)"}
    assert sorted(entry["session"] or "" for entry in found) == ["", "X1", "X2"]


def test_a_summary_keeps_the_names_of_packets_that_are_session_ids(study: Study, tmp_path: Path) -> None:
    study.put("S1", MrSeries(patient="S1", name="").files())
    study.put("S2", {f"{k}.txt": b"x" for k in range(9)})
    json_file = tmp_path / "run.json"
    assert study.main("--deidentify-logs", "--max-members=8", f"--json-file={json_file}").status == 1
    assert [Path(entry["path"]).name for entry in json.loads(json_file.read_text())["found"]] == ["S1.zip", "S2.zip"]


def test_the_summary_of_a_recovering_run_does_not_name_what_was_archived(tmp_path: Path) -> None:
    json_file = tmp_path / "run.json"
    given = {"sessionsfolder": str(tmp_path), "deidentify_logs": "yes", "json_file": str(json_file)}
    text = "the packet X1_Doe_Jane.zip is in the archive."
    note = Problem(Code.RECOVERED, "X1", text, severity=Severity.WARNING)
    archived = tmp_path / "archive/MR/X1_Doe_Jane.zip"
    session = SessionReport("X1", SessionId("X1"), tmp_path / "X1", (note,), archived=archived)
    JsonSummaryObserver(parse(given).settings).notify(RunFinished(Report((), (session,)), 0))
    [written] = json.loads(json_file.read_text())["sessions"]
    assert written["archived"] == str(archived.with_name("(name left out)"))
    assert leaks(iter([("run.json", json_file.read_bytes())]), SECRETS) == []


@pytest.mark.parametrize("inside", ["", "Doe_Jane: 2/"])
def test_a_recovering_run_names_no_file_of_an_inbox(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    inbox = study.session("S1") / "inbox" / inside
    inbox.mkdir(parents=True)
    packet = write_packet(NAMELESS, inbox, "Roe_Ilka", Kind.ZIP)
    folder_mode = ("--masterinbox=none", "--sessions=S1")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(packet))

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.finish.archive_packets", fail)
        assert logged(study, tmp_path, *folder_mode)[0] == 1
        status, text = logged(study, tmp_path, *folder_mode)
        assert (status, "input/output error" in text) == (1, True)
        assert not NAMED.search(text), text
    packet.write_bytes(packet.read_bytes() + b"x")
    status, text = logged(study, tmp_path, *folder_mode)
    assert (status, "changed while it was imported" in text) == (1, True)
    assert not NAMED.search(text), text


def logged(study: Study, tmp_path: Path, *options: str) -> tuple[int, str]:
    """Run with de-identified logs; return the exit status, and the log with the summary."""
    files = (tmp_path / "run.log", tmp_path / "run.json")
    for path in files:
        path.unlink(missing_ok=True)
    run = study.main("--deidentify-logs", *options, f"--log-file={files[0]}", f"--json-file={files[1]}")
    assert "Traceback" not in run.text
    return run.status, "".join(path.read_text() for path in files if path.exists())


NAMED = re.compile(r"doe(?!s)|jane|roe|ilka", re.IGNORECASE)
ONLY_SUBJECT = "--nameformat=(?P<subject_id>X[0-9]+).*"
NAMELESS = under("a", MrSeries(patient="X1", name="").files())


@pytest.mark.parametrize("same", ["reject", "merge"])
def test_no_line_of_the_log_names_another_packet(study: Study, tmp_path: Path, same: str) -> None:
    for name in ("X1_Doe_Jane", "X1_Roe_Ilka", "X1_Jane"):
        study.put(name, NAMELESS)
    status, text = logged(study, tmp_path, ONLY_SUBJECT, f"--on-same-session={same}")
    assert status == (same == "reject")
    assert not NAMED.search(text), text


def test_the_log_has_no_part_of_a_packet_name_beside_the_patients_name(study: Study, tmp_path: Path) -> None:
    study.put("X1_MUSTERMANN_KATHI_1980-01-01", under("a", MrSeries(patient="X1", name="Mustermann^Katharina").files()))
    status, text = logged(study, tmp_path, ONLY_SUBJECT)
    assert status == 0, text
    assert [part for part in ("KATHI", "1980", "MUSTERMANN") if part in text] == []


@pytest.mark.parametrize(
    "name",
    ["X1\nDoe\tJane", "X1 Doe\x1bJane", "Doe\u202eJane", "-Doe_Jane", "X1\x85Roe", "..Roe_Ilka", "Doe\u2028Jane"],
)
@pytest.mark.parametrize("options", [(), (ONLY_SUBJECT,)])
def test_no_command_or_escaped_text_names_a_packet(
    study: Study, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    study.put(name, NAMELESS)
    _, text = logged(study, tmp_path, *options)
    assert "name left out" in text
    assert not NAMED.search(text), text


@pytest.mark.parametrize("name", ["O'Doe_Jane", "Doe 'Jane' \"Roe\"", "Doe\\'Jane"])
def test_a_command_names_no_packet_with_quotes(study: Study, tmp_path: Path, name: str) -> None:
    members = under("a", MrSeries(patient="X1", name="").files())
    study.put(name, {**members, "more.7z": b"7z\xbc\xaf\x27\x1c" + bytes(26)}, Kind.ZIP)
    mapping = tmp_path / "names.csv"
    with mapping.open("w", newline="") as file:
        csv.writer(file).writerows([["name", "subject"], [name, "S1"]])
    study.put(f"{name}_2", NAMELESS)
    _, text = logged(study, tmp_path, f"--logfile=path:{mapping}|packet_name:1|subject_id:2")
    assert "S1" in text
    assert "name left out" in text
    assert not NAMED.search(text), text


def test_neither_an_archive_to_unpack_nor_the_target_of_a_link_is_named(study: Study, tmp_path: Path) -> None:
    study.put_bytes("X1_Doe_Jane.rar", b"Rar!\x1a\x07\x01\x00" + bytes(50))
    study.put_bytes("X2_Doe.iso", bytes(32768) + b"\x01CD001" + bytes(4000))
    (study.inbox / "X3_link").symlink_to("/nowhere/Roe_Ilka")
    status, text = logged(study, tmp_path, ONLY_SUBJECT)
    assert status == 1
    assert not NAMED.search(text), text


def test_an_archive_in_the_inbox_of_a_session_is_not_named(study: Study, tmp_path: Path) -> None:
    write_packet(NAMELESS, study.session("S1") / "inbox", "Doe_Jane")
    status, text = logged(study, tmp_path, "--masterinbox=none", "--sessions=*")
    assert status == 0
    assert "archive/MR/(name left out)" in text
    assert not NAMED.search(text), text


def test_an_error_in_the_logfile_names_no_packet(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("packet\tsubject\nDoe_Jane\tX1\nDoe_Jane\tX2\n")
    status, text = logged(study, tmp_path, f"--logfile=path:{table}|packet_name:packet|subject_id:subject")
    assert status == 64
    assert "in row 2, and as X2 in row 3" in text
    table.write_text("Doe_Jane\tX1\n")
    status, text = logged(study, tmp_path, f"--logfile=path:{table}|packet_name:packet|subject_id:subject")
    assert status == 64
    assert "has no column named 'packet'" in text
    assert not NAMED.search(text), text


@pytest.mark.parametrize("kind", [Kind.ZIP, Kind.SEVENZ, Kind.TAR_GZ, Kind.FOLDER])
def test_a_packet_that_is_refused_unread_names_no_member(study: Study, tmp_path: Path, kind: Kind) -> None:
    members = {"Doe Jane/Roe.zip": b"PK\x03\x04" + bytes(60), "Doe^Jane/Ilka.gz": b"\x1f\x8b\x08garbage", "x": b"x"}
    study.put("S1", members, kind)
    status, text = logged(study, tmp_path)
    run = study.main("--deidentify-logs")
    assert status == run.status == 1
    assert "(name left out): " in run.text
    assert not NAMED.search(text + run.text), text + run.text


def test_other_ids_and_names_of_the_patient_are_named_nowhere(study: Study, tmp_path: Path) -> None:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.PatientID = "OTHER5555"
    changes: dict[str, object] = {
        "OtherPatientIDs": ["OTHER1111", "OTHER2222"],
        "OtherPatientNames": ["Zagar^Ana", "Novak^Eva"],
        "OtherPatientIDsSequence": [item],
        "PatientBirthName": "Horvat^Ana",
        "PatientMotherBirthName": "Kovac^Mia",
        "ResponsiblePerson": "Babic^Ivo",
        "MedicalRecordLocator": "OTHER3333",
    }
    words = ("OTHER1111", "OTHER2222", "OTHER3333", "OTHER5555", "Zagar", "Novak", "Horvat", "Kovac", "Babic")
    first = MrSeries(name="Doe^J", changes=changes, description=f"T1 {' '.join(words[:4])}")
    other = MrSeries(name="Doe^J", number=4, description=f"T2 {' '.join(words[4:])}")
    tree = {**first.files(), **under("b", other.files()), **{f"{word}/{word} note.txt": b"x" for word in words}}
    tree |= {f"{word}/cut": first.files()["IM0001"][:600] for word in words}
    study.put("S1", tree)
    status, text = logged(study, tmp_path)
    assert status == 0
    secrets = re.compile("|".join(words).encode(), re.IGNORECASE)
    assert leaks(outputs(study.session("S1")), secrets) == []
    assert not secrets.search(text.encode()), text


@pytest.mark.parametrize("comment", ["by Doe, Jane", "first scan of Miss Doerksenova"])
def test_the_header_of_an_image_names_no_patient(study: Study, comment: str) -> None:
    study.put("S1", MrSeries(name="Doerksenova^Jane^Doe", changes={"ImageComments": comment}).files())
    assert study.main("--deidentify-logs").status == 0
    image = gzip.decompress((study.session("S1") / "nii/31.nii.gz").read_bytes())
    assert not re.search(rb"Doe|Jane", image[:352]), image[:352]
    assert b"TE=30" in image[:352], "other texts are kept"


def test_a_kept_name_that_gets_too_long_without_the_patients_name_is_shortened(study: Study) -> None:
    session = "S" * 150
    name = f"Doering_Jane_{'n' * 230}.txt"
    study.put(session, {**MrSeries(patient="PX1234", name="Doering^Jane").files(), name: b"x"})
    run = study.run("--deidentify-logs")
    assert run.status == 0, run.text
    [kept] = (study.session(session) / "inbox").iterdir()
    assert kept.read_bytes() == b"x"
    assert kept.suffix == ".txt"
    assert "Doering" not in kept.name
    Judge(study.session(session)).check()
