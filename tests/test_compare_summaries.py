"""tests/compare_summaries.py compares an old and a new summary of the same packets, field by field."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.compare_summaries import main

OLD = {
    "schema": 1,
    "qxbatch": "0.1.0",
    "series": [{"n": 30, "header": {"EchoTime": 4.0}, "images": [31]}],
    "times": {"seconds": 1.0},
    "host": {"name": "a"},
}


def write_summary(path: Path, content: object) -> str:
    """Write a summary and return its path."""
    path.write_text(json.dumps(content))
    return str(path)


def compare_with_old(tmp_path: Path, new: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Compare OLD with a new summary; return exit status and lines."""
    status = main([write_summary(tmp_path / "old.json", OLD), write_summary(tmp_path / "new.json", new)])
    return status, capsys.readouterr().out.splitlines()


def test_fields_that_vary_between_runs_or_that_schema_2_adds_are_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series = {**OLD["series"][0], "verdict": "complete", "acquisition": {"tr_ms": 2000}}  # type: ignore[index]
    new = {**OLD, "schema": 2, "qxbatch": "0.2.0", "series": [series], "times": {}, "host": {"name": "b"}}
    assert compare_with_old(tmp_path, new, capsys) == (0, [])


@pytest.mark.parametrize(
    ("series", "line"),
    [
        ([], 'series[0]: {"n": 30, "header": {"EchoTime": 4.0}, "images": [31]} | (absent)'),
        ([{"n": 30, "header": {"EchoTime": 4}, "images": [31]}], "series[0].header.EchoTime: 4.0 | 4"),
        ([{"n": 30, "header": {"EchoTime": 4.0}, "images": [31, 32]}], "series[0].images[1]: (absent) | 32"),
        ([{"n": 30, "header": {"EchoTime": 4.0}}], "series[0].images: [31] | (absent)"),
        ([{**OLD["series"][0], "extra": 1}], "series[0].extra: (absent) | 1"),  # type: ignore[index]
    ],
)
def test_every_other_change_is_reported(
    series: list[Any], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare_with_old(tmp_path, {**OLD, "series": series}, capsys) == (1, [line])


def test_folders_are_compared_session_by_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for session in ("a/S1", "b/S1", "b/S2"):
        (tmp_path / session / "qxbatch").mkdir(parents=True)
        write_summary(tmp_path / session / "qxbatch" / "summary.json", OLD)
    assert main([str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert capsys.readouterr().out == f"S2: only in {tmp_path / 'b'}\n"


def test_wrong_usage_exits_with_64(tmp_path: Path) -> None:
    assert main([]) == 64
    assert main([str(tmp_path), str(tmp_path)]) == 64, "the folder contains no sessions"
