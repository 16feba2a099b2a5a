"""What a run says when it finds nothing because of how it was asked."""

import re
import shlex
from pathlib import Path

import pytest

from qxbatch.problems import UsageError
from qxbatch.report.before import before
from qxbatch.settings.names import session_patterns
from qxbatch.settings.parse import parse
from tests.build.inbox import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An inbox with three packets."""
    return Place(tmp_path).put("AP-1.zip", "AP-2.zip", "HQ210.zip")


def said(place: Place, **given: str) -> str:
    settings = parse({"sessionsfolder": str(place.sessions), **given}).settings
    return before(place.candidates(None, **given), settings)


def proposed(text: str, option: str) -> list[str]:
    """Return the values of an option that a report says to write."""
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
def test_an_expression_that_nearly_matches_is_one_message_with_the_right_one(place: Place, given: str) -> None:
    text = said(place, sessions=given)
    [better] = proposed(text, "sessions")
    assert place.found(sessions=better) != place.found(sessions=given.split(",", maxsplit=1)[0])
    assert "AP-2.zip" not in text or "AP-2.zip ->" in text, "packets are not listed one by one"
    assert proposed(said(place, sessions=better), "sessions") == []


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
    ],
)
def test_extensions_case_and_lists_are_corrected_in_one_message(place: Place, given: str, better: str) -> None:
    assert proposed(said(place, sessions=given), "sessions") == [better]


def test_what_is_no_expression_since_it_is_a_glob_is_an_error_with_the_right_one() -> None:
    with pytest.raises(UsageError) as caught:
        session_patterns(["*", "AP-1", "?P"])
    assert caught.value.hint.endswith("write: --sessions='.*,AP-1,.P'")


@pytest.mark.parametrize("given", ["AP.*", "AP-1", "XY", "XY.*"])
def test_an_expression_that_matches_or_is_far_from_all_is_not_advised_about(place: Place, given: str) -> None:
    text = said(place, sessions=given)
    assert proposed(text, "sessions") == []
    assert "HQ210.zip" in text, "what is left out is listed as ever"


@pytest.mark.parametrize(
    ("given", "better"), [("AP.*", "AP*"), ("AP", "AP*"), ("ap-1", "AP-1"), ("x/AP-1/", "AP-1"), ("AP-1 XY", "AP-1,XY")]
)
def test_in_folder_mode_a_glob_is_proposed(place: Place, given: str, better: str) -> None:
    place.session("AP-1/inbox/x", "x")
    text = said(place, sessions=given, masterinbox="none")
    assert proposed(text, "sessions") == [better]
    assert len(place.candidates(None, sessions=better, masterinbox="none")) == 1


def table(tmp_path: Path, text: str) -> str:
    path = tmp_path / "my log.csv"
    path.write_text(text)
    return str(path)


def test_a_cell_with_an_extension_is_named_with_the_right_one(place: Place, tmp_path: Path) -> None:
    path = table(tmp_path, "AP-1.zip,S1\nAP-2.zip,S2\nHQ210.zip,S3\n")
    text = said(place, logfile=f"path:{path}|packet_name:1|subject_id:2")
    assert "names the packet AP-1 as AP-1.zip: write AP-1 in column 1" in text
    assert "AP-2.zip" not in text


def test_a_cell_in_other_case_is_named(place: Place, tmp_path: Path) -> None:
    path = table(tmp_path, "hq210,S3\n")
    text = said(place, logfile=f"path:{path}|packet_name:1|subject_id:2")
    assert "names the packet HQ210 as hq210" in text


@pytest.mark.parametrize("columns", ["packet_name:1|subject_id:2", "packet_name:1|subject_id:3|session_name:2"])
def test_swapped_columns_are_named_with_the_right_order(place: Place, tmp_path: Path, columns: str) -> None:
    path = table(tmp_path, "S1,AP-1,a\nS2,AP-2,b\nS3,HQ210,c\n")
    [better] = proposed(said(place, logfile=f"path:{path}|{columns}"), "logfile")
    assert {verdict.value for verdict, _ in place.found(logfile=better).values()} == {"ready"}


def test_a_logfile_that_names_others_is_not_advised_about(place: Place, tmp_path: Path) -> None:
    path = table(tmp_path, "ZZ,S1\n")
    text = said(place, logfile=f"path:{path}|packet_name:1|subject_id:2")
    assert "Write" not in text
    assert "the logfile does not name HQ210" in text
