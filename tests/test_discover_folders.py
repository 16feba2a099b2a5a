"""Folder mode: which session folders are imported, and what their inboxes contain."""

import bz2
import gzip
import io
import lzma
import tarfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.discover.candidates import candidates
from qxbatch.discover.filters import matches_glob
from qxbatch.discover.folders import judge_folders, listed_folder
from qxbatch.ingest.sources import Source, inbox_sources
from qxbatch.model import Verdict
from qxbatch.problems import Code
from qxbatch.settings.lists import expand_braces
from qxbatch.settings.parse import parse
from tests.build import lzw, zst
from tests.build.dicom import MrSeries
from tests.build.packets import under, write_folder, zipped
from tests.build.study import run_main, snapshot


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """A sessions folder with three session folders, and the other folders of a study."""
    for path in (
        "S001_baseline/inbox/AYXQ.tar.gz",
        "S001_incentive/inbox/TWGS.tar.gz",
        "S002_baseline/inbox/a/b/1.dcm",
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("x")
    for path in ("inbox/MR/X", "archive/MR", "specs", "QC", ".qxbatch"):
        (tmp_path / path).mkdir(parents=True)
    return tmp_path


def folder_candidates(folder: Path, globs: str, **given: str) -> list[Any]:
    settings = parse({"sessionsfolder": str(folder), "masterinbox": "none", "sessions": globs, **given}).settings
    return candidates(settings, sniff=lambda _path: "tar")


def ids(listed: list[Any], verdict: Verdict = Verdict.READY) -> list[str]:
    return [each.session.id for each in listed if each.verdict is verdict]


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        ("S*", ["S001_baseline", "S001_incentive", "S002_baseline"]),
        ("*", ["S001_baseline", "S001_incentive", "S002_baseline"]),
        ("*baseline", ["S001_baseline", "S002_baseline"]),
        ("S001_baseline,S009_baseline", ["S001_baseline"]),
        ("S00[2-9]*", ["S002_baseline"]),
        ("S001_{baseline,incentive}", ["S001_baseline", "S001_incentive"]),
        ("s*", []),
        ("S001", []),
    ],
)
def test_globs_match_whole_folder_names_and_missing_folders_are_no_error(
    sessions: Path, globs: str, expected: list[str]
) -> None:
    listed = folder_candidates(sessions, globs)
    assert ids(listed) == expected
    assert len(listed) == len(expected)


def test_the_packet_of_a_session_folder_is_its_inbox(sessions: Path) -> None:
    [each] = folder_candidates(sessions, "S002_baseline", nameformat="(?P<subject_id>.*?)_.*")
    assert each.path == sessions / "S002_baseline"
    assert each.packet.path == sessions / "S002_baseline/inbox"
    assert (each.packet.fingerprint.files, each.session.subject, each.session.id) == (1, "S002", "S002_baseline")


@pytest.mark.parametrize("path", ["dicom/10.tar.gz", "nii/11.nii.gz", "dicom/10/1.dcm"])
def test_folders_with_results_are_skipped_without_overwrite(sessions: Path, path: str) -> None:
    (sessions / "S001_baseline" / path).parent.mkdir(parents=True)
    (sessions / "S001_baseline" / path).write_text("x")
    assert ids(folder_candidates(sessions, "S*"), Verdict.ALREADY_THERE) == ["S001_baseline"]
    assert "S001_baseline" in ids(folder_candidates(sessions, "S*", overwrite="yes"))


def test_overwrite_rebuilds_results_without_an_inbox(sessions: Path) -> None:
    (sessions / "S3/dicom").mkdir(parents=True)
    (sessions / "S3/dicom/10.tar.gz").write_text("x")
    [each] = folder_candidates(sessions, "S3", overwrite="yes")
    assert each.verdict is Verdict.READY
    assert each.packet.fingerprint.files == 0


@pytest.mark.parametrize("path", ["S3", "S3/inbox", "S3/inbox/empty/deeper"])
def test_a_folder_without_data_is_reported(sessions: Path, path: str) -> None:
    (sessions / path).mkdir(parents=True)
    [each] = folder_candidates(sessions, "S3")
    assert (each.verdict, each.packet) == (Verdict.STRAY, None)


def test_a_folder_name_that_the_name_format_does_not_match_is_reported(sessions: Path) -> None:
    listed = folder_candidates(sessions, "*", nameformat="(?P<subject_id>S001)_.*")
    assert [each.verdict for each in listed] == [Verdict.READY, Verdict.READY, Verdict.NOT_PARSED]


def test_a_folder_name_that_session_txt_cannot_contain_is_refused(sessions: Path) -> None:
    (sessions / "S:3/inbox/1").mkdir(parents=True)
    [each] = folder_candidates(sessions, "S:3")
    assert each.problem.code is Code.BAD_NAME


@pytest.mark.parametrize("name", ["inbox", "archive", "QC"])
def test_no_command_moves_a_folder_of_the_study_that_was_named_as_a_session(sessions: Path, name: str) -> None:
    settings = parse({"sessionsfolder": str(sessions), "masterinbox": "none", "sessions": name}).settings
    [each] = judge_folders([listed_folder(sessions / name)], settings)
    assert each.problem is not None
    assert (each.problem.code, each.problem.command) == (Code.BAD_NAME, "")


# globs


@given(st.text("ab*?[]!-{}", max_size=8), st.text("ab-", max_size=5))
def test_a_glob_without_commas_matches_as_in_a_shell(glob: str, name: str) -> None:
    assert matches_glob(name, [glob]) == fnmatchcase(name, glob)


@pytest.mark.parametrize(
    ("glob", "expanded"),
    [
        ("a{b,c}d", ["abd", "acd"]),
        ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("{a,{b,c}}", ["a", "b", "c"]),
        ("{a,b{c}}", ["a", "b{c}"]),
        ("{a{b,c}", ["{ab", "{ac"]),
        ("{a,b}}", ["a}", "b}"]),
        ("x[{]{a,b}", ["x[{]a", "x[{]b"]),
        ("a{b}", ["a{b}"]),
        ("a{,b}", ["a", "ab"]),
        ("{", ["{"]),
    ],
)
def test_braces_are_expanded_as_in_a_shell(glob: str, expanded: list[str]) -> None:
    assert sorted(expand_braces(glob)) == sorted(expanded)


# the contents of a session's inbox


def tar_bytes() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("1.dcm")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"data"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "archive"),
    [
        ("a", tar_bytes(), True),
        ("b.zip", b"PK\x03\x04", True),
        ("c.tar.gz", gzip.compress(tar_bytes(), mtime=0), True),
        ("d.dcm.gz", gzip.compress(tar_bytes(), mtime=0), True),
        ("e.tar.gz", gzip.compress(b"\0" * 128 + b"DICM" + b"x" * 1000, mtime=0), False),
        ("f.dcm.bz2", bz2.compress(b"\0" * 2000), False),
        ("g.tbz", bz2.compress(tar_bytes()), True),
        ("h.xz", lzma.compress(tar_bytes()), True),
        ("i.gz", gzip.compress(tar_bytes(), mtime=0)[:14], False),
        ("j.zst", b"\x28\xb5\x2f\xfd", False),
        ("m.tar.zst", zst.compress(tar_bytes()), True),
        ("n.dcm.zst", zst.compress(b"\0" * 128 + b"DICM"), False),
        ("o.tar.Z", lzw.compress(tar_bytes()), True),
        ("p.dcm.Z", lzw.compress(b"\0" * 128 + b"DICM"), False),
        ("q.rec", tar_bytes(), False),
        ("k.dcm", b"\0" * 128 + b"DICM", False),
        ("l.gz", gzip.compress(b"short", mtime=0), False),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_archives_and_single_compressed_files_are_distinguished_by_content(
    tmp_path: Path, name: str, data: bytes, archive: bool
) -> None:
    (tmp_path / name).write_bytes(data)
    inbox = inbox_sources(tmp_path, None)
    assert [packet.path for packet in inbox.archivable_packets] == [tmp_path / name] * archive
    assert [source.prefix for source in inbox.sources] == ([f"{name}!"] if archive else [""])


@pytest.mark.parametrize("command", ["sort", "import"])
@pytest.mark.parametrize("name", ["archive/MR/x", "study.json", ".qxbatch/jobs/x", "inbox/MR/P1.zip"])
def test_a_sessions_folder_is_no_session(tmp_path: Path, name: str, command: str) -> None:
    """The packets in its master inbox would become one session, and move out of the study."""
    study = tmp_path / "st"
    write_folder({**under("inbox/MR/P2", MrSeries().files()), name: zipped(MrSeries(number=4).files())}, study)
    if name == "study.json":
        (study / "study.tsv").write_text("")
    before = snapshot(tmp_path)
    words = ["sort", str(study)] if command == "sort" else [str(tmp_path), "--masterinbox=none", "--sessions=st"]
    run = run_main(*words)
    assert run.status == 1, run.text
    assert "is a sessions folder and no session" in " ".join(run.text.split())
    assert snapshot(tmp_path) == before


def test_a_session_can_have_a_folder_of_that_name_in_its_inbox(tmp_path: Path) -> None:
    write_folder(under("inbox/MR/T1", MrSeries().files()), tmp_path / "S1")
    assert ids(folder_candidates(tmp_path, "S1")) == ["S1"]


def test_a_folder_is_one_source_and_a_missing_inbox_has_none(tmp_path: Path) -> None:
    (tmp_path / "inbox/sub").mkdir(parents=True)
    assert inbox_sources(tmp_path / "inbox", None).sources == (Source(tmp_path / "inbox", ""),)
    assert inbox_sources(tmp_path / "none", None).sources == ()


def test_an_unreadable_file_in_the_inbox_of_a_session_does_not_end_the_run(tmp_path: Path) -> None:
    for session in ("S1", "S2"):
        write_folder(under(f"{session}/inbox", MrSeries().files()), tmp_path)
    (tmp_path / "S1/inbox/MR").mkdir()
    (tmp_path / "S1/inbox/MR/P1.zip").symlink_to("/proc/self/mem")  # it cannot be read at its beginning
    assert ids(folder_candidates(tmp_path, "S*")) == ["S1", "S2"]
