"""An import whose output nobody reads has the same status and writes the same files."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study

READERS = {
    "a reader of both that ends": "{ %s; echo $? > STATUS; } 2>&1 | head -1",
    "a reader of errors that ends": "{ { %s; echo $? > STATUS; } 2>&1 > /dev/null; } | true",
    "closed output": "%s >&-; echo $? > STATUS",
    "closed errors": "%s 2>&-; echo $? > STATUS",
    "everything closed": "%s <&- >&- 2>&-; echo $? > STATUS",
    "errors to a full disk": "%s 2> /dev/full; echo $? > STATUS",
    "both to a full disk": "%s > /dev/full 2>&1; echo $? > STATUS",
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_an_import_needs_no_reader_of_its_output(study: Study, tmp_path: Path, reader: str) -> None:
    for name in ("PA1", "PA2", "PA3"):
        study.put(name, MrSeries(patient=name).files())
    study.put_bytes("broken.zip", b"PK\x03\x04")
    words = [sys.executable, "-m", "qxbatch", str(study.sessions), f"--json-file={tmp_path / 'run.json'}"]
    status = tmp_path / "status"
    script = reader % shlex.join(words)
    shell = ["bash", "-c", script.replace("STATUS", shlex.quote(str(status)))]
    subprocess.run(shell, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    assert status.read_text().strip() == "1"  # one packet is broken
    assert study.session_names() == ["PA1", "PA2", "PA3"]
    assert sorted(path.name for path in study.archive.iterdir()) == ["PA1.zip", "PA2.zip", "PA3.zip"]
    assert '"exit_status": 1' in (tmp_path / "run.json").read_text()


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["/no/such/folder"]], ids=["help", "version", "wrong usage"]
)
def test_help_version_and_usage_errors_have_their_status_without_a_reader(words: list[str]) -> None:
    command = shlex.join([sys.executable, "-m", "qxbatch", *words])
    read = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    for ends in (">&- 2>&-", "> /dev/full 2> /dev/full"):
        unread = subprocess.run(["bash", "-c", f"{command} {ends}"], capture_output=True, check=False)
        assert unread.returncode == read.returncode, ends


ESCAPES = "\x1b]0;title\x07\x1b[31mRED\x1b[2J\x9b31m\u202e"


def test_control_characters_of_names_reach_neither_terminal_nor_log(study: Study, tmp_path: Path) -> None:
    ids = (f"A{ESCAPES}", f"B{ESCAPES}\rFORGED LINE")
    utf8 = {"SpecificCharacterSet": "ISO_IR 192"}
    series = [MrSeries(number=3 + k, patient=patient, changes=utf8) for k, patient in enumerate(ids)]
    trees = [{f"{ESCAPES}{name}": data for name, data in each.files().items()} for each in series]
    study.put("two", {**under("a", trees[0]), **under("b", trees[1])})
    (study.inbox / f"P{ESCAPES}").mkdir()
    (study.inbox / "P\nFORGED LINE\nX").mkdir()
    for packet in study.inbox.iterdir():
        if packet.is_dir():
            (packet / f"{ESCAPES}.dcm").write_bytes(next(iter(trees[0].values()))[:300])
    log = tmp_path / "log.txt"
    runs = [study.run(f"--log-file={log}"), study.run("--on-mixed=split", f"--log-file={log}"), study.run("--test")]
    text = "".join(run.text for run in runs) + log.read_text()
    assert "FORGED LINE" in text
    assert not [line for line in text.splitlines() if line.strip() == "FORGED LINE"]
    assert not [character for character in text if not character.isprintable() and character != "\n"]
