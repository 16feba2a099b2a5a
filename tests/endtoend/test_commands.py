"""The command at the end of a message, run by a shell, does what the message says."""

import random
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.build.dicom import MrSeries
from tests.build.encrypted import Member, encrypted, joined
from tests.build.foreign import FOREIGN
from tests.build.packets import Kind, under, write_folder, zipped
from tests.build.shell import UNPACKED, in_shell, problems, programs
from tests.build.study import Study, snapshot
from tests.endtoend.test_left_out import counts

T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=2, time="102000")
TREE = under("T1", T1.files())
ENCRYPTED = encrypted(BOLD.files())
CUT = zipped(BOLD.files())[:-200]
RAR = FOREIGN["rar5"][1]
FOLDER_MODE = ("--masterinbox=none", "--sessions=*")


def only(listed: list[dict[str, Any]], code: str) -> dict[str, Any]:
    """Return the only problem with this code."""
    [problem] = [each for each in listed if each["code"] == code]
    return problem


def images(study: Study, session: str) -> int:
    return len(list((study.session(session) / "nii").glob("*.nii.gz")))


def password(study: Study) -> str:
    """Write a password file; return its path, quoted for the shell."""
    path = study.sessions.parent / "pass word.txt"
    path.write_text("secret\n")
    return shlex.quote(str(path))


def in_session(study: Study, tree: Mapping[str, bytes]) -> None:
    """Put files into the inbox of the session S1."""
    write_folder(tree, study.session("S1") / "inbox")


# names


@pytest.mark.parametrize("name", ["QC.zip", "inbox.zip", "archive.zip", "specs.zip", "a:b.zip", "-x.zip", "a\nb.zip"])
def test_a_packet_with_a_reserved_or_invalid_name_is_renamed_and_imported_alone(study: Study, name: str) -> None:
    study.put_bytes(name, zipped(TREE))
    problem = only(problems(study, "--archive=leave"), "bad-name")
    study.put("other", TREE)
    run = in_shell(study, problem["command"])
    assert run.status == 0, run.text
    [session] = study.session_names()
    assert images(study, session) == 1
    assert not (study.inbox / name).exists()


def test_a_name_from_the_logfile_is_corrected_there(study: Study, tmp_path: Path) -> None:
    study.put("HQ1", TREE)
    log = tmp_path / "log.csv"
    log.write_text("HQ1,QC\n")
    summary = tmp_path / "run.json"
    run = study.main(f"--logfile=path:{log}|packet_name:1|subject_id:2", f"--json-file={summary}")
    assert f"Correct it in {log}" in run.text
    assert "HQ1" not in summary.read_text()
    [command] = [line for line in run.text.splitlines() if line.startswith("      qxbatch ")]
    log.write_text("HQ1,S1\n")
    assert in_shell(study, command).status == 0
    assert study.session_names() == ["S1"]


def test_a_session_folder_with_an_invalid_name_is_renamed(study: Study) -> None:
    write_folder(TREE, study.session("a#b") / "inbox")
    problem = only(problems(study, *FOLDER_MODE), "bad-name")
    assert in_shell(study, problem["command"]).status == 0
    assert images(study, "a_b") == 1


# packets whose archives cannot be opened


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP], ids=["folder", "zip"])
def test_a_packet_of_encrypted_archives_is_imported_with_the_password(study: Study, kind: Kind) -> None:
    study.put("S 1", {"visit.zip": ENCRYPTED}, kind)
    study.put("S2", {"visit.zip": ENCRYPTED}, kind)
    found = problems(study)
    commands = {each["command"] for each in found if each["code"] == "no-images"}
    assert len(commands) == 2
    run = in_shell(study, min(commands), FILE=password(study))
    assert run.status == 0, run.text
    assert (study.session_names(), images(study, "S 1")) == (["S 1"], 1)


def test_the_wrong_password_is_corrected_in_its_file(study: Study) -> None:
    study.put("S1", {"visit.zip": ENCRYPTED})
    file = study.sessions.parent / "words"
    file.write_text("wrong\n")
    problem = only(problems(study, f"--password-file={file}"), "no-images")
    assert "add the right one" in problem["hint"]
    file.write_text("wrong\nsecret\n")
    assert in_shell(study, problem["command"]).status == 0
    assert images(study, "S1") == 1


def test_a_packet_of_a_truncated_archive_is_imported_when_the_archive_is_complete(study: Study) -> None:
    packet = study.put("S1", {"visit.zip": CUT}, Kind.FOLDER)
    problem = only(problems(study), "no-images")
    assert "Get a sound copy" in problem["hint"]
    (packet / "visit.zip").write_bytes(zipped(BOLD.files()))
    assert in_shell(study, problem["command"]).status == 0
    assert images(study, "S1") == 1


def test_an_archive_of_an_unsupported_kind_that_is_alone_in_a_packet_is_unpacked(study: Study) -> None:
    study.put("S 1", {"visit 2.rar": RAR}, Kind.FOLDER)
    write_folder(BOLD.files(), programs(study.sessions.parent.parent / "programs") / UNPACKED)
    run = in_shell(study, only(problems(study), "no-images")["command"])
    assert run.status == 0, run.text
    assert images(study, "S 1") == 1
    assert counts(study, "S 1") == {}
    assert (study.archive / "visit 2.rar").read_bytes() == RAR


def test_a_packet_of_an_unsupported_kind_is_unpacked(study: Study) -> None:
    study.put_bytes("S 2.rar", RAR)
    study.put("other", TREE)
    write_folder(BOLD.files(), programs(study.sessions.parent.parent / "programs") / UNPACKED)
    problem = only(problems(study, "--sessions=S 2.*"), "unopened")
    run = in_shell(study, problem["command"])
    assert run.status == 0, run.text
    assert study.session_names() == ["S 2"]


def test_encrypted_and_truncated_archives_get_the_advice_for_both(study: Study) -> None:
    study.put("S1", {"a.zip": ENCRYPTED, "b.zip": CUT}, Kind.FOLDER)
    problem = only(problems(study), "no-images")
    assert "Get a sound copy of the archive. Give --password-file=FILE" in problem["hint"]
    assert "--password-file=FILE" in problem["command"]


def test_encrypted_and_damaged_members_get_the_advice_for_both(study: Study) -> None:
    members = [Member(f"a/{name}", data) for name, data in BOLD.files().items()]
    data = bytearray(joined(*members, *(Member(f"b/{name}", data, None) for name, data in T1.files().items())))
    offset = bytes(data).rindex(b"T1w")
    data[offset : offset + 3] = b"xxx"
    study.put_bytes("S1.zip", bytes(data))
    problem = only(problems(study), "damaged")
    assert "--password-file=FILE" in problem["hint"]
    assert "Get a sound copy of what is damaged." in problem["hint"]
    run = in_shell(study, problem["command"], FILE=password(study))
    assert "is damaged" in run.text
    assert images(study, "S1") == 2


def test_a_packet_without_images_is_imported_once_it_is_complete(study: Study) -> None:
    packet = study.put("S1", {"notes.txt": b"x"}, Kind.FOLDER)
    problem = only(problems(study), "no-images")
    write_folder(TREE, packet)
    assert in_shell(study, problem["command"]).status == 0
    assert images(study, "S1") == 1


@pytest.mark.parametrize(
    ("member", "option"), [("visit.zip", "--max-nesting=0"), ("IM0001", "--max-nesting=2")], ids=["limit", "unsorted"]
)
def test_a_packet_of_which_nothing_was_imported_has_no_advice_about_a_ledger(
    study: Study, member: str, option: str
) -> None:
    bare = MrSeries(changes={"SeriesInstanceUID": None, "SOPClassUID": None, "Rows": None}).files()["IM0001"]
    study.put("S1", {member: zipped(BOLD.files()) if member.endswith(".zip") else bare}, Kind.FOLDER)
    problem = only(problems(study, option), "no-images")
    assert ("archive above a limit" if member.endswith(".zip") else "cannot be sorted") in problem["message"]
    assert "ledger" not in problem["hint"]


# members left out of a session


@pytest.mark.parametrize("archive", ["move", "copy", "leave", "delete"])
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ], ids=["folder", "zip", "tar.gz"])
def test_an_encrypted_archive_is_imported_by_the_command(study: Study, kind: Kind, archive: str) -> None:
    study.put("S 1", {**TREE, "visit.zip": ENCRYPTED}, kind)
    problem = only(problems(study, f"--archive={archive}"), "left-out")
    assert images(study, "S 1") == 1
    run = in_shell(study, problem["command"], FILE=password(study))
    assert run.status == 0, run.text
    assert images(study, "S 1") == 2
    assert counts(study, "S 1") == {}


def test_a_packet_that_got_a_number_in_the_archive_is_moved_back_under_its_name(study: Study) -> None:
    study.put("S1", under("T1", MrSeries(number=9).files()))
    study.main()
    study.put("S1", {**TREE, "visit.zip": ENCRYPTED})
    before = snapshot(study.archive)
    problem = only(problems(study, "--overwrite=yes"), "left-out")
    assert in_shell(study, problem["command"], FILE=password(study)).status == 0
    assert images(study, "S1") == 2
    assert before.items() <= snapshot(study.archive).items()


@pytest.mark.parametrize("archive", ["move", "copy", "leave", "delete"])
@pytest.mark.parametrize("nested", [False, True], ids=["loose", "in a zip"])
def test_in_folder_mode_an_encrypted_archive_is_imported_from_the_session(
    study: Study, archive: str, nested: bool
) -> None:
    tree = {**TREE, "more/visit.zip": ENCRYPTED}
    in_session(study, {"packet.zip": zipped(tree)} if nested else tree)
    problem = only(problems(study, *FOLDER_MODE, f"--archive={archive}"), "left-out")
    run = in_shell(study, problem["command"], FILE=password(study))
    assert run.status == 0, run.text
    assert images(study, "S1") == 2
    assert counts(study) == {}


@pytest.mark.parametrize("archive", ["move", "copy"])
def test_an_archive_of_an_unsupported_kind_beside_images_is_unpacked_in_the_packet(study: Study, archive: str) -> None:
    study.put("S1", {**TREE, "more/visit 2.rar": RAR}, Kind.FOLDER)
    write_folder(BOLD.files(), programs(study.sessions.parent.parent / "programs") / UNPACKED)
    run = in_shell(study, only(problems(study, f"--archive={archive}"), "left-out")["command"])
    assert run.status == 0, run.text
    assert images(study, "S1") == 2
    assert counts(study) == {}


@pytest.mark.parametrize(
    ("option", "size"), [("--max-nesting=0", 0), ("--max-expansion=2", 1 << 23), ("--max-total=1M", 1 << 21)]
)
def test_a_limit_is_raised(study: Study, option: str, size: int) -> None:
    study.put("S1", {**TREE, "visit.zip": zipped({"notes": b"n" * size, **BOLD.files()})}, Kind.FOLDER)
    [problem] = problems(study, option)
    run = in_shell(study, problem["command"].replace("--max-expansion=20", "--max-expansion=2000"))
    assert images(study, "S1") == 2, run.text
    assert counts(study) == {}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--max-total=1M"], "cannot-write"),
        (["--max-members=1"], "damaged"),
        (["--max-members=1", "--on-damaged=keep"], "damaged"),
        (["--max-expansion=2", "--on-damaged=keep"], "damaged-kept"),
    ],
)
def test_the_command_of_a_packet_above_a_limit_imports_it(study: Study, options: list[str], code: str) -> None:
    study.put("S1", {"notes": bytes(random.Random(1).choices(b"ACGT", k=6 << 20)), **TREE})
    problem = only(problems(study, *options), code)
    run = in_shell(study, problem["command"])
    assert run.status == 0, run.text
    assert images(study, "S1") == 1
    assert counts(study) == {}


@pytest.mark.parametrize("mode", ["inbox", "folder"])
@pytest.mark.parametrize("tree", [{"more/visit.zip": CUT}, {"T1/IM0009": b""}], ids=["cut", "empty"])
def test_where_only_another_packet_helps_there_is_no_command(
    study: Study, tree: Mapping[str, bytes], mode: str
) -> None:
    if mode == "inbox":
        study.put("S1", {**TREE, **tree}, Kind.FOLDER)
        problem = only(problems(study), "left-out")
    else:
        in_session(study, {**TREE, **tree})
        problem = only(problems(study, *FOLDER_MODE), "left-out")
    assert "command" not in problem
    assert "Importing the same packet again changes nothing" in problem["hint"]


def test_the_command_does_not_name_a_patient_whom_the_session_id_replaces(study: Study) -> None:
    study.put("Doe_Jane", {**under("T1", T1.with_(name="Doe^Jane").files()), "visit.zip": ENCRYPTED})
    problem = only(problems(study, "--deidentify-logs", "--nameformat=(?P<subject_id>D)"), "left-out")
    assert "Jane" not in problem["command"] + problem["hint"]
    assert "If the packet was moved, put it back into the inbox first." in problem["hint"]


def test_a_shell_outside_of_a_container_gets_its_own_paths(study: Study) -> None:
    study.put("QC", TREE)
    study.put("S1", {**TREE, "visit.zip": ENCRYPTED})
    found = problems(study, f"--path-map={study.sessions}=/out/side")
    assert only(found, "bad-name")["command"].startswith(
        "mv -n -- /out/side/inbox/MR/QC.zip /out/side/inbox/MR/QC-1.zip && "
    )
    assert only(found, "left-out")["command"].startswith(
        "mv -nT -- /out/side/archive/MR/S1.zip /out/side/inbox/MR/S1.zip && "
    )


def test_the_command_of_each_refused_packet_imports_that_packet_alone(study: Study) -> None:
    for name in ("P 1", "P2", "P3"):
        packet = study.put(name, TREE)
        packet.write_bytes(packet.read_bytes()[:-60])
    run = study.main("--archive=leave")
    commands = [line.strip() for line in run.out.splitlines() if line.strip().startswith("qxbatch ")]
    assert study.session_names() == []
    for command, name in zip(commands, ("P 1", "P2", "P3"), strict=True):
        before = study.session_names()
        in_shell(study, command)
        assert study.session_names() == [*before, name]
