"""The display of a run on a terminal: a pseudo-terminal whose output is read as a screen."""

import re
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study
from tests.build.terminal import Gate, Terminal

SIZES = [(80, 24), (120, 40)]
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])(?:;\d+)*m")
BAR = re.compile(r"^█+░*  \d+%  [\d.]+ of [\d.]+ [kM]B", re.MULTILINE)
ASCII_BAR = re.compile(r"^#+-*  \d+%  [\d.]+ of [\d.]+ [kM]B", re.MULTILINE)
BROKEN = b"PK\x03\x04" + bytes(1_000_000)
"""The largest packet of each test: it is imported first."""
PACKETS = ("S1", "S2", "S3")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def put_three(study: Study) -> None:
    for name in PACKETS:
        tree = {
            **under("a", MrSeries(number=3, patient=name).files()),
            **under("b", MrSeries(number=4, patient=name).files()),
        }
        study.put(name, tree)


def converting(screen: str) -> bool:
    return "converting" in screen and "0 of 2 series" in screen and bool(BAR.search(screen))


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_display_has_a_bar_with_the_time_left_and_the_units_at_work(
    study: Study, gate: Gate, columns: int, rows: int
) -> None:
    put_three(study)
    with Terminal(str(study.sessions), columns=columns, rows=rows, env=gate.env) as terminal:
        screen = terminal.until(lambda screen: converting(screen) and " left" in screen)
        [bar] = [row for row in terminal.rows if BAR.match(row)]
        assert re.fullmatch(r"█+░+  \d+%  [\d.]+ of [\d.]+ kB  [\d.]+ [kM]B/s  \d+:\d\d left", bar)
        below = terminal.rows[terminal.rows.index(bar) + 1 :]
        assert re.fullmatch(r"0 of 3 sessions done, \d+:\d\d", below[0])
        at_work = [row for row in below[1:] if row]
        assert 1 <= len(at_work) <= 3
        assert all(re.fullmatch(r"  S\d  (waiting|reading|converting)( +0 of 2 series)?", row) for row in at_work), (
            screen
        )
        gate.open()
        assert terminal.wait() == 0
        assert not BAR.search(terminal.all_text)
        assert "sessions done" not in terminal.all_text
        assert "  3 imported" in terminal.rows
        assert terminal.rows[-1] == ""
        assert not terminal.screen.cursor.hidden


def test_a_failed_packet_is_printed_above_the_display_and_successes_are_counted(study: Study, gate: Gate) -> None:
    put_three(study)
    study.put_bytes("broken.zip", BROKEN)
    with Terminal(str(study.sessions), env=gate.env) as terminal:
        screen = terminal.until(lambda screen: converting(screen) and "1 failed" in screen)
        [failure] = [row for row in terminal.rows if row.startswith("✗ broken.zip: FAILED: ")]
        assert len(failure) <= 80
        assert screen.index(failure) < screen.index("sessions done")
        gate.open()
        assert terminal.wait() == 1
        assert "✓" not in terminal.all_text
        assert {"  3 imported", "  1 refused"} <= set(terminal.rows)
        assert len([row for row in terminal.all_text.splitlines() if row.startswith("✗ ")]) == 1


def test_successes_are_listed_with_list_all(study: Study) -> None:
    put_three(study)
    with Terminal(str(study.sessions), "--list-all") as terminal:
        assert terminal.wait() == 0
        lines = [
            row for row in terminal.all_text.splitlines() if re.match(r"✓ S\d\.zip -> S\d: 2 series, 2 images, ", row)
        ]
    assert len(lines) == 3


@pytest.mark.parametrize("narrower", [80, 40])
def test_the_display_follows_a_resize(study: Study, gate: Gate, narrower: int) -> None:
    put_three(study)
    with Terminal(str(study.sessions), columns=120, rows=40, env=gate.env) as terminal:
        terminal.until(converting)
        terminal.resize(narrower, 24)
        start = len(terminal.raw)
        terminal.until(lambda screen: "sessions done" in screen and len(terminal.raw) > start + 200)
        drawn = [row for row in terminal.rows if row]
        assert max(map(len, drawn)) <= narrower
        assert len([row for row in drawn if "sessions done" in row]) == 1
        assert len([row for row in drawn if row.startswith("█")]) == 1
        gate.open()
        assert terminal.wait() == 0
        assert "sessions done" not in terminal.all_text


def test_a_terminal_with_few_rows_shows_the_first_lines(study: Study, gate: Gate) -> None:
    put_three(study)
    with Terminal(str(study.sessions), rows=4, env=gate.env) as terminal:
        terminal.until(lambda screen: converting(screen) and " left" in screen)
        assert len([row for row in terminal.all_text.splitlines() if "sessions done" in row]) == 1
        assert len([row for row in terminal.all_text.splitlines() if BAR.match(row)]) == 1
        gate.open()
        assert terminal.wait() == 0
        assert "sessions done" not in terminal.all_text


def test_ctrl_c_clears_the_display_before_the_messages(study: Study, gate: Gate) -> None:
    put_three(study)
    with Terminal(str(study.sessions), env=gate.env) as terminal:
        terminal.until(converting)
        terminal.press_ctrl_c()
        assert terminal.wait() == 130
        rows = [row for row in terminal.rows if row]
        assert rows[-2:] == [
            "qxbatch: stopping ...",
            "qxbatch: interrupted; the next run clears or finishes what this one left.",
        ]
        assert not BAR.search(terminal.all_text)
        assert "^C" not in terminal.text
        assert not terminal.screen.cursor.hidden
    assert study.session_names() == []


def test_colour_can_be_switched_off(study: Study) -> None:
    study.put_bytes("broken.zip", BROKEN)
    put_three(study)
    has_colour = {}
    for colour, env in {"colour": {}, "none": {"NO_COLOR": "1"}}.items():
        gate = Gate(study.sessions.parent / colour)
        with Terminal(str(study.sessions), "--archive=leave", "--overwrite=yes", env={**gate.env, **env}) as terminal:
            terminal.until(lambda screen: converting(screen) and "1 failed" in screen)
            has_colour[colour] = bool(COLOUR.search(terminal.raw))
            gate.open()
            assert terminal.wait() == 1
    assert has_colour == {"colour": True, "none": False}


def test_the_c_locale_gets_ascii_output(study: Study, gate: Gate) -> None:
    study.put_bytes("broken.zip", BROKEN)
    put_three(study)
    with Terminal(str(study.sessions), env={**gate.env, "LC_ALL": "C"}) as terminal:
        terminal.until(lambda screen: bool(ASCII_BAR.search(screen)) and "1 failed" in screen)
        assert [row for row in terminal.rows if row.startswith("x broken.zip: FAILED: ")]
        gate.open()
        assert terminal.wait() == 1
        assert terminal.raw.isascii()


@pytest.mark.parametrize("term", ["dumb", "", None])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(study: Study, term: str | None) -> None:
    put_three(study)
    with Terminal(str(study.sessions), env={"TERM": term}) as terminal:
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.raw
        assert len(re.findall(r"^\[\d/3\] S\d\.zip -> S\d: ", terminal.all_text, re.MULTILINE)) == 3


def test_quiet_prints_nothing(study: Study) -> None:
    put_three(study)
    with Terminal(str(study.sessions), "--quiet") as terminal:
        assert terminal.wait() == 0
        assert terminal.raw == b""


def test_quiet_prints_only_the_warnings_of_a_run_without_errors(study: Study) -> None:
    study.put("S1", {**under("a", MrSeries(number=3).files()), **under("b", MrSeries(number=3, study="later").files())})
    run = study.run("--quiet")
    assert run.status == 0
    assert run.out.startswith("To look at:\n")
    assert "2 studies became one session" in run.out
    assert "imported" not in run.out


def test_without_a_terminal_no_control_sequence_is_written(study: Study) -> None:
    put_three(study)
    run = study.run(env={"TERM": "xterm-256color"})
    assert "\x1b" not in run.text
    assert len(re.findall(r"^\[\d/3\] ", run.err, re.MULTILINE)) == 3


def test_the_output_of_a_converter_never_reaches_the_terminal(study: Study, tmp_path: Path) -> None:
    put_three(study)
    gate = Gate(tmp_path, says="LOUD")
    with Terminal(str(study.sessions), env=gate.env) as terminal:
        terminal.until(converting)
        gate.open()
        assert terminal.wait() == 0
        assert b"LOUD" not in terminal.raw
    assert "LOUD" in (study.session("S1") / "dicom" / "dcm2niix_30.log").read_text()


def test_control_sequences_in_names_are_escaped(study: Study, gate: Gate) -> None:
    put_three(study)
    study.put_bytes("P\x1b[2J\x1b]0;title\x07\r\nFORGED.zip", BROKEN)
    with Terminal(str(study.sessions), env=gate.env) as terminal:
        terminal.until(converting)
        gate.open()
        assert terminal.wait() == 1
        assert b"\x1b[2J" not in terminal.raw
        assert b"\x1b]0" not in terminal.raw
        assert b"\nFORGED" not in terminal.raw
