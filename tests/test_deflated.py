"""DICOM objects in the deflated transfer syntax that are much larger than their files."""

import gzip
import struct
import subprocess
import sys
import tarfile
import zlib
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from pydicom import dcmread

from qxbatch.bids.files.age_and_sex import _from_headers
from qxbatch.deflated import is_data_set_larger
from qxbatch.session.folder import SessionFolder
from tests.build.dicom import MrSeries, Syntax

SERIES = MrSeries(slices=3, syntax=Syntax.DEFLATED)
META_END = 144


def deflated(series: MrSeries = SERIES) -> bytes:
    return next(iter(series.files().values()))


def expanding(size: int) -> bytes:
    """Return a deflated object with zeros behind its pixel data (data set trailing padding, PS3.10 7.2)."""
    data = deflated()
    end = META_END + int(struct.unpack_from("<I", data, META_END - 4)[0])
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [data[:end], deflater.compress(zlib.decompress(data[end:], -15))]
    parts.append(deflater.compress(struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, size)))
    parts.append(deflater.flush(zlib.Z_FULL_FLUSH))
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)  # needs nothing before it
    return b"".join([*parts, block * (size >> 20), deflater.flush()])


def test_the_size_of_a_deflated_object_is_that_of_its_data_set() -> None:
    data = deflated()
    end = META_END + int(struct.unpack_from("<I", data, META_END - 4)[0])
    size = len(zlib.decompress(data[end:], -15))
    assert not is_data_set_larger(BytesIO(data), size)
    assert is_data_set_larger(BytesIO(data), size - 1)


@pytest.mark.parametrize("cut", [0, 100, 131, 133, 150, 400, 900])
def test_the_size_of_a_cut_object_is_no_error(cut: int) -> None:
    is_data_set_larger(BytesIO(deflated()[:cut]), 10)


def test_the_position_of_the_file_stays() -> None:
    file = BytesIO(b"before" + deflated())
    file.seek(6)
    assert is_data_set_larger(file, 10)
    assert file.tell() == 6


def test_a_deflated_object_without_the_length_of_its_meta_information_counts_as_large() -> None:
    data = deflated()
    assert is_data_set_larger(BytesIO(data[:132] + data[META_END:]), 1 << 30)


def test_a_file_that_ends_before_its_group_length_counts_as_large() -> None:
    uid_in_preamble = b"1.2.840.10008.1.2.1.99"
    assert is_data_set_larger(BytesIO(uid_in_preamble.ljust(128, b"\0") + b"DICM"), 10)


def test_an_object_in_another_syntax_is_not_larger() -> None:
    assert not is_data_set_larger(BytesIO(deflated(MrSeries())), 10)


def test_a_small_object_that_expands_to_more_than_the_memory_is_not_normalized(tmp_path: Path) -> None:
    files = SERIES.files()
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in {**files, "IM9": expanding(1 << 30)}.items():
        (folder / name).write_bytes(data)
    (tmp_path / "out").mkdir()
    script = (
        "import resource, sys\n"
        "import qxbatch.convert.normalize.__main__ as program\n"
        "program._MEMORY = 600 << 20\n"
        "before = resource.getrlimit(resource.RLIMIT_AS)\n"
        "status = program.main(sys.argv[1:])\n"
        "print('restored', resource.getrlimit(resource.RLIMIT_AS) == before)\n"
        "raise SystemExit(status)\n"
    )
    words = [sys.executable, "-c", script, str(folder), str(tmp_path / "copies"), str(tmp_path / "out")]
    process = subprocess.run(words, capture_output=True, text=True, check=False, env={"PYTHONPATH": ":".join(sys.path)})
    assert process.returncode == 65, process.stdout + process.stderr
    assert "cannot be normalized" in process.stdout
    assert "restored True" in process.stdout


def test_age_and_sex_are_not_read_from_an_object_that_expands_to_much_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qxbatch.bids.files import age_and_sex

    (tmp_path / "large").write_bytes(expanding(300 << 20))
    (tmp_path / "small").write_bytes(deflated(SERIES.with_(changes={"PatientSex": "F"})))
    for names, expected in ((["large"], {}), (["large", "small"], {"sex": "F"})):
        session = SessionFolder(tmp_path)
        monkeypatch.setattr(SessionFolder, "series", [_Series(name) for name in names], raising=False)
        monkeypatch.setattr(age_and_sex, "series_files", lambda _, name: [tmp_path / name])
        assert _from_headers(session)[0] == expected


def test_age_and_sex_of_a_damaged_archive_are_those_of_the_next_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qxbatch.bids.files import age_and_sex

    header = dcmread(BytesIO(next(iter(MrSeries(slices=1).files().values()))))
    header.private_block(0x0009, "LARGE", create=True).add_new(
        1, "OB", bytes(Random(1).choices(b"abcdefgh", k=1 << 20))
    )
    content, archive = BytesIO(), BytesIO()
    header.save_as(content)
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("1.dcm")
        member.size = len(content.getvalue())
        tar.addfile(member, BytesIO(content.getvalue()))
    damaged = bytearray(gzip.compress(archive.getvalue()))
    damaged[300_000:340_000] = b"\xff" * 40_000
    (tmp_path / "damaged.tar.gz").write_bytes(damaged)
    (tmp_path / "whole").write_bytes(deflated(SERIES.with_(changes={"PatientSex": "F"})))
    monkeypatch.setattr(SessionFolder, "series", [_Series("damaged.tar.gz"), _Series("whole")], raising=False)
    monkeypatch.setattr(age_and_sex, "series_files", lambda _, name: [tmp_path / name])
    assert _from_headers(SessionFolder(tmp_path))[0] == {"sex": "F"}


def test_age_and_sex_are_not_read_behind_a_large_header_of_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qxbatch.bids.files import age_and_sex

    content = deflated(SERIES.with_(changes={"PatientSex": "F"}))
    for name, length in (("small.tar.gz", 1 << 10), ("large.tar.gz", 8 << 20)):
        with tarfile.open(tmp_path / name, "w:gz", format=tarfile.PAX_FORMAT) as tar:
            member = tarfile.TarInfo("1.dcm")
            member.size, member.pax_headers = len(content), {"comment": "x" * length}
            tar.addfile(member, BytesIO(content))
    (tmp_path / "plain.tar.gz").write_bytes(b"no gzip file")
    monkeypatch.setattr(age_and_sex, "series_files", lambda _, name: [tmp_path / name])
    for names, expected in (
        (["small.tar.gz"], ({"sex": "F"}, False)),
        (["large.tar.gz"], ({}, False)),
        (["large.tar.gz", "plain.tar.gz", "small.tar.gz"], ({"sex": "F"}, False)),
    ):
        monkeypatch.setattr(SessionFolder, "series", [_Series(name) for name in names], raising=False)
        assert _from_headers(SessionFolder(tmp_path)) == expected


class _Series:
    def __init__(self, name: str) -> None:
        from qxbatch.model import SeriesKind

        self.n = name
        self.kind = SeriesKind.DICOM
