"""Encrypted packets through the command: opened with --password-file, else refused with advice."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.encrypted import CIPHERS, DEFLATED, Aes, Cipher, Member, Traditional, encrypted, joined
from tests.build.packets import Kind, Tree, under
from tests.build.study import Run, Study, run_command, snapshot
from tests.endtoend.judge import Judge

COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"
T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=3, time="102000")
TREE = dict(sorted({**under("T1", T1.files()), **under("BOLD", BOLD.files()), "notes/README": b"no image\n"}.items()))
SECRET = "geheim, und länger"
EACH = pytest.mark.parametrize(
    "cipher", [CIPHERS["traditional"], CIPHERS["ae1-128"], CIPHERS["ae2-256"]], ids=["traditional", "ae1", "ae2"]
)


def encrypted_zip(cipher: Cipher, tree: Tree = TREE) -> bytes:
    return encrypted(tree, SECRET.encode(), cipher, DEFLATED)


def passwords(study: Study, *lines: str) -> str:
    """Write a password file with these lines; return the option that names it."""
    path = study.sessions.parent / "passwords.txt"
    path.write_bytes("".join(line + "\r\n" for line in lines).encode("utf-8-sig"))
    return f"--password-file={path}"


def all_output(study: Study, run: Run) -> str:
    """Return the output of a run and the texts below its sessions folder, except .zip and .gz files."""
    texts = [run.text]
    for path in study.sessions.rglob("*"):
        if path.is_file() and path.suffix not in (".zip", ".gz"):
            texts.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(texts)


def differences(first: Path, second: Path) -> list[str]:
    """Return the differences between two sessions, except those between their packets."""
    done = subprocess.run(
        [sys.executable, COMPARE, "--moved", first, second], capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    return [
        line
        for line in lines
        if "packets[0].size" not in line
        and "<dt>packets</dt>" not in line
        and "packets[0].sha256" not in line
        and not line.endswith("the same content")  # unencrypted members stay deflated
    ]


@EACH
def test_the_session_equals_that_of_the_unencrypted_packet(cipher: Cipher, tmp_path: Path) -> None:
    unencrypted, study = Study(tmp_path / "unencrypted"), Study(tmp_path / "encrypted")
    unencrypted.put("S1", TREE, Kind.ZIP)
    assert unencrypted.run().status == 0
    data = encrypted_zip(cipher)
    packet = study.put_bytes("S1.zip", data)
    log = study.sessions.parent / "log.txt"
    run = study.run(passwords(study, "wrong", "", SECRET), f"--log-file={log}", f"--json-file={log}.json")
    assert run.status == 0, run.text
    Judge(study.session("S1")).check(TREE)
    assert differences(unencrypted.session("S1"), study.session("S1")) == []
    assert not packet.exists()
    assert (study.archive / "S1.zip").read_bytes() == data, "the packet stays encrypted"
    assert SECRET not in all_output(study, run) + log.read_text() + Path(f"{log}.json").read_text()


def test_a_second_run_verify_and_overwrite_work_as_with_other_packets(study: Study) -> None:
    study.put_bytes("S1.zip", encrypted_zip(Aes()))
    option = passwords(study, SECRET)
    assert study.run(option, "--archive=copy").status == 0
    before = snapshot(study.session("S1"))
    assert study.run("--check=no").status == 0, "an existing session needs no password"
    assert snapshot(study.session("S1")) == before
    verified = subprocess.run([sys.executable, "-m", "qxbatch", "verify", study.session("S1")], check=False)
    assert verified.returncode == 0
    run = study.run(option, "--overwrite=yes", "--archive=move")
    assert run.status == 0, run.text
    assert [path.name for path in study.archive.iterdir()] == ["S1.zip"]
    assert not (study.archive.parent / "replaced").exists(), "the new session contains the same bytes"


@pytest.mark.parametrize("archive", ["leave", "delete"])
def test_a_packet_is_left_or_deleted_as_archive_says(study: Study, archive: str) -> None:
    packet = study.put_bytes("S1.zip", encrypted_zip(Traditional()))
    run = study.run(passwords(study, SECRET), f"--archive={archive}")
    assert run.status == 0, run.text
    assert packet.exists() == (archive == "leave")


def test_bytes_that_are_only_in_an_encrypted_packet_are_kept_when_its_session_is_replaced(study: Study) -> None:
    """Bytes in an encrypted archive do not count as archived, because its password may be lost."""
    study.put_bytes("S1.zip", encrypted_zip(Aes()))
    assert study.run(passwords(study, SECRET)).status == 0
    study.put("S1", under("T1", T1.files()), Kind.TAR)
    run = study.run("--overwrite=yes")
    assert run.status == 0, run.text
    replaced = study.archive.parent / "replaced" / "S1-1"
    assert (replaced / "inbox/notes/README").read_bytes() == TREE["notes/README"]
    assert (replaced / "dicom/40.tar.gz").exists()


@EACH
def test_a_wrong_password_refuses_the_packet_and_nothing_changes(cipher: Cipher, study: Study) -> None:
    study.put_bytes("S1.zip", encrypted_zip(cipher))
    study.put("S2", T1.files())
    option = passwords(study, "first", "second")
    run = study.run(option)
    assert run.status == 1
    assert study.session_names() == ["S2"], "the others are imported"
    assert "S1.zip" in run.text
    assert "BOLD/IM0001: encrypted: none of the 2 given passwords decrypts it" in run.text
    assert f"None of the 2 passwords in {option.partition('=')[2]} fits" in run.text
    assert "damaged" not in run.text
    assert (study.inbox / "S1.zip").read_bytes() == encrypted_zip(cipher)


@EACH
def test_without_passwords_the_message_names_the_option(cipher: Cipher, study: Study) -> None:
    packet = study.put_bytes("S1.zip", encrypted_zip(cipher))
    before = snapshot(study.sessions)
    run = study.run()
    assert run.status == 1
    assert "Give --password-file=FILE" in run.text
    assert snapshot(study.sessions) == before
    assert packet.read_bytes() == encrypted_zip(cipher)


def test_a_packet_with_unencrypted_members_and_several_passwords_is_opened(study: Study) -> None:
    ciphers: list[Cipher] = [None, Traditional(), Aes(version=1), Aes(), Traditional(later=True)]
    members = [
        Member(name, data, ciphers[k % len(ciphers)], b"one" if k % 2 else b"two", DEFLATED)
        for k, (name, data) in enumerate(TREE.items())
    ]
    study.put_bytes("S1.zip", joined(*members))
    run = study.run(passwords(study, "one", "two"))
    assert run.status == 0, run.text
    Judge(study.session("S1")).check(TREE)


def test_an_encrypted_archive_inside_a_folder_is_opened_or_reported(study: Study) -> None:
    tree = {"BOLD.zip": encrypted_zip(Aes(), BOLD.files()), **under("T1", T1.files())}
    study.put("S1", tree, Kind.FOLDER)
    run = study.run("--archive=leave")
    assert run.status == 0, run.text
    assert "not imported: 1 encrypted archive (BOLD.zip)." in run.text
    assert "Give --password-file=FILE" in run.text
    assert (study.session("S1") / "inbox/BOLD.zip").read_bytes() == tree["BOLD.zip"]
    run = study.run("--overwrite=yes", passwords(study, SECRET))
    assert run.status == 0, run.text
    assert "not imported" not in run.text
    assert (study.session("S1") / "dicom/40.tar.gz").exists()


def test_the_message_for_a_packet_with_only_an_encrypted_archive_names_the_option(study: Study) -> None:
    study.put("S1", {"all.zip": encrypted_zip(Traditional())}, Kind.TAR)
    run = study.run()
    assert run.status == 1
    assert "1 encrypted archive (all.zip)" in run.text
    assert "Give --password-file=FILE" in run.text


def test_folder_mode_opens_an_encrypted_archive_in_the_inbox_of_a_session(study: Study) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "scan.zip").write_bytes(encrypted_zip(Aes()))
    run = study.run("--masterinbox=none", "--sessions=S1", passwords(study, SECRET))
    assert run.status == 0, run.text
    assert sorted(path.name for path in (study.session("S1") / "dicom").glob("*.tar.gz")) == ["30.tar.gz", "40.tar.gz"]


@EACH
def test_scan_and_split_open_encrypted_packets(cipher: Cipher, study: Study) -> None:
    packet = study.put_bytes("S1.zip", encrypted_zip(cipher))
    option = passwords(study, SECRET)
    refused, opened = run_command("scan", str(packet)), run_command("scan", "--json", option, str(packet))
    assert refused.status == 1
    assert "Give --password-file=FILE" in refused.text
    assert [series["number"] for series in json.loads(opened.out)["sources"][0]["series"]] == [3, 4]
    output = f"--output={study.sessions.parent / 'parts'}"
    refused = run_command("split", str(packet), output)
    assert refused.status == 1
    assert "cannot be opened; nothing was written" in refused.text
    assert "Give --password-file=FILE" in refused.text
    assert run_command("split", str(packet), output, option).status == 0
    assert len(list((study.sessions.parent / "parts").rglob("IM*"))) == len(TREE) - 1


def test_sort_opens_an_encrypted_archive_in_the_inbox_of_a_session(study: Study) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "scan.zip").write_bytes(encrypted_zip(Aes()))
    run = run_command("sort", str(study.session("S1")), passwords(study, SECRET))
    assert run.status == 0, run.text
    assert sorted(path.name for path in (study.session("S1") / "dicom").glob("*.tar.gz")) == ["30.tar.gz", "40.tar.gz"]


FILES = {"missing": None, "folder": "/", "empty": b"", "only ends of lines": b"\xef\xbb\xbf\r\n\n\n"}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_password_file_without_passwords_is_a_usage_error_before_any_work(study: Study, content: object) -> None:
    study.put("S1", T1.files())
    path = study.sessions.parent / "words"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "/":
        path.mkdir()
    before = snapshot(study.sessions)
    run = study.run(f"--password-file={path}")
    assert run.status == 64
    assert str(path) in run.text
    assert snapshot(study.sessions) == before


ASCII_PASSWORD = "of ASCII only, as 7z wants it"
SEVEN_ZIP, INFO_ZIP = ["7z", "a", "-bd", "-tzip"], ["zip", "-q", "-r"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("program", "options"),
    [
        (SEVEN_ZIP, ["-mem=AES256", f"-p{ASCII_PASSWORD}"]),
        ([*SEVEN_ZIP, "-mm=Copy"], ["-mem=AES128", f"-p{ASCII_PASSWORD}"]),
        ([*SEVEN_ZIP, "-mm=LZMA"], ["-mem=ZipCrypto", f"-p{ASCII_PASSWORD}"]),
        (INFO_ZIP, ["-P", ASCII_PASSWORD]),
    ],
    ids=["7z-aes256", "7z-aes128-stored", "7z-zipcrypto-lzma", "zip"],
)
def test_packets_that_other_programs_encrypt_are_opened(
    program: list[str], options: list[str], data: Path, tmp_path: Path
) -> None:
    if not shutil.which(program[0]):
        pytest.skip(f"{program[0]} is not installed: packets of that program are not tried")
    source = data / "dcm_qa_nih" / "In" / "20180918GE"
    unencrypted, study = Study(tmp_path / "unencrypted"), Study(tmp_path / "encrypted")
    for each, words in ((unencrypted, program), (study, [*program, *options])):
        subprocess.run([*words, each.inbox / "S1.zip", "."], cwd=source, check=True, stdout=subprocess.DEVNULL)
    assert unencrypted.run().status == 0
    run = study.run(passwords(study, ASCII_PASSWORD))
    assert run.status == 0, run.text
    assert differences(unencrypted.session("S1"), study.session("S1")) == []
    assert ASCII_PASSWORD not in all_output(study, run)
