"""Text wrapped to the width of the terminal, and lines printed above a display."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.cli.output import LastingStream
from qxbatch.report.progress import PLAIN_SECONDS, Progress, is_live
from qxbatch.wrapping import cut, display_width, table, text_width, wrapped
from tests.build.dicom import MrSeries
from tests.build.study import Study, run_command

WORDS = st.lists(st.text("ab日é", min_size=1, max_size=30), max_size=20)


class Screen(io.StringIO):
    """A stream that reports to be a terminal."""

    def isatty(self) -> bool:
        return True


@given(WORDS, st.integers(20, 120))
def test_wrapping_keeps_all_words_and_only_a_long_word_exceeds_the_width(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width, "- ", "  ")
    assert " ".join(lines).split() == ["-", *words]
    assert all(display_width(line) <= width or len(line.split()) <= 2 for line in lines)


@given(WORDS, st.integers(4, 60))
def test_shortened_text_fits_the_width(words: list[str], width: int) -> None:
    text = " ".join(words)
    short = cut(text, width)
    assert display_width(short) <= width
    assert short == text or short.endswith("...")


@given(st.lists(st.tuples(st.text("ab ", max_size=40), st.text("cd ", max_size=40)), min_size=1, max_size=5))
def test_a_table_fits_the_terminal_and_loses_no_character(rows: list[tuple[str, str]]) -> None:
    lines = table(rows, 40, 2)
    assert max(map(len, lines)) <= 40
    printed = "".join(lines).replace(" ", "")
    assert sorted(printed) == sorted("".join(a + b for a, b in rows).replace(" ", ""))


@pytest.mark.parametrize(("given", "width"), [("", 80), ("132", 132), ("many", 80), ("1", 20)])
def test_without_a_terminal_the_width_is_80_or_that_of_the_variable(
    given: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", given)
    assert text_width(io.StringIO()) == width


def test_the_output_of_scan_and_doctor_is_wrapped(study: Study, tmp_path: Path) -> None:
    long = MrSeries(number=3, description="many words which no terminal of eighty columns has room for")
    study.put("S1", long.files())
    (tmp_path / "damaged.zip").write_bytes(b"PK\x03\x04" + bytes(500))
    for words in (["scan", "S1.zip"], ["scan", str(tmp_path / "damaged.zip")], ["doctor"]):
        wide, narrow = (
            run_command(*words, env={"COLUMNS": columns}, cwd=study.inbox).out for columns in ("10000", "80")
        )
        assert max(map(len, wide.splitlines())) > 80
        too_long = [line for line in narrow.splitlines() if len(line) > 80 and len(line.split()) > 1]
        assert too_long == []
        assert sorted(narrow.split()) == sorted(wide.split())


def test_complete_lines_are_printed_above_a_display_with_escaped_control_characters() -> None:
    stream, above = io.StringIO(), list[str]()
    lasting = LastingStream(stream, "standard error")
    lasting.divert(above.append)
    print("one", file=lasting)
    print("two\nthree", file=lasting)
    lasting.write("half")
    lasting.write(" a line\x1b[2J\n")
    lasting.write("the end")
    lasting.write_unescaped("\x1b[2K")
    assert above == ["one", "two", "three", "half a line\\x1b[2J"]
    lasting.divert(None)
    assert stream.getvalue() == "\x1b[2Kthe end"


@pytest.mark.parametrize(("term", "live"), [("xterm", True), ("dumb", False), ("", False)])
def test_a_live_terminal_can_move_its_cursor(term: str, live: bool) -> None:
    assert is_live(Screen(), {"TERM": term}) is live
    assert not is_live(io.StringIO(), {"TERM": term})


def test_progress_is_printed_as_lines_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setitem(sys.modules, "qxbatch.report.live", None)
    stream, now = Screen(), [0.0]
    progress = Progress(stream=stream, clock=lambda: now[0])
    progress.open_or_plain()
    now[0] = PLAIN_SECONDS
    progress.tick()
    assert stream.getvalue() == "0 of 0 sessions done, 100% of 0.0 kB\n"


def test_rich_is_loaded_only_for_a_terminal(study: Study) -> None:
    study.put("S1", MrSeries(number=3, patient="S1").files())
    code = "import sys; from qxbatch.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    words = [sys.executable, "-c", code, str(study.sessions)]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert study.session_names() == ["S1"]
    assert "qxbatch.report.progress" in run.stderr
    assert "rich" not in run.stderr.split()
