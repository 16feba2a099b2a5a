"""Edits of a session in places where they are easily taken for what an import writes: --overwrite=yes keeps them."""

import gzip
import hashlib
import io
import json
import re
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study

FILES = MrSeries().files()
REMARK = "checked-by-Anna"
SERIES = "dicom/30.tar.gz"
SUMMARY = "qxbatch/summary.json"
LOG = "dicom/dcm2niix_30.log"


def replaced_text(pattern: str, text: str) -> Callable[[bytes], bytes]:
    """Return an edit that replaces the first match of a pattern."""

    def edit(data: bytes) -> bytes:
        edited = re.sub(pattern.encode(), text.encode(), data, count=1)
        assert edited != data
        return edited

    return edit


def repacked(
    data: bytes,
    *,
    before: tarfile.TarInfo | None = None,
    headers: dict[str, str] | None = None,
    owner: str = "",
    content: bytes = b"",
) -> bytes:
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as packed,
        tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers or {}) as archive,
    ):
        if before is not None:
            before.size = len(content)
            archive.addfile(before, io.BytesIO(content))
        for member in packed:
            file = packed.extractfile(member)
            member.uname = owner
            archive.addfile(member, file)
    return gzip.compress(out.getvalue(), mtime=0)


def edited_member_before_the_original(data: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        name = packed.getnames()[0]
    return repacked(data, before=tarfile.TarInfo(name), content=b"a corrected image")


def folder_with_a_name(data: bytes) -> bytes:
    folder = tarfile.TarInfo(REMARK)
    folder.type = tarfile.DIRTYPE
    return repacked(data, before=folder)


def comment_in_the_tar(data: bytes) -> bytes:
    return repacked(data, headers={"comment": REMARK})


def owner_of_a_member(data: bytes) -> bytes:
    return repacked(data, owner=REMARK)


def with_gzip_comment(content: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    body = deflate.compress(content) + deflate.flush()
    header = b"\x1f\x8b\x08\x10\0\0\0\0\0\xff" + REMARK.encode() + b"\0"
    return header + body + struct.pack("<II", zlib.crc32(content), len(content))


def gzip_comment(data: bytes) -> bytes:
    return with_gzip_comment(gzip.decompress(data))


def comment_of_an_empty_gzip_member(data: bytes) -> bytes:
    return data + with_gzip_comment(b"")


def appended(text: str) -> Callable[[bytes], bytes]:
    return lambda data: data + text.encode()


EDITS = {
    "member of the same name": (SERIES, edited_member_before_the_original),
    "folder": (SERIES, folder_with_a_name),
    "tar comment": (SERIES, comment_in_the_tar),
    "owner": (SERIES, owner_of_a_member),
    "gzip comment": (SERIES, gzip_comment),
    "empty gzip member": (SERIES, comment_of_an_empty_gzip_member),
    "version": ("session.txt", replaced_text(r"qxbatch \S+", f"qxbatch 9.9-{REMARK}")),
    "no date": ("session.txt", replaced_text(r"\d{4}-\d\d-\d\d", "0000-99-99")),
    "key twice": (SUMMARY, replaced_text("{", f'{{ "session": "{REMARK}",')),
    "command": (SUMMARY, replaced_text('"command": ".*"', f'"command": "{REMARK}"')),
    "duration": (LOG, appended("3 s")),
}


def hashes(folder: Path) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("name", "edit"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_is_kept(study: Study, name: str, edit: Callable[[bytes], bytes]) -> None:
    study.put("S1", FILES)
    assert study.run("--archive=leave").status == 0
    path = study.session("S1") / name
    path.write_bytes(edit(path.read_bytes()))
    mine = hashlib.sha256(path.read_bytes()).hexdigest()
    run = study.run("--archive=leave", "--overwrite=yes", "--check=no")
    assert run.status == 0, run.text
    assert mine in hashes(study.sessions / "archive" / "replaced")
    assert "were kept in" in run.text


def test_the_comment_of_a_compressed_file_is_kept(study: Study) -> None:
    study.put("S1", FILES)
    assert study.run("--archive=leave", "--gzip=file").status == 0
    path = next((study.session("S1") / "dicom").rglob("*.dcm.gz"))
    path.write_bytes(gzip_comment(path.read_bytes()))
    mine = hashlib.sha256(path.read_bytes()).hexdigest()
    assert study.run("--archive=leave", "--gzip=file", "--overwrite=yes", "--check=no").status == 0
    assert mine in hashes(study.sessions / "archive" / "replaced")


@pytest.mark.parametrize("kind", [Kind.ZIP, Kind.FOLDER])
@pytest.mark.parametrize("options", [("--gzip=file",), ("--gzip=no",), ()], ids=["files", "plain", "same"])
def test_unedited_series_that_are_stored_in_another_way_are_not_kept(
    study: Study, kind: Kind, options: tuple[str, ...]
) -> None:
    study.put("S1", FILES, kind)
    for each in ((), options, ()):
        run = study.run("--archive=leave", "--overwrite=yes", *each)
        assert run.status == 0, run.text
        kept = {path.name for path in (study.sessions / "archive" / "replaced").rglob("*") if path.is_file()}
        assert kept <= {"ledger.tsv"}


def test_a_session_of_another_version_host_and_command_leaves_nothing(study: Study) -> None:
    study.put("S1", FILES)
    assert study.run("--archive=leave").status == 0
    session = study.session("S1")
    text = session / "session.txt"
    text.write_bytes(replaced_text(r"qxbatch \S+", "qxbatch 0.2.10-rc.1")(text.read_bytes()))
    path = session / SUMMARY
    content = json.loads(path.read_text())
    content["qxbatch"] = "0.2.10-rc.1"
    content["host"] = {"name": "node-17.cluster.local", "system": "Linux"}
    content["command"] = "qxbatch '/data/my study/sessions' --masterinbox=/data/inbox --sessions=S1 '--nameformat=(.*)'"
    content["times"] = {"seconds": 1234.5}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    run = study.run("--archive=leave", "--overwrite=yes", "--n-procs=1", "--list-all")
    assert run.status == 0, run.text
    replaced = study.sessions / "archive" / "replaced"
    assert not replaced.exists(), [*replaced.rglob("*")]
