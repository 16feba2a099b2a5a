"""The message of a refused packet ends with the command that fixes it; the tests run the command."""

import json
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under
from tests.build.parrec import ParRec
from tests.build.study import Study

FILES = under("x", MrSeries(number=3, description="T1w").files())
OTHER = under("y", MrSeries(number=4, description="T2w", patient="P2").files())


def commands(study: Study, *more: str) -> list[str]:
    """Run an import that refuses packets, and return the proposed commands."""
    json_file = study.sessions.parent / "run.json"
    run = study.main(*more, f"--json-file={json_file}")
    assert run.status in (1, 66), run.text
    content = json.loads(json_file.read_bytes())
    problems = [each["problem"] for each in content["found"] if each["problem"]]
    problems += [problem for session in content["sessions"] for problem in session["problems"]]
    proposed = [problem["command"] for problem in problems if "command" in problem]
    for command in proposed:
        assert f"      {command}\n" in run.text + "\n"
    return proposed


def run_proposed(command: str) -> int:
    program, *words = shlex.split(command)
    assert program == "qxbatch"
    return main(words)


def damaged() -> bytes:
    data = bytearray(packed({**FILES, **under("z", MrSeries(number=5).files())}, Kind.ZIP))
    data[200:240] = bytes(40)  # in the first member
    return bytes(data)


@pytest.mark.parametrize("more", [[], ["--archive=copy"], [r"--nameformat=(?P<subject_id>.*?)_(?P<session_name>.*)"]])
def test_the_command_for_a_packet_of_two_patients_splits_it(study: Study, more: list[str]) -> None:
    study.put("A 1_x", {**FILES, **OTHER})
    [command] = commands(study, *more)
    assert run_proposed(command) == 0
    assert study.session_names() == ["A 1_x-1", "A 1_x-2"]


def test_the_command_for_two_packets_of_one_session_merges_them(study: Study) -> None:
    study.put("S1", FILES, Kind.ZIP)
    study.put("S1", OTHER | FILES, Kind.TAR)
    study.put("S2", FILES, Kind.ZIP)
    proposed = set(commands(study))
    assert len(proposed) == 1
    assert "--on-same-session=merge" in proposed.pop()


def test_the_command_for_a_damaged_packet_imports_the_readable_files(study: Study) -> None:
    study.put("S2", FILES)
    study.put_bytes("S1.zip", damaged())
    [command] = commands(study)
    assert run_proposed(command) == 1, "a damaged packet is a failure, also when its readable files are imported"
    assert study.session_names() == ["S1", "S2"]


def test_the_command_for_a_sound_copy_refuses_another_damaged_packet(study: Study) -> None:
    study.put_bytes("S1.zip", damaged())
    run = study.main("--on-damaged=keep", "--list-all")
    lines = [line.strip() for line in run.text.splitlines()]
    command = lines[lines.index("Get a sound copy. Then import it again:") + 1]
    assert command == f"qxbatch {study.sessions} --sessions=S1 --on-damaged=refuse --overwrite=yes"
    assert run_proposed(command) == 1
    (study.inbox / "S1.zip").write_bytes(packed(FILES, Kind.ZIP))
    assert run_proposed(command) == 0


def test_the_command_for_a_par_without_rec_imports_the_complete_packet(study: Study) -> None:
    study.put("S1", {**FILES, "x/scan.PAR": ParRec().files()["scan.PAR"]})
    [command] = commands(study)
    assert command.endswith("--sessions=S1 --overwrite=yes")


def test_the_command_for_an_existing_session_overwrites_it(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    study.put("S1", FILES)
    assert study.main("--archive=copy").status == 0
    run = study.main("--check=no")
    assert any(line.endswith("session S1 exists; to import it again:") for line in run.text.splitlines())
    [command] = [line for line in run.text.splitlines() if line.startswith("        qxbatch ")]
    assert run_proposed(command.strip()) == 0
    assert "1 of 1 session was written." in capsys.readouterr().out


def test_the_command_in_folder_mode_has_the_options_of_folder_mode(study: Study) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    for name, data in {**FILES, **OTHER}.items():
        place = inbox / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    [command] = commands(study, "--masterinbox=none", "--sessions=*")
    assert "--masterinbox=none" in command
    assert run_proposed(command.replace("split", "merge")) == 0
    assert (study.session("S1") / "session.txt").exists()


def test_the_command_has_the_bids_app_form_of_the_call(study: Study, tmp_path: Path) -> None:
    study.put("S1", {**FILES, **OTHER})
    json_file = tmp_path / "run.json"
    words = [str(study.inbox), str(tmp_path / "out"), "participant", f"--json-file={json_file}"]
    assert main(words) == 1
    [session] = json.loads(json_file.read_bytes())["sessions"]
    [problem] = session["problems"]
    assert shlex.split(problem["command"])[1:4] == words[:3]
    assert run_proposed(problem["command"]) == 0


def test_the_command_of_sort_calls_sort(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    tree: Mapping[str, bytes] = {**FILES, **OTHER}
    for name, data in tree.items():
        (inbox / name.replace("/", "-")).write_bytes(data)
    assert main(["sort", str(study.session("S1"))]) == 1
    [command] = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("qxbatch ")]
    assert shlex.split(command)[1:3] == ["sort", str(study.session("S1"))]
    assert run_proposed(command.replace("split", "merge")) == 0


def test_the_command_for_a_packet_without_readable_members_does_not_keep_them(study: Study) -> None:
    [name, *_] = FILES
    data = bytearray(packed({name: FILES[name]}, Kind.ZIP))
    data[200:240] = bytes(40)  # in its only member
    (study.inbox / "S1.zip").write_bytes(data)
    [command] = commands(study)
    assert "--on-damaged" not in command
    (study.inbox / "S1.zip").write_bytes(packed(FILES, Kind.ZIP))
    assert run_proposed(command) == 0


def test_packets_with_equal_cleaned_names_get_different_names(study: Study) -> None:
    for name in ("a:b", "a#b", "a::b"):
        (study.inbox / f"{name}.zip").write_bytes(packed(FILES, Kind.ZIP))
    (study.inbox / "a_b.zip").write_bytes(packed(FILES, Kind.ZIP))
    for command in commands(study):
        subprocess.run(["bash", "-c", command.partition(" && ")[0]], check=True)
    assert study.main().status == 0
    assert study.session_names() == ["a__b", "a_b", "a_b-2", "a_b-3"]
