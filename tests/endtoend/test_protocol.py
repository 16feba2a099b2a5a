"""A protocol learned from a study with three defects finds exactly these, also during an import."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qxbatch.acquisition import SeriesVerdict
from qxbatch.problems import Code, Problem
from qxbatch.protocol.difference import DifferenceKind
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.study.learn import LearnedProtocol, learn
from qxbatch.textfile import create_text
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under, write_folder
from tests.build.protocols import HALF, OTHER_TR, REST, SESSIONS, T1, T2, WITHOUT_T2, half, packet, put, series_of
from tests.build.study import Run, Study, run_command, run_main, snapshot
from tests.test_schemas import check as check_schema
from tests.test_schemas import schema

DEFECTS = [
    (WITHOUT_T2, "missing", "T2w", None, "count", "1", "0"),
    (OTHER_TR, "parameter", "fmri_rest", 3, "tr_ms", "2000 ± 1", "2500"),
    (HALF, "volumes", "fmri_rest", 3, "volumes", "4", "2"),
]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study with twelve sessions; three of them have one defect each."""
    study = Study(tmp_path_factory.mktemp("twelve"))
    put(study)
    assert study.main().status == 0
    return study


@pytest.fixture(scope="module")
def protocol(imported: Study) -> Path:
    """The protocol learned from the twelve sessions."""
    path = imported.sessions.parent / "protocol.toml"
    run = run_command("protocol", "learn", str(imported.sessions), f"--output={path}")
    assert run.status == 0, run.text
    assert run.out.splitlines()[-1].strip() == f"qxbatch protocol check {imported.sessions} --protocol={path}"
    return path


def check(folder: Path, protocol: Path, *words: str) -> Run:
    """Run `qxbatch protocol check`."""
    return run_main("protocol", "check", str(folder), f"--protocol={protocol}", *words)


def listed(run: Run) -> list[tuple[Any, ...]]:
    """Return the differences in --json, without scanners and notes."""
    content = json.loads(run.out)
    check_schema("protocol-check-1.json", content)
    keys = ("kind", "series", "series_number", "field", "expected", "found")
    return [
        (session["session"], *(difference[key] for key in keys))
        for session in content["sessions"]
        for difference in session["differences"]
    ]


def test_the_three_defects_are_found_and_nothing_else(imported: Study, protocol: Path) -> None:
    before = snapshot(imported.sessions)
    run = check(imported.sessions, protocol, "--json")
    assert run.status == 1
    assert listed(run) == DEFECTS
    assert [each["session"] for each in json.loads(run.out)["sessions"]] == list(SESSIONS)
    assert snapshot(imported.sessions) == before


def test_the_table_has_a_part_for_each_session_that_differs(imported: Study, protocol: Path) -> None:
    run = check(imported.sessions, protocol)
    assert run.status == 1
    text = " ".join(run.out.split())
    assert "S03 (Siemens Prisma): 1 difference series name difference field expected found note - T2w missing" in text
    assert "3 fmri_rest parameter tr_ms 2000 ± 1 2500" in text
    assert run.out.endswith("12 sessions: 9 without differences, 3 with differences\n")


def test_a_session_without_defects_gives_status_0(imported: Study, protocol: Path) -> None:
    run = check(imported.session("S01"), protocol)
    assert (run.status, run.out) == (0, "1 session: 1 without differences\n")


def test_learning_again_gives_the_same_bytes_and_replaces_only_what_may_be_replaced(
    imported: Study, protocol: Path
) -> None:
    before = protocol.read_bytes()
    run = run_main("protocol", "learn", str(imported.sessions), f"--output={protocol}")
    assert run.status == 64
    assert "exists already" in run.err
    assert "--overwrite=yes" in run.err
    again = run_main("protocol", "learn", str(imported.sessions.parent), f"--output={protocol}", "--overwrite")
    assert again.status == 0
    assert protocol.read_bytes() == before
    dry = run_main("protocol", "learn", str(imported.sessions), f"--output={protocol.parent / 'x.toml'}", "--test")
    assert dry.out.encode() == before
    assert not (protocol.parent / "x.toml").exists()
    assert run_main("protocol", "learn", str(imported.sessions), "--test").out == dry.out


def test_learning_replaces_no_other_file_that_appears_while_sessions_are_read(
    imported: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, notes = tmp_path / "protocol.toml", b"%PDF-1.4 notes\n"

    def learn_and_save(sessions: Sequence[ScannedSession]) -> LearnedProtocol:
        path.write_bytes(notes)
        return learn(sessions)

    monkeypatch.setattr("qxbatch.commands.protocol_learn.learn", learn_and_save)
    run = run_main("protocol", "learn", str(imported.sessions), f"--output={path}", "--overwrite=yes")
    assert run.status == 64
    assert "is not a protocol; it would be lost" in run.err
    assert path.read_bytes() == notes


def test_learning_replaces_no_other_file_that_appears_while_the_protocol_is_written(
    imported: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, notes = tmp_path / "protocol.toml", b"%PDF-1.4 notes\n"

    @contextmanager
    def create_and_save(temporary: Path, *rest: Any) -> Iterator[Any]:
        path.write_bytes(notes)
        with create_text(temporary, *rest) as file:
            yield file

    monkeypatch.setattr("qxbatch.publish.durable.create_text", create_and_save)
    run = run_main("protocol", "learn", str(imported.sessions), f"--output={path}", "--overwrite=yes")
    assert run.status == 64
    assert "is not a protocol; it would be lost" in run.err
    assert path.read_bytes() == notes
    assert [each.name for each in tmp_path.iterdir() if "qxbatch-copy" in each.name] == []


def test_learning_replaces_a_protocol_with_a_byte_order_mark(imported: Study, tmp_path: Path) -> None:
    path = tmp_path / "protocol.toml"
    path.write_bytes(b'\xef\xbb\xbf[[series]]\r\nname = "old"\r\n')
    assert run_main("protocol", "learn", str(imported.sessions), f"--output={path}", "--overwrite=yes").status == 0
    assert "old" not in path.read_text()


def test_learning_does_not_read_a_large_file(imported: Study, tmp_path: Path) -> None:
    path = tmp_path / "protocol.toml"
    path.write_bytes(b"# a\n" * 300_000)
    run = run_main("protocol", "learn", str(imported.sessions), f"--output={path}", "--overwrite=yes")
    assert run.status == 64
    assert "cannot be read: has more than 1048576 bytes" in run.err
    assert path.stat().st_size == 1_200_000


def test_learning_replaces_no_deeply_nested_file(imported: Study, tmp_path: Path) -> None:
    path, nested = tmp_path / "protocol.toml", "a = " + "[" * 20_000
    path.write_text(nested)
    run = run_main("protocol", "learn", str(imported.sessions), f"--output={path}", "--overwrite=yes")
    assert run.status == 64
    assert "is not a protocol; it would be lost" in run.err
    assert path.read_text() == nested


def test_the_study_level_compares_without_a_protocol(imported: Study, tmp_path: Path) -> None:
    study = Study(tmp_path)
    for session in SESSIONS:
        shutil.copytree(imported.session(session), study.session(session))
    run = run_main(str(study.inbox), str(study.sessions), "group")
    assert run.status == 0
    assert "differ from the majority of the study:" in run.out
    assert "S07: series 3 (fmri_rest): tr_ms is 2500, expected 2000 ± 1" in run.out
    head, *rows = [line.split("\t") for line in (study.sessions / "study.tsv").read_text().splitlines()]
    column = head.index("differences")
    assert {row[0]: row[column] for row in rows if row[column] != "0"} == {each[0]: "1" for each in DEFECTS}
    sessions = json.loads((study.sessions / "study.json").read_text())["sessions"]
    assert [(each["session_id"], one["field"]) for each in sessions for one in each["differences"]] == [
        ("S03", "count"),
        ("S07", "tr_ms"),
        ("S11", "volumes"),
    ]
    assert "tr_ms is 2500" in run_main("report", str(study.sessions)).out
    page = (study.sessions / "report.html").read_text(encoding="utf-8")
    assert "1: series 3 (fmri_rest): tr_ms is 2500, expected 2000 ± 1" in page


def problems_of(study: Study, session: str) -> list[Problem]:
    """Return the warnings about the protocol in a session's summary."""
    summary = SessionFolder(study.session(session)).summary
    assert summary is not None
    return [problem for problem in summary.problems if problem.code is Code.PROTOCOL]


def verdicts(study: Study, session: str) -> Mapping[int, SeriesVerdict | None]:
    """Return the verdicts in a session's summary."""
    return {series.n: series.verdict for series in SessionFolder(study.session(session)).series}


def test_an_import_reports_each_session_that_differs_and_does_not_fail(study: Study, protocol: Path) -> None:
    put(study, ("S01", WITHOUT_T2, OTHER_TR))
    report, log = study.sessions / "run.json", study.sessions / "run.log"
    run = study.main(f"--protocol={protocol}", f"--json-file={report}", f"--log-file={log}")
    assert run.status == 0
    assert problems_of(study, "S01") == []
    assert SessionFolder(study.session("S01")).state is SessionState.COMPLETE
    [missing] = problems_of(study, WITHOUT_T2)
    assert missing.message == "differs from protocol.toml: T2w: missing."
    [other] = problems_of(study, OTHER_TR)
    assert other.message == "differs from protocol.toml: series 3 (fmri_rest): tr_ms is 2500, expected 2000 ± 1."
    assert SessionFolder(study.session(OTHER_TR)).state is SessionState.REVIEW
    page = (study.session(OTHER_TR) / "qxbatch" / "report.html").read_text(encoding="utf-8")
    for text in (run.out, page):
        assert text.count("tr_ms is 2500") == 1
    logged = [line for line in log.read_text(encoding="utf-8").splitlines() if "tr_ms is 2500" in line]
    assert [f" {OTHER_TR}: warning (protocol): " in line for line in logged] == [True, False], (
        "when it occurred, and in the final report"
    )
    sessions = {each["session"]: each for each in json.loads(report.read_bytes())["sessions"]}
    assert [each["code"] for each in sessions[OTHER_TR]["problems"]] == ["protocol"]
    assert sessions["S01"]["problems"] == []


def test_a_complete_series_that_exists_twice_gets_the_verdict_repeated(study: Study, protocol: Path) -> None:
    first, second = (
        rest.with_(number=number, time=f"10{number}000")
        for number, rest in zip((3, 5), series_of("S01", (REST, REST)), strict=True)
    )
    usual = series_of("S01", (T1, T2))
    study.put("S01", packet([*usual, first, second]))
    study.put("S05", packet([*usual, half(first), second]))
    assert study.main(f"--protocol={protocol}").status == 0
    repeated, complete, incomplete = SeriesVerdict.REPEATED, SeriesVerdict.COMPLETE, SeriesVerdict.INCOMPLETE
    assert verdicts(study, "S01") == {20: complete, 30: complete, 40: complete, 50: repeated}
    assert verdicts(study, "S05") == {20: complete, 30: incomplete, 40: complete, 50: complete}
    [problem] = problems_of(study, "S05")
    assert problem.message == (
        "differs from protocol.toml: series 3 (fmri_rest): repeated: found 2, expected 1 (incomplete, 2 of 4 volumes)."
    )
    report = (study.session("S01") / "dicom" / "DICOM-Report.txt").read_text(encoding="utf-8")
    assert "verdict: repeated (1 of 4 series)" in report
    assert "  5 (fmri_rest): repeated" in report


def test_folder_mode_checks_the_protocol_of_a_config_file(study: Study, protocol: Path) -> None:
    inner = packed(packet(series_of(OTHER_TR, (T1, REST))), Kind.TGZ)
    write_folder({"outer/inner.tgz": inner}, study.session("S01") / "inbox")
    config = study.sessions.parent / "config.toml"
    config.write_text(f'protocol = "{protocol}"\nmasterinbox = "none"\nsessions = "S*"\n', encoding="utf-8")
    run = study.main(f"--config={config}", "--quiet")
    assert run.status == 0, run.text
    assert [problem.message for problem in problems_of(study, "S01")] == ["differs from protocol.toml: T2w: missing."]
    assert study.main(f"--config={config}", "--overwrite=yes", "--deidentify-logs").status == 0
    assert len(problems_of(study, "S01")) == 1


def test_the_series_name_in_the_message_is_redacted(study: Study, protocol: Path) -> None:
    odd = MrSeries(number=9, description="extra Doe scan", patient="S01")
    study.put("S01", packet([*series_of("S01"), odd]))
    assert study.main(f"--protocol={protocol}", "--deidentify-logs").status == 0
    [problem] = problems_of(study, "S01")
    assert "not expected" in problem.message
    assert "Doe" not in problem.message


def test_an_import_without_a_protocol_loads_nothing_that_reads_one(study: Study) -> None:
    put(study, ("S01",))
    code = "import sys; from qxbatch.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    words = [sys.executable, "-c", code, str(study.sessions)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = done.stderr.split()
    assert "qxbatch.record.session" in loaded
    assert {"qxbatch.protocol.file", "qxbatch.record.protocol", "tomllib"} & set(loaded) == set()


def test_a_dry_run_reads_the_protocol_and_writes_nothing(study: Study, protocol: Path, tmp_path: Path) -> None:
    put(study, ("S01",))
    before = snapshot(study.sessions)
    assert study.main(f"--protocol={protocol}", "--test").status == 0
    assert study.main(f"--protocol={tmp_path / 'none.toml'}", "--test").status == 64
    assert study.main(f"--protocol={tmp_path / 'none.toml'}").status == 64
    assert snapshot(study.sessions) == before


def test_converting_again_without_a_protocol_removes_the_verdict(study: Study, protocol: Path) -> None:
    first, second = series_of("S01", (REST, REST.with_(number=5, key="again", time="104000")))
    study.put("S01", packet([*series_of("S01", (T1, T2)), first, second]))
    assert study.main(f"--protocol={protocol}").status == 0
    assert verdicts(study, "S01")[50] is SeriesVerdict.REPEATED
    assert run_main("convert", str(study.session("S01")), "--overwrite=yes").status == 0
    assert verdicts(study, "S01")[50] is SeriesVerdict.COMPLETE
    assert run_main("convert", str(study.session("S01")), "--overwrite=yes", f"--protocol={protocol}").status == 0
    assert verdicts(study, "S01")[50] is SeriesVerdict.REPEATED


def without_facts(study: Study, imported: Study) -> Path:
    """Return a session whose summary has no facts, like that of an older version."""
    session = study.session("S01")
    shutil.copytree(imported.session("S01"), session)
    path = session / "qxbatch" / "summary.json"
    content = json.loads(path.read_bytes())
    for series in content["series"]:
        del series["acquisition"], series["verdict"]
    path.write_text(json.dumps({**content, "schema": 1}), encoding="utf-8")
    return session


def test_a_session_without_facts_is_listed_with_the_command_that_computes_them(
    study: Study, imported: Study, protocol: Path
) -> None:
    old = without_facts(study, imported)
    write_folder({"session.txt": b"id: S2\n", "nii/31.nii.gz": b"x"}, study.session("S2"))
    write_folder({"session.txt": b"id: S3\n", "qxbatch/summary.json": b"{"}, study.session("S3"))
    run = check(study.sessions, protocol, "--json")
    assert (run.status, listed(run)) == (1, [])
    problems = [each["problem"] for each in json.loads(run.out)["sessions"]]
    assert f"`qxbatch inspect --update {old}`" in problems[0]
    assert f"`qxbatch inspect --update {study.session('S2')}`" in problems[1]
    assert "cannot be read" in problems[2]
    text = check(study.sessions, protocol).out
    assert "3 sessions: 0 without differences, 3 not checked" in text
    learned = run_main("protocol", "learn", str(study.sessions), f"--output={study.sessions / 'p.toml'}")
    assert learned.status == 66
    assert "inspect --update" in learned.err


def test_without_sessions_nothing_is_checked_or_learned(study: Study, protocol: Path) -> None:
    assert check(study.sessions, protocol).status == 66
    assert run_main("protocol", "learn", str(study.sessions), "--output=x.toml").status == 66
    assert check(study.sessions / "absent", protocol).status == 64


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["learn"], "--output is missing"),
        (["check"], "--protocol is missing"),
        (["learn", "--output=x", "--json"], "has no --json"),
        (["check", "--protocol=x", "--test"], "has no --test"),
        (["chek"], "does not know 'chek'"),
        (["learn", "--output=x", "--overwrite=perhaps"], "--overwrite=perhaps is not known"),
    ],
)
def test_misuse_is_explained(words: list[str], message: str, study: Study) -> None:
    run = run_main("protocol", words[0], str(study.sessions), *words[1:])
    assert run.status == 64
    assert message in run.err


def test_an_output_that_cannot_be_written_gives_status_73(imported: Study, tmp_path: Path) -> None:
    for output in (tmp_path, tmp_path / "none" / "p.toml"):
        run = run_main("protocol", "learn", str(imported.sessions), f"--output={output}")
        assert run.status == 73
        assert str(output) in run.err


def test_the_published_kinds_are_those_of_the_program() -> None:
    kinds = schema("protocol-check-1.json")["$defs"]["difference"]["properties"]["kind"]["enum"]
    assert kinds == list(DifferenceKind)


def test_each_session_of_a_packet_that_is_split_is_checked(study: Study, protocol: Path) -> None:
    one, two = series_of("S01"), series_of(OTHER_TR, (T1, REST))
    study.put("S01", {**under("a", packet(one)), **under("b", packet(two))})
    assert study.main(f"--protocol={protocol}", "--on-mixed=split").status == 0
    names = study.session_names()
    assert [len(problems_of(study, name)) for name in names] == [0, 1]
