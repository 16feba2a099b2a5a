"""The advice of a run whose options match no packet."""

import re
import shlex
from pathlib import Path

import pytest

from qxbatch.problems import UsageError
from qxbatch.report.preview import preview
from qxbatch.report.sessions_advice import Expressions, corrected_sessions
from qxbatch.settings.names import session_patterns
from qxbatch.settings.parse import parse
from tests.build.inbox import DummyStudy


@pytest.fixture
def dummy(tmp_path: Path) -> DummyStudy:
    """An inbox with three packets."""
    return DummyStudy(tmp_path).put("AP-1.zip", "AP-2.zip", "HQ210.zip")


def report(dummy: DummyStudy, **given: str) -> str:
    settings = parse({"sessionsfolder": str(dummy.sessions), **given}).settings
    return preview(dummy.candidates(None, **given), settings)


def proposed(text: str, option: str) -> list[str]:
    """Return the values of an option that a report proposes."""
    words = [shlex.split(part)[0] for part in re.findall(rf"Write: (--{option}=.*)", text)]
    return [word.partition("=")[2] for word in words]


@pytest.mark.parametrize(
    "given",
    [
        "AP*",
        "AP-?",
        "AP",
        "P-1",
        "AP*,HQ210",
        "AP-1.zip",
        "ap-1",
        "hq210.ZIP",
        "AP-1 AP-2",
        "ap*",
        "AP-1;HQ210",
        "AP*|HQ*",
    ],
)
def test_an_expression_that_almost_matches_gives_one_message_with_a_matching_one(dummy: DummyStudy, given: str) -> None:
    text = report(dummy, sessions=given)
    [better] = proposed(text, "sessions")
    assert dummy.verdicts(sessions=better) != dummy.verdicts(sessions=given.split(",", maxsplit=1)[0])
    assert "AP-2.zip" not in text or "AP-2.zip ->" in text, "packets are not listed one by one"
    assert proposed(report(dummy, sessions=better), "sessions") == []


@pytest.mark.parametrize(
    ("given", "better"),
    [
        ("AP-1.zip", "AP-1"),
        ("ap-1", "AP-1"),
        ("hq210.zip", "HQ210"),
        ("AP-1 AP-2", "AP-1,AP-2"),
        ("AP-1.zip,ap-2,HQ210", "AP-1,AP-2,HQ210"),
        ("AP*|HQ*", "AP.*,HQ.*"),
        ("AP-1 XY", "AP-1,XY"),
        ("ap*", "(?i:ap.*)"),
        ("{AP,HQ}*", "AP.*|HQ.*"),
    ],
)
def test_extensions_case_and_lists_are_corrected(dummy: DummyStudy, given: str, better: str) -> None:
    assert proposed(report(dummy, sessions=given), "sessions") == [better]


def test_a_glob_that_is_no_regular_expression_is_an_error_with_the_right_one() -> None:
    with pytest.raises(UsageError) as caught:
        session_patterns(["*[!12]", "AP-1", "?P", "AP{1,2}*"])
    assert caught.value.hint.endswith("write: --sessions='.*[^12],AP-1,.P,AP1.*|AP2.*'")


@pytest.mark.parametrize("given", ["AP.*", "AP-1", "XY", "XY.*"])
def test_an_expression_that_matches_or_resembles_no_name_gets_no_advice(dummy: DummyStudy, given: str) -> None:
    text = report(dummy, sessions=given)
    assert proposed(text, "sessions") == []
    assert "HQ210.zip" in text, "packets that are not selected are listed as usual"


@pytest.mark.parametrize(
    ("given", "better"), [("AP.*", "AP*"), ("AP", "AP*"), ("ap-1", "AP-1"), ("x/AP-1/", "AP-1"), ("AP-1 XY", "AP-1,XY")]
)
def test_a_glob_is_proposed_in_folder_mode(dummy: DummyStudy, given: str, better: str) -> None:
    dummy.write("AP-1/inbox/x", "x")
    text = report(dummy, sessions=given, masterinbox="none")
    assert proposed(text, "sessions") == [better]
    assert len(dummy.candidates(None, sessions=better, masterinbox="none")) == 1


def test_a_glob_is_proposed_in_folder_mode_if_another_one_matches(dummy: DummyStudy) -> None:
    dummy.write("AP-1/inbox/x", "x").write("AP-2/inbox/x", "x")
    text = report(dummy, sessions="AP-1,ap-2", masterinbox="none")
    assert "AP-1 -> AP-1" in text
    assert proposed(text, "sessions") == ["AP-1,AP-2"]
    assert proposed(report(dummy, sessions="AP-1,AP-2", masterinbox="none"), "sessions") == []


def table(tmp_path: Path, text: str) -> str:
    path = tmp_path / "my log.csv"
    path.write_text(text)
    return str(path)


def test_a_logfile_cell_with_an_extension_is_reported_with_the_right_name(dummy: DummyStudy, tmp_path: Path) -> None:
    path = table(tmp_path, "AP-1.zip,S1\nAP-2.zip,S2\nHQ210.zip,S3\n")
    text = report(dummy, logfile=f"path:{path}|packet_name:1|subject_id:2")
    assert "names the packet AP-1 as AP-1.zip: write AP-1 in column 1" in text
    assert "AP-2.zip" not in text


def test_a_logfile_cell_in_another_case_is_reported(dummy: DummyStudy, tmp_path: Path) -> None:
    path = table(tmp_path, "hq210,S3\n")
    text = report(dummy, logfile=f"path:{path}|packet_name:1|subject_id:2")
    assert "names the packet HQ210 as hq210" in text


@pytest.mark.parametrize("columns", ["packet_name:1|subject_id:2", "packet_name:1|subject_id:3|session_name:2"])
def test_swapped_logfile_columns_are_reported_with_the_right_order(
    dummy: DummyStudy, tmp_path: Path, columns: str
) -> None:
    path = table(tmp_path, "S1,AP-1,a\nS2,AP-2,b\nS3,HQ210,c\n")
    [better] = proposed(report(dummy, logfile=f"path:{path}|{columns}"), "logfile")
    assert {verdict.value for verdict, _ in dummy.verdicts(logfile=better).values()} == {"ready"}


def test_a_logfile_without_similar_names_gets_no_advice(dummy: DummyStudy, tmp_path: Path) -> None:
    path = table(tmp_path, "ZZ,S1\n")
    text = report(dummy, logfile=f"path:{path}|packet_name:1|subject_id:2")
    assert "Write" not in text
    assert "the logfile does not name HQ210" in text


def test_several_names_that_differ_by_case_are_proposed_together() -> None:
    [advice] = corrected_sessions(["Op1"], Expressions(["OP1", "op1", "OP10"], lambda name: name))
    assert advice.endswith("Write: --sessions=OP1,op1")
