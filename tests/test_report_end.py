"""The report after the import lists everything that was found exactly once."""

from pathlib import Path

import pytest

from qxbatch.model import Candidate, Fingerprint, Packet, Report, SeriesLabel, SessionId, SessionReport, Verdict
from qxbatch.problems import Code, Problem, Severity
from qxbatch.report.blocks import MAX_BLOCKS, TextLayout
from qxbatch.report.commands import merged_commands
from qxbatch.report.end import final_report
from qxbatch.series_labels import label_subject
from qxbatch.settings.model import Stages
from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study

LABELS = (
    SeriesLabel(20, 2, "epiRT ascending", (21, 22)),
    SeriesLabel(100030, 3, "", (100031,)),
    SeriesLabel(50, None, "x"),
)


def warning(subject: str, message: str = "looks odd.", code: Code = Code.CONVERT_REVIEW) -> Problem:
    return Problem(code, subject, message, "Look at it.", severity=Severity.WARNING)


def ready(name: str) -> Candidate:
    path = Path("/in") / f"{name}.zip"
    return Candidate(path, Verdict.READY, Packet(path, name, Fingerprint(1, 2, 3)), SessionId(name))


def written(name: str, *problems: Problem) -> SessionReport:
    session = SessionId(name)
    return SessionReport(f"{name}.zip", session, Path("/s") / name, problems, 2, 2, unit=name, labels=LABELS)


def refused(name: str, command: str = "", message: str = "is damaged.") -> SessionReport:
    problem = Problem(Code.DAMAGED, f"{name}.zip", message, "Get a sound copy.", command=command)
    return SessionReport(f"{name}.zip", SessionId(name), None, (problem,), unit=name)


def other(name: str, verdict: Verdict) -> Candidate:
    return Candidate(Path("/in") / name, verdict)


def test_a_session_with_errors_counts_as_written_and_a_refused_packet_does_not() -> None:
    error = Problem(Code.CONVERT_FAILED, "series 20", "did not convert.")
    report = Report((), (written("S1", error), written("S2", warning("S2")), written("S3"), refused("S4")))
    assert final_report(report).splitlines()[1] == "3 of 4 sessions were written."


def test_each_candidate_is_counted_once() -> None:
    exists = Problem(Code.EXISTS, "S6", "exists.", severity=Severity.WARNING)
    locked = Problem(Code.HELD, "S7", "is held.", severity=Severity.WARNING)
    failed_series = Problem(Code.CONVERT_FAILED, "series 20", "did not convert.")
    report = Report(
        (
            *(ready(f"S{k}") for k in range(1, 8)),
            other("a.zip", Verdict.ALREADY_THERE),
            other("README", Verdict.STRAY),
            other("b.zip", Verdict.FILTERED),
            other("c.zip", Verdict.NO_MATCH_IN_LOGFILE),
            Candidate(Path("/in/d.zip"), Verdict.REFUSED, problem=Problem(Code.SAME_SESSION, "/in/d.zip", "is of S1.")),
        ),
        (
            written("S1"),
            written("S2", warning("series 20")),
            written("S3", failed_series),
            refused("S4"),
            refused("S5"),
            SessionReport("S6.zip", SessionId("S6"), None, (exists,), unit="S6"),
            SessionReport("S7.zip", SessionId("S7"), None, (locked,), unit="S7"),
        ),
    )
    lines = final_report(report, seconds=72.0).splitlines()
    assert lines[lines.index("12 entries in 1:12:") :] == [
        "12 entries in 1:12:",
        "  3 imported (1 to check, 1 with errors)",
        "  3 refused",
        "  6 left alone:",
        "      2 already there: S6.zip, a.zip",
        "          --overwrite=yes imports them again.",
        "      1 being imported by another run: S7.zip",
        "          Run again when the other run has ended.",
        "      1 without a match in the logfile: c.zip",
        "          Add them to the table of --logfile.",
        "      1 filtered out: b.zip",
        "      1 ignored, not a packet: README",
    ]


@pytest.mark.parametrize(("stages", "done"), [(Stages.SORT, "sorted"), (Stages.CONVERT, "converted")])
def test_the_count_says_what_the_command_did(stages: Stages, done: str) -> None:
    report = Report((ready("S1"), other("S2", Verdict.ALREADY_THERE)), (written("S1"),))
    lines = final_report(report, stages=stages).splitlines()
    assert lines[lines.index("2 entries:") :] == [
        "2 entries:",
        f"  1 {done}",
        "  1 left alone:",
        "      1 already there: S2",
        f"          --overwrite=yes {stages}s them again.",
    ]


def test_series_are_listed_by_the_number_of_the_scanner() -> None:
    report = Report((), (written("S1", warning("series 20")),))
    assert "  S1, series 2, epiRT ascending (images 21, 22): looks odd." in final_report(report).splitlines()


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("series 20", "series 2, epiRT ascending (images 21, 22)"),
        ("series 100030", "series 3 in dicom/100030 (image 100031)"),
        ("series 20 and 100030", "series 2 and 3 in dicom/100030 (images 21, 22, 100031)"),
        ("series 50", "series in dicom/50, x"),
        ("series 990", "series 990"),
        ("x.PAR", "x.PAR"),
    ],
)
def test_a_series_label_has_number_name_and_images(subject: str, expected: str) -> None:
    assert label_subject(subject, LABELS) == expected


def test_a_session_with_several_problems_is_listed_once() -> None:
    report = Report((), (written("S1", warning("series 20"), warning("series 100030", "is short.")),))
    text = final_report(report)
    assert text.count("S1") == 1
    assert "    - series 2, epiRT ascending (images 21, 22): looks odd." in text
    assert "    - series 3 in dicom/100030 (image 100031): is short." in text
    assert text.count("Look at it.") == 1


def test_a_shared_problem_is_listed_once_with_the_command_of_each_packet() -> None:
    sessions = tuple(refused(f"S{k}", f"qxbatch /s --sessions=S{k} --on-damaged=keep") for k in (1, 2, 3))
    text = final_report(Report((), sessions))
    assert text.count("is damaged.") == 1
    assert "  S1.zip, S2.zip, S3.zip: is damaged." in text
    assert all(f"      qxbatch /s --sessions=S{k} --on-damaged=keep\n" in f"{text}\n" for k in (1, 2, 3))


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["qxbatch /s --sessions=A"], "qxbatch /s --sessions=A"),
        (["qxbatch /s --sessions=A", "qxbatch /s --sessions=B"], "qxbatch /s --sessions=A,B"),
        (["qxbatch /s '--sessions=A 1'", "qxbatch /s --sessions=B"], "qxbatch /s '--sessions=A 1,B'"),
        (
            ["mv a b && qxbatch /s --sessions=A", "mv c d && qxbatch /s --sessions=B"],
            "mv a b && qxbatch /s --sessions=A\nmv c d && qxbatch /s --sessions=B",
        ),
        (["qxbatch /s --sessions=A > log"], "qxbatch /s --sessions=A > log"),
        (["chmod u+r /a", "chmod u+r /b"], "chmod u+r /a\nchmod u+r /b"),
        (["qxbatch /s --sessions=A", "qxbatch /t --sessions=B"], "qxbatch /s --sessions=A\nqxbatch /t --sessions=B"),
        (
            ["qxbatch /s $'--sessions=A\\x1b'", "qxbatch /s --sessions=B"],
            "qxbatch /s $'--sessions=A\\x1b'\nqxbatch /s --sessions=B",
        ),
    ],
)
def test_commands_that_differ_only_in_sessions_are_merged(commands: list[str], expected: str) -> None:
    assert merged_commands(commands) == expected.splitlines()


def test_a_long_list_is_shortened_to_counts_by_reason_without_list_all() -> None:
    sessions = [written(f"S{k}", warning("series 20", f"misses {k} slices.")) for k in range(MAX_BLOCKS)]
    sessions.append(written("T1", warning("T1", "was left out.", Code.LEFT_OUT)))
    report = Report((), tuple(sessions))
    shortened = final_report(report)
    assert "15 convert-review: S0, S1, S2, S3, S4, S5, S6, S7 and 7 more" in shortened
    assert "1 left-out: T1" in shortened
    assert "--list-all lists them" in shortened
    assert "misses 3 slices." not in shortened
    complete_text = final_report(report, TextLayout(list_all=True))
    assert all(f"misses {k} slices." in complete_text for k in range(MAX_BLOCKS))
    assert "misses 3 slices." in final_report(Report((), tuple(sessions[:MAX_BLOCKS])))


@pytest.mark.parametrize(("count", "has_printed_script"), [(60, True), (600, False)])
def test_a_shortened_list_has_the_command_for_all_unless_it_is_too_long(count: int, has_printed_script: bool) -> None:
    sessions = [
        refused(f"S{k}", f"qxbatch /s --sessions=S{k} --on-damaged=keep", f"is damaged at {k}.") for k in range(count)
    ]
    text = final_report(Report((), tuple(sessions)))
    assert f"{count} damaged: S0.zip, " in text
    assert ("--sessions=S0,S1,S2," in text) is has_printed_script
    assert ("--list-all prints it" in text) is not has_printed_script
    assert f"      qxbatch /s --sessions=S{count - 1} --on-damaged=keep" in final_report(
        Report((), tuple(sessions)), TextLayout(list_all=True)
    )


def test_a_message_is_cut_after_three_lines_without_list_all() -> None:
    message = " ".join(f"word{k}" for k in range(100))
    report = Report((), (written("S1", warning("S1", message)),))
    short = final_report(report).splitlines()
    assert max(map(len, short)) <= 80
    assert short[6].endswith(" ...")
    assert "Lines ending in ... are complete with --list-all, and in the log (--log-file)." in short
    assert "word99" not in "\n".join(short)
    assert "word99" in final_report(report, TextLayout(list_all=True))


def test_each_packet_has_its_hint_and_its_command() -> None:
    commands = [f"qxbatch /s --sessions=S{k} --on-damaged=keep" for k in range(3)]
    hint = "Get a sound copy, or import what can be read:"
    problems = [Problem(Code.DAMAGED, f"S{k}.zip", f"is damaged at {k}.", hint, command=commands[k]) for k in range(3)]
    reports = [SessionReport(f"S{k}.zip", SessionId(f"S{k}"), None, (problem,)) for k, problem in enumerate(problems)]
    lines = final_report(Report((), tuple(reports))).splitlines()
    assert lines[lines.index("Failed:") :] == [
        "Failed:",
        "  S0.zip: is damaged at 0.",
        f"      {hint}",
        "      qxbatch /s --sessions=S0 --on-damaged=keep",
        "  S1.zip: is damaged at 1.",
        f"      {hint}",
        "      qxbatch /s --sessions=S1 --on-damaged=keep",
        "  S2.zip: is damaged at 2.",
        f"      {hint}",
        "      qxbatch /s --sessions=S2 --on-damaged=keep",
    ]


def test_each_hint_is_followed_by_its_command() -> None:
    command = "qxbatch /s --sessions=S1 --overwrite=yes"
    damaged = Problem(Code.DAMAGED_KEPT, "S1.zip", "is damaged.", "Get a sound copy. Import it:", command=command)
    report = Report((), (written("S1", damaged, warning("series 20")),))
    lines = final_report(report).splitlines()
    assert lines[lines.index("Failed:") + 4 :] == [
        "      Get a sound copy. Import it:",
        f"      {command}",
        "      Look at it.",
    ]


def test_the_reason_of_a_failure_is_not_cut() -> None:
    files = [f"a_long_name_of_a_series_{k}.PAR" for k in range(12)]
    error = Problem(Code.MIXED_PATIENTS, "S2.zip", f"contains 2 patients: {', '.join(files)}; patient 2 (Doe).")
    lone = [Problem(Code.UNPAIRED, name, "a PAR header without its REC file.") for name in files]
    sessions = (written("S1", *lone), SessionReport("S2.zip", SessionId("S2"), None, (error,), unit="S2"))
    text = " ".join(final_report(Report((), sessions)).split())
    assert f"S1: a PAR header without its REC file: {files[0]}, " in text
    assert "; patient 2 (Doe)." in text


def test_a_long_list_of_files_of_a_warning_follows_its_reason() -> None:
    names = [f"a_long_name_of_a_series_{k}.PAR" for k in range(12)]
    report = Report((), (written("S1", *(warning(name, "has no REC.") for name in names)),))
    assert f"  S1: has no REC: {names[0]}, " in final_report(report)


def test_commands_are_not_wrapped() -> None:
    command = "qxbatch /a/long/path" + "/of/folders" * 10 + " --sessions=S1 --on-damaged=keep"
    assert f"      {command}" in final_report(Report((), (refused("S1", command),))).splitlines()


def test_the_report_of_a_run_is_wrapped_to_80_columns_without_a_terminal(study: Study) -> None:
    two = {
        **under("a", MrSeries(number=3, patient="A1").files()),
        **under("b", MrSeries(number=4, patient="B2").files()),
    }
    study.put("two", two)
    study.put_bytes("README", b"no packet")
    run = study.run(env={"COLUMNS": ""})
    reports = run.out.replace(str(study.sessions), "SESSIONS")
    assert [line for line in reports.splitlines() if len(line) > 80 and "qxbatch " not in line] == []
    assert "  1 refused" in run.out.splitlines()
    assert "      1 ignored, not a packet: README" in run.out.splitlines()


def test_the_page_of_the_study_is_named_if_it_exists(study: Study, tmp_path: Path) -> None:
    study.put("S1", MrSeries(number=3, patient="S1").files())
    assert f"Page of the study: {study.sessions / 'report.html'}" in study.run().out.splitlines()
    assert "Page of the study" not in final_report(
        Report((ready("S1"),), (written("S1"),)), study_page=tmp_path / "report.html"
    )


def test_a_long_inbox_is_counted_before_an_import_and_listed_in_a_dry_run(study: Study) -> None:
    for k in range(MAX_BLOCKS + 1):
        study.put_bytes(f"stray{k}.txt", b"no packet")
    assert "16 ignored, not a packet (--list-all lists them)" in study.main().out
    assert "stray7.txt" not in study.main().out
    assert "stray7.txt" in study.main("--list-all").out
    assert "stray7.txt" in study.main("--test").out
