"""Archives of unsupported kinds: as packets they give exit status 1, and inside a packet they are kept."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from qxbatch.core import is_archive, sniff
from qxbatch.discover.unsupported_archives import UNOPENED
from qxbatch.session.ledger import read_ledger
from tests.build.dicom import MrSeries
from tests.build.foreign import FOREIGN
from tests.build.packets import Kind, under, zipped
from tests.build.study import Study

TREE = under("T1", MrSeries(number=3, description="T1w").files())
EACH = pytest.mark.parametrize("ending", FOREIGN)


def test_every_unsupported_kind_has_an_example() -> None:
    assert {kind for kind, _ in FOREIGN.values()} == set(UNOPENED)


@EACH
def test_the_kind_of_an_archive_is_recognised_by_content(ending: str, tmp_path: Path) -> None:
    kind, data = FOREIGN[ending]
    path = tmp_path / f"packet.{ending}"
    path.write_bytes(data)
    assert (sniff(str(path)), is_archive(str(path))) == (kind, False)


@EACH
def test_an_unsupported_packet_is_reported_and_fails_also_when_quiet(ending: str, study: Study) -> None:
    kind, data = FOREIGN[ending]
    study.put("good", TREE)
    study.put_bytes(f"S2.{ending}", data)
    run = study.main("--quiet")
    assert run.status == 1
    assert f"is {UNOPENED[kind].title}, which qxbatch does not open." in run.text
    assert study.session_names() == ["good"]
    assert (study.inbox / f"S2.{ending}").read_bytes() == data


def test_the_command_that_unpacks_the_archive_is_quoted_for_the_shell(study: Study) -> None:
    study.put_bytes("S 2.rar", FOREIGN["rar5"][1])
    archive, inbox = study.archive, study.inbox
    unpack = (
        f"mkdir '{inbox}/S 2' && unrar x '{inbox}/S 2.rar' '{inbox}/S 2'/ && "
        f"mkdir -p {archive} && mv -n -- '{inbox}/S 2.rar' {archive}/ && "
    )
    assert unpack in study.main().text


def test_no_command_unpacks_an_archive_into_another_packet(study: Study) -> None:
    study.put("S2", TREE, Kind.FOLDER)
    study.put_bytes("S2.rar", FOREIGN["rar5"][1])
    text = study.main("--test").text
    assert "unrar" not in text
    assert "with a name that is not in use" in " ".join(text.split())


def test_archives_in_a_packet_are_unpacked_into_new_folders(study: Study) -> None:
    rar = FOREIGN["rar5"][1]
    study.put(
        "S1", {**TREE, "other/1": b"x", "other.rar": rar, "scan.rar": rar, "scan.lha": FOREIGN["lha"][1]}, Kind.FOLDER
    )
    [command] = [line for line in study.main().text.splitlines() if "unrar x" in line]
    folders = [words[len("mkdir ") :] for words in command.strip().split(" && ") if words.startswith("mkdir /")]
    assert [Path(folder).name for folder in folders] == ["other-2", "scan", "scan-2"]


def test_a_cpio_archive_with_absolute_paths_is_unpacked_in_its_folder(study: Study, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    name = f"{outside / 'file'}\0".encode()
    head = f"070701{1:08x}{0o100644:08x}{0:08x}{0:08x}{1:08x}{2**30:08x}{3:08x}{0:08x}{0:08x}{0:08x}{0:08x}{len(name):08x}{0:08x}"
    end = f"070701{0:08x}{0:08x}{0:08x}{0:08x}{1:08x}{0:08x}{0:08x}{0:08x}{0:08x}{0:08x}{0:08x}{11:08x}{0:08x}TRAILER!!!\0"
    data = head.encode() + name
    data += bytes(-len(data) % 4) + b"new" + b"\0" + end.encode() + bytes(3)
    study.put_bytes("S2.cpio", data)
    [command] = [line.strip() for line in study.main().text.splitlines() if "cpio -" in line]
    assert "cpio -id --no-absolute-filenames -D" in command
    if shutil.which("cpio"):
        subprocess.run(["bash", "-c", command.rpartition(" && ")[0]], check=True)
        assert not any(outside.iterdir())
        assert (study.inbox / "S2" / str(outside / "file").lstrip("/")).read_bytes() == b"new"


def test_the_summary_of_the_run_has_the_problem_code(study: Study, tmp_path: Path) -> None:
    study.put_bytes("S2.rar", FOREIGN["rar5"][1])
    out = tmp_path / "run.json"
    assert study.main(f"--json-file={out}").status == 1
    assert '"unopened"' in json.dumps(json.loads(out.read_text(encoding="utf-8")))


@EACH
@pytest.mark.parametrize("nested", [False, True], ids=["in a folder", "in a zip"])
def test_the_ledger_names_the_kind_of_an_unsupported_archive_in_a_packet(
    nested: bool, ending: str, study: Study
) -> None:
    kind, data = FOREIGN[ending]
    tree = {**TREE, f"other.{ending}": data}
    if nested:
        study.put("S1", tree)
    else:
        inbox = study.session("S1") / "inbox"
        for name, content in tree.items():
            (inbox / name).parent.mkdir(parents=True, exist_ok=True)
            (inbox / name).write_bytes(content)
    run = study.main() if nested else study.main("--masterinbox=none", "--sessions=S1")
    assert run.status == 0, run.text
    [row] = [
        row for row in read_ledger(study.session("S1") / "qxbatch" / "ledger.tsv") if row.path == f"other.{ending}"
    ]
    assert (row.kind, row.fate) == ("archive", "kept")
    assert row.reason == f"kept whole, not opened: {UNOPENED[kind].title}, which qxbatch does not open"
    reported = f"1 archive of an unsupported kind (other.{ending})" in run.text
    assert reported is (ending != "cab")  # cabinets contain the programs of a patient's disc


@pytest.mark.parametrize("part", ["zip.001", "zip"])
def test_a_part_of_a_split_zip_is_reported_as_such(part: str, study: Study) -> None:
    data = zipped(TREE)
    data = data[: len(data) // 2] if part == "zip.001" else data[:-18] + b"\x01\x00\x01\x00" + data[-14:]
    study.put_bytes(f"S1.{part}", data)
    run = study.main()
    assert run.status == 1
    assert "is one part of a split archive, which qxbatch does not open" in run.text
    assert "7z x" in run.text


def test_a_complete_zip_named_like_a_part_is_opened(study: Study) -> None:
    study.put_bytes("S1.zip.001", zipped(TREE))
    assert study.main().status == 0


def test_a_zstd_window_above_the_limit_is_not_reported_as_damage(study: Study) -> None:
    frame = bytes([0x28, 0xB5, 0x2F, 0xFD, 0, 21 << 3, 1, 0, 0])
    study.put_bytes("S1.tar.zst", frame)
    run = study.main()
    assert run.status == 1
    assert "it needs a window of 2048 MiB, more than 128 MiB (limit); repack it with `zstd --long=27`" in run.text
    assert "damaged" not in run.text
