"""From names to sessions: name formats, tables of packets, invalid session names."""

import re
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.model import SessionId
from qxbatch.problems import UsageError
from qxbatch.resolve.bids_name import session_by_bids_name
from qxbatch.resolve.logfile import read_logfile
from qxbatch.resolve.nameformat import session_by_folder, session_by_name
from qxbatch.resolve.names import invalid_name_reason
from qxbatch.resolve.rename import rename_command
from qxbatch.settings.model import LogfileSpec

BAD_SESSIONS = ("sub-105_ses-1-2", "sub-105_ses-pre-op", "sub-105_ses-", "sub-105_ses-é", "sub-105_ses-_run-2")
SESSION_LAST = "(?P<subject_id>.*?)_(?P<session_name>.*)"


@pytest.mark.parametrize(
    ("name", "nameformat", "subject", "session", "session_id"),
    [
        ("AP346_MR_1", SESSION_LAST, "AP346", "MR_1", "AP346_MR_1"),
        ("Siemens_Baseline-S002", ".*?_(?P<session_name>.*?)-(?P<subject_id>.*)", "S002", "Baseline", "S002_Baseline"),
        ("Yale-EQ469-Placebo", ".*?-(?P<subject_id>.*?)-(?P<session_name>.*)", "EQ469", "Placebo", "EQ469_Placebo"),
        ("Oxford.MR492.T3-Trio", r".*?\.(?P<subject_id>.*?)\..*", "MR492", None, "MR492"),
        ("AP4876_Baseline", SESSION_LAST, "AP4876", "Baseline", "AP4876_Baseline"),
        ("OP386", "(?P<subject_id>.*)", "OP386", None, "OP386"),
        ("AP1_", SESSION_LAST, "AP1", None, "AP1"),
        ("x-AP1", "(?P<subject_id>AP[0-9])", "AP1", None, "AP1"),
    ],
)
def test_a_packet_name_gives_subject_and_session(
    name: str, nameformat: str, subject: str, session: str | None, session_id: str
) -> None:
    result = session_by_name(name, re.compile(nameformat))
    assert result == SessionId(subject, session)
    assert result.id == session_id


@pytest.mark.parametrize("name", ["AP346", "_MR1"])
def test_a_name_without_a_subject_has_no_session(name: str) -> None:
    assert session_by_name(name, re.compile(SESSION_LAST)) is None


@pytest.mark.parametrize(
    ("name", "subject", "session"),
    [
        ("sub-105_ses-1", "105", "1"),
        ("sub-105", "105", None),
        ("sub-A1b_ses-pre_run-2", "A1b", "pre"),
        ("sub-105_acq-hi", "105", None),
        ("sub-105_sessions", "105", None),
    ],
)
def test_a_bids_name_gives_subject_and_session_and_is_the_id(name: str, subject: str, session: str | None) -> None:
    result = session_by_bids_name(name)
    assert result is not None
    assert (result.subject, result.session, result.id) == (subject, session, name)


@pytest.mark.parametrize("name", ["105", "sub105", "sub-", "xsub-105", "sub-1-2", "sub-é", *BAD_SESSIONS])
def test_another_name_is_no_bids_name(name: str) -> None:
    assert session_by_bids_name(name) is None


@pytest.mark.parametrize(
    ("folder", "nameformat", "subject"),
    [
        ("P1102_000_01", "(?P<subject_id>.*?)_.*", "P1102"),
        ("S5238_Placebo", "(?P<subject_id>.*?)_.*", "S5238"),
        ("NDAR_INV2CTC8934", ".*?_(?P<subject_id>.*)", "INV2CTC8934"),
        ("S001_baseline", "(?P<subject_id>.*)", "S001_baseline"),
    ],
)
def test_the_id_of_a_session_folder_is_its_name(folder: str, nameformat: str, subject: str) -> None:
    result = session_by_folder(folder, re.compile(nameformat))
    assert result is not None
    assert (result.id, result.subject) == (folder, subject)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "inbox",
        "Inbox",
        "archive",
        "specs",
        "QC",
        "qc",
        "report.html",
        "Study.tsv",
        "study.json",
        "a/b",
        "a\\b",
        "a:b",
        "a#b",
        "-a",
        ".a",
        "_a",
        "a\nb",
        "a\tb",
        "a\x7f",
        "a\u2028b",
        "a\u202eb",
        "a\u200fb",
        "a\u2066b",
        "a\u200bb",
        "\ufeffa",
        "a\u00a0b",
        "a\u3000b",
        " a",
        "a ",
        "a\udcff",
        "a" * 201,
        "ä" * 101,
    ],
)
def test_invalid_session_names_have_a_fault(name: str) -> None:
    assert invalid_name_reason(name)


@pytest.mark.parametrize("name", ["AP346", "S002_Baseline", "Øre 1", "1", "a.b-c", "inbox1", "x" * 200, "(a)"])
def test_valid_session_names_have_no_fault(name: str) -> None:
    assert invalid_name_reason(name) == ""


@given(st.text())
def test_a_valid_name_is_one_line_and_one_folder(name: str) -> None:
    assert invalid_name_reason(name) or (
        name.strip() == name != "" and not set(name) & set("/\\:#\n\r\0") and len(name.splitlines()) == 1
    )


def test_a_name_that_ends_with_a_line_end_says_so() -> None:
    assert invalid_name_reason("a\n") == "it contains a control character or a line end"


def test_a_new_name_is_used_by_no_entry_and_by_no_other_new_name() -> None:
    names = ["a#b.zip", "a:b.zip", "a_b.zip", "a_b-2.zip"]
    ids = [rename_command(PurePath("/i", name), lambda name: SessionId(name[:-4]), "", names)[1] for name in names[:2]]
    assert ids == ["a_b-3", "a_b-4"]
    names = ["##", "#:", "S-#:"]
    ids = [rename_command(PurePath("/i", name), SessionId, "", names)[1] for name in names]
    assert len(set(ids)) == len(ids), "names without a valid character"


# tables

MANUAL = """scanning code,subject,session,date of scan
AP1789,S001,baseline,2019-03-21
AP1790,S001,incentive,2019-03-21
WID1832,S002,baseline,2019-04-12
WID1913,S002,incentive,2019-04-12
"""
IDS = {"AP1789": "S001_baseline", "AP1790": "S001_incentive", "WID1832": "S002_baseline", "WID1913": "S002_incentive"}


def ids(path: Path, *columns: int | str) -> dict[str, str | None]:
    """Return the session ids by packet, read from these columns of a table."""
    log = read_logfile(LogfileSpec(path, columns[0], columns[1], columns[2] if len(columns) > 2 else None))
    return {name: row.session_id.id if row.session_id else None for name, row in log.items()}


@pytest.mark.parametrize(
    "columns", [(1, 2, 3), ("scanning code", "subject", "session"), ("Scanning Code", 2, "SESSION ")]
)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.csv", MANUAL.encode()),
        ("excel.CSV", "\ufeff".encode() + MANUAL.replace("\n", "\r\n").encode()),
        ("semicolons.csv", MANUAL.replace(",", ";").encode()),
        ("sep.csv", ("sep=;\r\n" + MANUAL.replace(",", ";")).encode()),
        ("quoted.csv", MANUAL.replace("S001", '"S001"').replace("date of scan", '"date; of, scan"').encode()),
        ("tabs.txt", MANUAL.replace(",", "\t").encode()),
        ("tabs.csv", MANUAL.replace(",", "\t").encode()),
        ("unicode.txt", MANUAL.replace(",", "\t").encode("utf-16")),
        ("latin.csv", MANUAL.replace("date of scan", "Prüfdatum").encode("cp1252")),
        ("old-mac.csv", MANUAL.replace("\n", "\r").encode()),
        ("blank-lines.csv", ("\n,,,\n" + MANUAL + "\n\n").encode()),
        ("padded.csv", MANUAL.replace(",", " , ").encode()),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_table_of_the_manual_is_read_in_every_format(
    tmp_path: Path, name: str, data: bytes, columns: tuple[int | str, ...]
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    read = ids(path, *columns)
    assert {packet: read[packet] for packet in IDS} == IDS


def test_a_table_without_a_session_column_gives_subjects(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("AP1,S001\nAP2,S002\n")
    assert ids(path, 1, 2) == {"AP1": "S001", "AP2": "S002"}


def test_empty_cells_give_no_subject_or_session(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("code,subject,session\nAP1,S001,\nAP2,,baseline\nAP3,S003\n,S004,x\n")
    assert ids(path, "code", "subject", "session") == {"AP1": "S001", "AP2": None, "AP3": "S003"}


def test_a_packet_can_be_listed_twice_only_with_equal_ids(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("AP1,S001\nAP1,S001\n")
    assert ids(path, 1, 2) == {"AP1": "S001"}
    path.write_text("AP1,S001\nAP1,S002\n")
    with pytest.raises(UsageError, match="one packet twice: as S001 in row 1, and as S002 in row 2"):
        ids(path, 1, 2)
    path.write_text("sep=,\n\nAP1,S001\n,,\nAP1,S002\n")
    with pytest.raises(UsageError, match="as S001 in row 2, and as S002 in row 4"):
        ids(path, 1, 2)


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        (MANUAL, ("code", 2), "'code'"),
        (MANUAL, (1, 9), "column 9"),
        (MANUAL.replace("subject", "session"), (1, 2, "session"), "2 columns"),
        ("", (1, 2), "empty"),
        (",,\n\n", (1, 2), "empty"),
    ],
)
def test_a_table_without_a_required_column_is_a_usage_error(
    tmp_path: Path, text: str, columns: tuple[int | str, ...], expected: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=re.escape(expected)):
        ids(path, *columns)


def test_commas_in_a_text_file_give_a_hint_about_tabs(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(MANUAL)
    with pytest.raises(UsageError) as wrong:
        ids(path, 1, 2)
    assert "tab-separated" in wrong.value.hint


@pytest.mark.parametrize("name", ["none.csv", "."])
def test_an_unreadable_table_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        ids(tmp_path / name, 1, 2)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_usage_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "log.csv"
    path.write_bytes(data)
    try:
        log = read_logfile(LogfileSpec(path, 1, 2))
    except UsageError:
        return
    assert all(name == name.strip() != "" for name in log)
