"""Excessive sizes, names and numbers: refused or ignored, with little memory, and without an internal error."""

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.parrec import ParRec
from tests.build.study import Study, run_command
from tests.faults.test_hostile import run_measured

SERIES = MrSeries(number=3, description="T1w", slices=4)


def with_number(data: bytes, tag: bytes, vr: bytes, number: str) -> bytes:
    """Return explicit little-endian DICOM with a different text in one element."""
    start = data.index(tag + vr)
    length = int.from_bytes(data[start + 6 : start + 8], "little")
    text = number.encode() + b" " * (len(number) % 2)
    return data[: start + 6] + len(text).to_bytes(2, "little") + text + data[start + 8 + length :]


@pytest.mark.parametrize("number", [str(2**63 - 1), str(2**62), str(10**17), "2147483648", "-9223372036854775808"])
@pytest.mark.parametrize("mode", ["inbox", "folder"])
def test_a_series_number_out_of_range_counts_as_missing(study: Study, number: str, mode: str) -> None:
    files = {name: with_number(data, b"\x20\x00\x11\x00", b"IS", number) for name, data in SERIES.files().items()}
    if mode == "inbox":
        study.put("S1", under("T1", files), Kind.ZIP)
        run = study.run()
    else:
        inbox = study.session("S1") / "inbox"
        inbox.mkdir(parents=True)
        for name, data in files.items():
            (inbox / Path(name).name).write_bytes(data)
        run = study.run("--masterinbox=none", "--sessions=*")
    assert "internal error" not in run.text
    assert run.status == 0, run.text
    assert (study.session("S1") / "dicom" / "90010.tar.gz").exists()


@pytest.mark.parametrize(
    ("tag", "number"),
    [(b"\x20\x00\x13\x00", str(2**63 - 1)), (b"\x20\x00\x12\x00", "9" * 19), (b"\x28\x00\x08\x00", str(2**63 - 1))],
    ids=["InstanceNumber", "AcquisitionNumber", "NumberOfFrames"],
)
def test_other_numbers_out_of_range_give_no_internal_error(study: Study, tag: bytes, number: str) -> None:
    files = SERIES.files()
    if not any(tag + b"IS" in data for data in files.values()):
        element = tag + b"IS" + len(number + " " * (len(number) % 2)).to_bytes(2, "little") + number.encode()
        element += b" " * (len(number) % 2)
        files = {
            name: data.replace(b"\x28\x00\x10\x00US", element + b"\x28\x00\x10\x00US") for name, data in files.items()
        }
    else:
        files = {name: with_number(data, tag, b"IS", number) for name, data in files.items()}
    study.put("S1", under("T1", files), Kind.ZIP)
    run = study.run()
    assert "internal error" not in run.text
    assert "Traceback" not in run.text
    assert (study.session("S1") / "dicom" / "30.tar.gz").exists(), run.text


def test_an_excessive_number_of_frames_gives_no_internal_error(study: Study) -> None:
    element = b"\x28\x00\x08\x00IS\x0a\x002147483647"
    size = b"\x28\x00\x10\x00US\x02\x00\xff\xff\x28\x00\x11\x00US\x02\x00\xff\xff"
    files = {}
    for name, data in SERIES.files().items():
        start = data.index(b"\x28\x00\x10\x00US")
        files[name] = data[:start] + element + size + data[start + 20 :]
    study.put("S1", under("T1", files), Kind.ZIP)
    run = study.run()
    assert "panicked" not in run.text
    assert "Traceback" not in run.text
    assert run.status == 1, run.text
    assert (study.session("S1") / "session.txt").exists(), run.text


def long_names(path: Path, count: int, length: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in SERIES.files().items():
            archive.writestr(f"T1/{name}", data)
        for k in range(count):
            archive.writestr(f"{k:05d}".ljust(length, "x"), str(k))


def test_long_names_take_little_memory(study: Study) -> None:
    long_names(study.inbox / "S1.zip", 400, 60_000)
    status, text, _, peak = run_measured(study)
    assert status == 0, text
    assert peak < 300, f"{peak} MB"
    assert sum(1 for path in (study.session("S1") / "inbox").iterdir()) == 400


def test_a_packet_whose_names_are_too_long_in_total_is_refused(study: Study) -> None:
    long_names(study.inbox / "S1.zip", 600, 60_000)
    status, text, _, peak = run_measured(study)
    assert status == 1, text
    assert "limit on names" in text
    assert "No option raises this limit. Replace the packet by its unpacked folder" in " ".join(text.split())
    assert peak < 300, f"{peak} MB"
    assert study.session_names() == []


def test_deep_names_take_little_memory_and_few_folders(study: Study) -> None:
    with zipfile.ZipFile(study.inbox / "S1.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in SERIES.files().items():
            archive.writestr(f"T1/{name}", data)
        for k in range(300):
            archive.writestr(f"{k:05d}/{'d/' * 1000}f.txt", str(k))
    status, text, _, peak = run_measured(study)
    assert status == 0, text
    assert peak < 200, f"{peak} MB"
    inbox = study.session("S1") / "inbox"
    assert sum(1 for path in inbox.rglob("*") if path.is_dir()) == 300
    assert sum(1 for path in inbox.rglob("*.txt")) == 300


@pytest.mark.parametrize("mode", ["inbox", "folder"])
def test_a_sparse_file_beyond_the_limit_is_refused_before_it_is_read(study: Study, mode: str) -> None:
    folder = study.inbox / "S1" if mode == "inbox" else study.session("S1") / "inbox"
    folder.mkdir(parents=True)
    with (folder / "zeros.raw").open("wb") as file:
        file.truncate(10 << 40)
    run = study.run(*([] if mode == "inbox" else ["--masterinbox=none", "--sessions=*"]))
    assert run.status == 1, run.text
    for words in ("zeros.raw", "11.0 TB", "--max-total=1.1 TB", "Nothing was read"):
        assert words in run.text


def test_a_sparse_member_beyond_the_limit_is_refused_with_the_larger_limit(study: Study) -> None:
    giant = tarfile.TarInfo("giant")
    giant.size = 4
    giant.pax_headers = {"GNU.sparse.size": str(10 << 30), "GNU.sparse.map": "0,4"}
    with tarfile.open(study.inbox / "S1.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(giant, io.BytesIO(b"data"))
    run = study.run()
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    assert "its holes make it more than 1000 times its size in the archive" in text
    assert "--max-expansion=10000" in text


def test_a_packet_beyond_the_free_space_is_refused_before_it_is_read(study: Study) -> None:
    (study.inbox / "S1").mkdir()
    with (study.inbox / "S1" / "zeros.raw").open("wb") as file:
        file.truncate(shutil.disk_usage(study.sessions).free + (1 << 34))
    run = study.run("--max-total=1000T")
    assert run.status == 1, run.text
    for words in ("zeros.raw", "free on the file system of", "--work-dir"):
        assert words in run.text


def test_a_member_beyond_the_free_space_is_refused_before_it_is_written(study: Study) -> None:
    import tarfile

    size = shutil.disk_usage(study.sessions).free + (1 << 34)
    info = tarfile.TarInfo("huge.raw")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (0, 512)
    header[483:495] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    study.put_bytes("S1.tar", bytes(header) + b"x" * 512 + bytes(1024))
    run = study.run("--max-total=1000T", f"--max-expansion={size}")
    assert run.status == 1, run.text
    for words in ("huge.raw", "--work-dir", "do not fit"):
        assert words in run.text


def test_a_par_of_300_000_lines_takes_little_memory(study: Study) -> None:
    pair = ParRec(acquisition=2, reconstruction=1)
    par = pair.par().encode("latin-1").rstrip()
    line = par.splitlines()[-1]
    study.put("S1", {"a.PAR": par + (b"\n" + line) * 300_000 + b"\n", "a.REC": pair.rec()}, Kind.ZIP)
    status, text, _, peak = run_measured(study, "--max-expansion=100000")
    assert status == 1, text
    assert "lines" in text
    assert "internal" not in text
    assert peak < 300, f"{peak} MB"
    assert (study.session("S1") / "dicom" / "2010.tar.gz").exists()


def test_an_archive_that_is_a_file_is_reported(study: Study) -> None:
    study.put("S1", under("T1", SERIES.files()), Kind.ZIP)
    (study.sessions / "archive").write_text("no folder")
    run = study.run()
    assert run.status == 73, run.text
    assert "is not a folder" in run.text
    assert "Traceback" not in run.text


def test_sidecars_with_a_quote_of_the_session_id_are_valid_json(study: Study) -> None:
    study.put('A"B', under("T1", MrSeries(number=3, description="T1w of ZQX917", patient="ZQX917").files()), Kind.ZIP)
    run = study.run("--deidentify-logs")
    assert run.status == 0, run.text
    sidecars = list((study.session('A"B') / "nii").glob("*.json"))
    assert [json.loads(path.read_text())["SeriesDescription"] for path in sidecars] == ['T1w of A"B']


@pytest.mark.parametrize("name", ["A\nB", "A\u2028B", "A\u202eB", "A\u00a0B", "A\u200bB", "\ufeffA", "A\udcffB"])
def test_a_packet_with_an_odd_name_is_refused_with_the_command_that_renames_it(study: Study, name: str) -> None:
    study.put(name, under("T1", SERIES.files()), Kind.FOLDER)
    run = run_command(str(study.sessions))
    assert run.status == 1, run.text
    assert "internal error" not in run.text
    assert "mv -n -- $'" in run.text
    assert study.session_names() == []
