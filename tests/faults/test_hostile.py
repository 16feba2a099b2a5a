"""Hostile and broken packets through the command: refused, or kept with a reason; files outside are not touched."""

import gzip
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import Monitor
from qxbatch.verification.session import session_checks
from tests.build.broken import bomb, cut, flipped, odd_names, odd_tar, same_names, wrong_crc
from tests.build.dicom import MrSeries
from tests.build.encrypted import encrypted
from tests.build.packets import Kind, packed, tarred, under, zipped
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge
from tests.faults.stage import environment

SERIES = MrSeries()
TREE = {**under("T1", SERIES.files()), "README": b"x" * 200}
OPEN = b"\xff\xff\xff\xff"
IMAGE = SERIES.files()["IM0001"]
GOOD, PART, BAD = "a session", "a session with a failed series", "refused"


def zip_of(names: list[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in SERIES.files().items():
            archive.writestr(f"T1/{name}", data)
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, f"evil {name!r}")
    return out.getvalue()


def zip_with_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in SERIES.files().items():
            archive.writestr(f"T1/{name}", data)
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "../../../outside")
        archive.writestr("link/owned", "evil")
    return out.getvalue()


def nested_zips() -> bytes:
    """Return a zip in four others, each of which also contains the same files."""
    data = zipped(TREE)
    for _ in range(4):
        data = zipped({**TREE, "again.zip": data})
    return data


def dicom(change: Callable[[bytes], bytes]) -> bytes:
    return zipped({**TREE, "odd.dcm": change(MrSeries(number=8).files()["IM0001"])})


ESCAPES = [
    "../../outside/owned",
    "/tmp/qx-owned",
    "C:\\owned",
    "..\\..\\owned",
    "a/../../../owned",
    "./..//owned",
    "a\0b",
]
PACKETS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip-slip": (lambda: zip_of(ESCAPES), GOOD),
    "control": (lambda: zip_of(["a\nb", "a\tb", "a\x1b[31mb", "a\rb", "\x7f", "con", "a:b", "a ", "a."]), GOOD),
    "dots": (lambda: zip_of([".", "..", "/", "//", "...", "~"]), GOOD),
    "long": (lambda: zip_of(["n" * 255, "n" * 1000, "/".join(["deep"] * 400)]), GOOD),
    "case": (lambda: zip_of(["a/Readme", "a/README", "A/readme"]), GOOD),
    "link": (zip_with_link, GOOD),
    "tar": (lambda: odd_tar(TREE, links={"T1/l": b"../../../outside", "h": b"/etc/passwd"}, devices=["d", "f"]), GOOD),
    "same": (lambda: same_names([("IM", data) for data in SERIES.files().values()] + [("IM", IMAGE)]), GOOD),
    "zip-in-zip": (nested_zips, GOOD),
    "extension": (lambda: tarred(TREE), GOOD),
    "encrypted": (lambda: encrypted(TREE), BAD),
    "crc": (lambda: wrong_crc(TREE, "README"), BAD),
    "bomb": (lambda: bomb("zeros", 300 << 20), BAD),
    "cut-end": (lambda: cut(zipped(TREE), -1), BAD),
    "cut-half": (lambda: cut(zipped(TREE), len(zipped(TREE)) // 2), BAD),
    "tar-cut": (lambda: cut(tarred(TREE), 3000), BAD),
    "gz-cut": (lambda: cut(packed(TREE, Kind.TAR_GZ), -9), BAD),
    "gz-flipped": (lambda: flipped(packed(TREE, Kind.TAR_GZ), 400), BAD),
    "xz-cut": (lambda: cut(packed(TREE, Kind.TAR_XZ), -5), BAD),
    "empty-zip": (lambda: zipped({}), BAD),
    "no-images": (lambda: zipped({"README": b"x"}), BAD),
    "lying-length": (lambda: dicom(lambda d: d[:200] + b"\xfe\xff\xff\x7f" + d[204:]), GOOD),
    "cut-dicom": (lambda: dicom(lambda d: d[:500]), GOOD),
    "only-preamble": (lambda: dicom(lambda d: d[:132]), GOOD),
    "bad-vr": (lambda: dicom(lambda d: re.sub(rb"LO|CS|DA", b"??", d)), GOOD),
    "nested": (
        lambda: dicom(lambda d: d[:400] + b"\x08\0\x15\x11SQ\0\0" + OPEN + (b"\xfe\xff\0\xe0" + OPEN) * 9000),
        GOOD,
    ),
    "gigabytes": (
        lambda: dicom(lambda d: d[: -len(d) // 4] + b"\x09\0\x10\x10OB\0\0\xff\xff\xff\x7f" + b"x" * 99),
        PART,
    ),
}


@pytest.mark.parametrize(("build", "outcome"), PACKETS.values(), ids=PACKETS)
def test_a_hostile_packet_harms_nobody(study: Study, build: Callable[[], bytes], outcome: str) -> None:
    outside = study.sessions.parent / "outside"
    outside.mkdir()
    (outside / "precious").write_text("not ours")
    packet = study.put_bytes("S1.zip", build())
    data = packet.read_bytes()
    around = snapshot(study.sessions.parent.parent) | {"/tmp": str(sorted(Path("/tmp").glob("*own*")))}
    run = study.run("--timeout=60")
    assert "Traceback" not in run.text, run.text
    assert "internal error" not in run.text, run.text
    assert run.status == int(outcome is not GOOD), run.text
    assert [p.name for p in study.sessions.rglob(".qxbatch*")] == []
    now = snapshot(study.sessions.parent.parent) | {"/tmp": str(sorted(Path("/tmp").glob("*own*")))}
    if outcome is BAD:
        assert now == around, "a refused packet changes nothing"
        assert "S1.zip" in run.text
        return
    changed = {path for path in {*now, *around} if now.get(path) != around.get(path)}
    assert {path for path in changed if not path.startswith(("study/sessions/S1", "study/sessions/archive"))} == {
        "study/sessions/inbox/MR/S1.zip"
    }
    assert (study.archive / "S1.zip").read_bytes() == data
    session = study.session("S1")
    assert [text for check in session_checks(session, Monitor()) for text in check()] == []
    Judge(session).check_places()
    assert not any(path.is_symlink() for path in session.rglob("*"))


@pytest.mark.parametrize("name", ["crc", "cut-half", "encrypted"])
def test_with_keep_readable_files_are_imported_and_the_packet_stays(study: Study, name: str) -> None:
    packet = study.put_bytes("S1.zip", wrong_crc(TREE, "README") if name == "crc" else PACKETS[name][0]())
    before = packet.read_bytes()
    run = study.run("--on-damaged=keep")
    assert packet.read_bytes() == before
    assert "Traceback" not in run.text
    assert run.status == 1, run.text
    if name == "encrypted":
        assert study.session_names() == []
        return
    assert "is damaged" in run.text
    Judge(study.session("S1")).check_places()
    again = study.run("--check=no")
    assert again.status == 0
    assert packet.read_bytes() == before


def test_a_folder_with_links_devices_and_odd_names_is_archived_unchanged(study: Study) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    outside = study.sessions.parent / "outside"
    outside.mkdir()
    (outside / "precious").write_text("not ours")
    odd_names(packet, b"odd")
    (packet / "out").symlink_to(outside)
    (packet / "self").symlink_to(packet)
    (packet / "gone").symlink_to("nowhere")
    os.link(outside / "precious", packet / "hard")
    os.mkfifo(packet / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        old = Path.cwd()
        os.chdir(packet)  # a socket's path is short
        try:
            listener.bind("socket")
        finally:
            os.chdir(old)
        before = names_and_modes(packet)
        run = study.run()
    assert run.status == 0, run.text
    assert snapshot(outside) == {"precious": snapshot(outside)["precious"]}
    assert (outside / "precious").stat().st_nlink == 2
    assert names_and_modes(study.archive / "S1") == before
    session = study.session("S1")
    assert [text for check in session_checks(session, Monitor()) for text in check()] == []
    fates = {row["path"]: row["fate"] for row in Judge(session).rows}
    assert {fates[name] for name in ("out", "self", "gone", "fifo", "socket")} == {"nodata"}
    assert fates["hard"] == "kept"


def names_and_modes(folder: Path) -> list[tuple[bytes, int]]:
    return sorted((os.fsencode(path.relative_to(folder)), path.lstat().st_mode) for path in folder.rglob("*"))


def run_measured(study: Study, *args: str) -> tuple[int, str, float, int]:
    """Return exit status, output, seconds, and the peak memory of the process, without its children, in MB.

    getrusage would return the peak of the process that started this one, if that is higher.
    """
    code = (
        "import sys; from qxbatch.cli.main import main; status = main(sys.argv[1:]);"
        "print('PEAK', open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]); sys.exit(status)"
    )
    started = time.monotonic()
    process = subprocess.run(
        [sys.executable, "-c", code, str(study.sessions), *args],
        capture_output=True,
        text=True,
        check=False,
        env=environment(study.sessions),
        timeout=580,
    )
    text = process.stdout + process.stderr
    peak = re.search(r"PEAK (\d+)", text)
    return process.returncode, text, time.monotonic() - started, int(peak[1]) // 1024 if peak else 0


@pytest.mark.parametrize(
    ("limit", "message", "code"),
    [
        ("--max-expansion=2", "times", "damaged"),
        ("--max-total=0.01", "bytes", "damaged"),
        ("--max-members=3", "members", "damaged"),
        ("--max-total=0.001", "Nothing was read", "cannot-write"),
    ],
)
def test_each_limit_can_be_set_and_refuses(study: Study, limit: str, message: str, code: str) -> None:
    packet = study.put("S1", {**TREE, "zeros": b"\0" * 200_000})
    summary = study.sessions.parent / "run.json"
    run = study.run(limit, f"--json-file={summary}")
    assert run.status == 1, run.text
    assert message in run.text
    [session] = json.loads(summary.read_bytes())["sessions"]
    assert [problem["code"] for problem in session["problems"]] == [code]
    assert packet.exists()
    assert study.session_names() == []
    assert study.run().status == 0


def test_archives_nested_deeper_than_the_limit_are_kept_as_files(study: Study) -> None:
    study.put("S1", {**TREE, "more.zip": zipped({"even.zip": zipped(MrSeries(number=9).files())})})
    assert study.run("--max-nesting=1").status == 0
    rows = {row["path"]: row["fate"] for row in Judge(study.session("S1")).rows}
    assert rows["more.zip"] == "kept"
    assert not any("!" in path for path in rows)


def ten_gigabytes_of_zeros() -> bytes:
    """Return a tar.gz of some files and a member of ten gigabytes, in several gzip members."""
    size, block = 10 << 30, 1 << 26
    info = tarfile.TarInfo("zeros")
    info.size = size
    start = tarred(SERIES.files()).rstrip(b"\0")
    start += bytes(-len(start) % 512) + info.tobuf(tarfile.GNU_FORMAT)
    return gzip.compress(start) + gzip.compress(bytes(block)) * (size // block) + gzip.compress(bytes(1024))


def ten_gigabytes_of_holes(path: Path) -> None:
    """Write a tar whose last member is a hole in a sparse file."""
    info = tarfile.TarInfo("zeros")
    info.size = 10 << 30
    with path.open("wb") as file:
        start = tarred(SERIES.files()).rstrip(b"\0")
        file.write(start + bytes(-len(start) % 512) + info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(file.tell() + info.size + 1024)


@pytest.mark.parametrize("how", ["compressed", "sparse"])
def test_ten_gigabytes_take_little_memory(study: Study, how: str) -> None:
    if how == "compressed":
        packet = study.put_bytes("S1.tar.gz", ten_gigabytes_of_zeros())
        limit = "--max-expansion=900"
    else:
        packet = study.inbox / "S1.tar"
        ten_gigabytes_of_holes(packet)
        limit = "--max-total=5G"
    status, text, seconds, peak = run_measured(study, limit)
    assert status == 1, text
    assert "Traceback" not in text
    assert peak < 300, f"{peak} MB"
    assert seconds < 300
    assert packet.exists()
    assert study.session_names() == []
    assert not (study.sessions / ".qxbatch").exists()


def test_many_members_take_little_memory(study: Study) -> None:
    count = int(os.environ.get("QXBATCH_MEMBERS", "5000"))
    tree = {**under("T1", SERIES.files()), **{f"notes/{k % 100}/{k}.txt": b"%d" % k for k in range(count)}}
    study.put("S1", tree, Kind.ZIP)
    status, text, _, peak = run_measured(study)
    assert status == 0, text
    assert peak < 300, f"{peak} MB"
    assert sum(1 for path in (study.session("S1") / "inbox").rglob("*.txt")) == count
