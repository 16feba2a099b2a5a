"""The report before the import."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qxbatch.model import Candidate, Fingerprint, Packet, SessionId, Verdict
from qxbatch.problems import Code, Problem
from qxbatch.report.preview import HEADINGS, preview
from qxbatch.settings.model import Settings, Stages
from qxbatch.settings.parse import parse
from qxbatch.visible import one_line


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    (tmp_path / "inbox/MR").mkdir(parents=True)
    return lambda **given: parse({"sessionsfolder": str(tmp_path), **given}).settings


def candidate(name: str, verdict: Verdict, **more: Any) -> Candidate:
    return Candidate(Path("/in") / name, verdict, **more)


ALL = [
    candidate(
        "a.zip",
        Verdict.READY,
        packet=Packet(Path("/in/a.zip"), "a", Fingerprint(1, 2, 3)),
        session=SessionId("S1", "x"),
    ),
    candidate("b.zip", Verdict.ALREADY_THERE, note="session S2 exists: give --overwrite=yes"),
    candidate("c.zip", Verdict.NO_MATCH_IN_LOGFILE, note="the logfile does not name c"),
    candidate("d.zip", Verdict.NO_NAME),
    candidate("e.zip", Verdict.NOT_PARSED),
    candidate("f.zip", Verdict.FILTERED),
    candidate("README", Verdict.STRAY),
    candidate("g.zip", Verdict.REFUSED, problem=Problem(Code.SAME_SESSION, "/in/g.zip", "is of S1.", "Move it.")),
]


def test_every_verdict_has_its_heading() -> None:
    assert set(HEADINGS) == set(Verdict)


def test_each_candidate_is_listed_once(settings: Callable[..., Settings]) -> None:
    text = preview(ALL, settings())
    assert text.startswith("Found 8 entries")
    for each in ALL:
        assert text.count(each.path.name) == 1
        assert f"1 {HEADINGS[each.verdict]}:" in text
        assert each.note in text
    assert "a.zip -> S1_x (subject S1)" in text
    assert "is of S1." not in text, "the reason of a refusal is in the report after the import"
    assert "Move it." not in text, "the hint is in the report after the import"


def test_the_short_report_lists_ready_and_refused_packets_and_counts_the_others(
    settings: Callable[..., Settings],
) -> None:
    text = preview(ALL, settings(verbose="no"))
    listed = {each.path.name for each in ALL if each.path.name in text}
    assert listed == {"a.zip", "g.zip"}
    assert all(f"1 {HEADINGS[each.verdict]}" in text for each in ALL)


@pytest.mark.parametrize(
    ("stages", "heading"), [(Stages.SORT, "ready to be sorted"), (Stages.CONVERT, "ready to be converted")]
)
def test_the_report_says_what_the_command_will_do(
    settings: Callable[..., Settings], stages: Stages, heading: str
) -> None:
    assert f"1 {heading}:" in preview(ALL, replace(settings(), stages=stages))


def test_the_report_says_if_nothing_is_ready(settings: Callable[..., Settings]) -> None:
    assert "Nothing is ready." in preview([], settings())
    assert "Nothing is ready." not in preview(ALL, settings())


def test_control_characters_in_names_are_escaped(settings: Callable[..., Settings]) -> None:
    text = preview([candidate("a\x1b[2Jb\nc\udcff", Verdict.STRAY)], settings())
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4
    assert text.encode()


@pytest.mark.parametrize(("text", "escaped"), [("Øre 1", "Øre 1"), ("a\tb", "a\\tb"), ("\udcff", "\\udcff")])
def test_a_text_is_printed_on_one_line(text: str, escaped: str) -> None:
    assert one_line(text) == escaped
