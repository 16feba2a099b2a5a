"""The entries of the inbox and the verdict on each."""

from pathlib import Path

import pytest

from qxbatch.model import Verdict
from qxbatch.problems import Code
from tests.build.inbox import DummyStudy


@pytest.fixture
def dummy(tmp_path: Path) -> DummyStudy:
    """An empty inbox."""
    return DummyStudy(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "OP386/",
        "OP386.zip",
        "OP386.ZIP",
        "OP386.tar",
        "OP386.tar.gz",
        "OP386.Tar.GZ",
        "OP386.tgz",
        "OP386.tarz",
        "OP386.tar.bzip2",
        "OP386.tar.Z",
        "OP386.7z",
    ],
)
def test_the_default_pattern_removes_the_extensions(dummy: DummyStudy, name: str) -> None:
    each = dummy.put(name).candidate()
    assert (each.verdict, each.session.id, each.packet.packet_name) == (Verdict.READY, "OP386", "OP386")
    assert each.packet.path == dummy.inbox / name.rstrip("/")


def test_an_empty_or_missing_inbox_has_no_candidates(dummy: DummyStudy) -> None:
    assert dummy.candidates() == []
    dummy.inbox.rmdir()
    assert dummy.candidates() == []


def test_every_entry_except_qxbatch_files_is_reported(dummy: DummyStudy) -> None:
    dummy.put(".DS_Store", ".hidden.zip", "README", "AP1.zip", f".qxbatch-gone-{'0' * 16}-AP1.zip", "b.part", "empty/")
    assert [each.path.name for each in dummy.candidates()] == [
        ".DS_Store",
        ".hidden.zip",
        "AP1.zip",
        "README",
        "b.part",
        "empty",
    ]


def test_a_file_that_is_no_packet_is_stray(dummy: DummyStudy) -> None:
    verdicts = dummy.put("OP386.tar.gz", "OP386.tar.gz.md5", "OP386.part").verdicts()
    assert verdicts["OP386.tar.gz"] == (Verdict.READY, "OP386")
    assert verdicts["OP386.tar.gz.md5"][0] is Verdict.STRAY
    assert verdicts["OP386.part"][0] is Verdict.STRAY


def test_a_name_that_the_pattern_does_not_match_gets_no_name(dummy: DummyStudy) -> None:
    verdicts = dummy.put("Yale-AP4983.zip", "AP1.zip", "Yale-.zip").verdicts(
        pattern=r".*?-(?P<packet_name>.*?)($|\..*$)"
    )
    assert verdicts["Yale-AP4983.zip"] == (Verdict.READY, "AP4983")
    assert verdicts["AP1.zip"][0] is Verdict.NO_NAME
    assert verdicts["Yale-.zip"][0] is Verdict.NO_NAME


def test_the_pattern_accepts_the_older_group_name_session_id(dummy: DummyStudy) -> None:
    assert dummy.put("AP1.zip").verdicts(pattern=r"(?P<session_id>.*?)\..*")["AP1.zip"] == (Verdict.READY, "AP1")


def test_a_name_format_can_contain_a_session_name(dummy: DummyStudy) -> None:
    given = {"pattern": r".*?-(?P<packet_name>.*?)($|\..*$)", "nameformat": "(?P<subject_id>.*?)_(?P<session_name>.*)"}
    verdicts = dummy.put("Yale-AP4876_Baseline.zip", "Yale-AP4877").verdicts(**given)
    assert verdicts["Yale-AP4876_Baseline.zip"] == (Verdict.READY, "AP4876_Baseline")


def test_a_name_that_the_name_format_does_not_match_is_not_parsed(dummy: DummyStudy) -> None:
    each = dummy.put("AP4877.zip").candidate(nameformat="(?P<subject_id>.*?)_(?P<session_name>.*)")
    assert each.verdict is Verdict.NOT_PARSED
    assert "AP4877" in each.note


def test_a_logfile_names_the_sessions(dummy: DummyStudy, tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("AP1789,S001,baseline\nAP1790,,x\n")
    logfile = f"path:{table}|packet_name:1|subject_id:2|session_name:3"
    verdicts = dummy.put("AP1789.zip", "AP1790.zip", "AP1791.zip").verdicts(logfile=logfile)
    assert verdicts == {
        "AP1789.zip": (Verdict.READY, "S001_baseline"),
        "AP1790.zip": (Verdict.NOT_PARSED, None),
        "AP1791.zip": (Verdict.NO_MATCH_IN_LOGFILE, None),
    }


@pytest.mark.parametrize(
    ("sessions", "ready"),
    [
        ("AP.*,HQ.*", {"AP1.zip", "AP10.zip", "HQ2"}),
        ("AP1", {"AP1.zip"}),
        ("AP[1,9]", {"AP1.zip"}),
        ("S00.*", {"AP1.zip", "AP10.zip"}),
        (".*_baseline", {"AP1.zip"}),
        ("", {"AP1.zip", "AP10.zip", "HQ2"}),
    ],
)
def test_the_sessions_filter_matches_whole_ids_or_whole_packet_names(
    dummy: DummyStudy, tmp_path: Path, sessions: str, ready: set[str]
) -> None:
    table = tmp_path / "log.csv"
    table.write_text("AP1,S001,baseline\nAP10,S001,other\nHQ2,T1,\n")
    logfile = f"path:{table}|packet_name:1|subject_id:2|session_name:3"
    verdicts = dummy.put("AP1.zip", "AP10.zip", "HQ2/").verdicts(logfile=logfile, sessions=sessions)
    assert {name for name, (verdict, _) in verdicts.items() if verdict is Verdict.READY} == ready
    assert all(verdict in (Verdict.READY, Verdict.FILTERED) for verdict, _ in verdicts.values())


@pytest.mark.parametrize(
    ("sessions", "ready"),
    [
        ("S1", {"S2.zip"}),
        ("S2", {"S1.zip"}),
        ("A.1", {"A.1.zip", "S4.zip"}),
        (r"A\.1", {"S4.zip"}),
        ("S[12]", {"S1.zip", "S2.zip"}),
        ("S3", {"S3.zip"}),
        ("S4", {"S4.zip"}),
    ],
)
def test_the_id_of_a_session_selects_no_packet_of_another_one(
    dummy: DummyStudy, tmp_path: Path, sessions: str, ready: set[str]
) -> None:
    table = tmp_path / "log.csv"
    table.write_text("S1,S2\nS2,S1\nS4,A.1\nA.1,AX1\nS3,T3\n")
    logfile = f"path:{table}|packet_name:1|subject_id:2"
    verdicts = dummy.put("S1.zip", "S2.zip", "S3.zip", "S4.zip", "A.1.zip").verdicts(
        logfile=logfile, sessions=sessions, pattern="(?P<packet_name>.*).zip"
    )
    assert {name for name, (verdict, _) in verdicts.items() if verdict is Verdict.READY} == ready


@pytest.mark.parametrize(
    ("given", "ready"),
    [
        ({"participant_label": "01"}, {"sub-01_ses-a", "01_b"}),
        ({"participant_label": "sub-01,02"}, {"sub-01_ses-a", "01_b", "02_a"}),
        ({"session_label": "a"}, {"sub-01_ses-a", "02_a"}),
        ({"participant_label": "01", "session_label": "ses-b"}, {"01_b"}),
    ],
)
def test_labels_select_subjects_and_sessions_with_or_without_prefix(
    dummy: DummyStudy, given: dict[str, str], ready: set[str]
) -> None:
    dummy.put("sub-01_ses-a/", "01_b/", "02_a/")
    verdicts = dummy.verdicts(nameformat="(?P<subject_id>.*?)_(?P<session_name>.*)", **given)
    assert {name for name, (verdict, _) in verdicts.items() if verdict is Verdict.READY} == ready


@pytest.mark.parametrize("name", ["inbox/", "QC.zip", "a:b/", "-x.zip", ".hidden/"])
def test_names_that_are_invalid_for_a_session_are_refused(dummy: DummyStudy, name: str) -> None:
    each = dummy.put(name).candidate()
    assert each.verdict is Verdict.REFUSED
    assert each.problem.code is Code.BAD_NAME
    assert each.packet is None


def test_a_file_with_the_prefix_of_qxbatch_files_is_a_candidate(dummy: DummyStudy) -> None:
    dummy.put(".qxbatch-AP1.zip")
    assert [each.path.name for each in dummy.candidates()] == [".qxbatch-AP1.zip"]
