"""A user, or a container, that may start few threads: the run ends with a message, and a later run imports the rest."""

import threading
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Run, Study, run_main, snapshot

MESSAGE = "cannot start a thread (too many processes and threads for this user (`ulimit -u`) or this container)"
MOST_THREADS = 60
"""More than an import of one packet starts."""


def refuse_threads(patch: pytest.MonkeyPatch, allowed: int) -> None:
    """Refuse each thread of Python after the first `allowed` ones, with the error of Python."""
    start = threading._start_new_thread  # type: ignore[attr-defined]
    started: list[tuple[object, ...]] = []

    def limited(*args: object) -> object:
        if len(started) >= allowed:
            raise RuntimeError("can't start new thread")
        started.append(args)
        return start(*args)

    patch.setattr(threading, "_start_new_thread", limited)


def text_of(run: Run) -> str:
    """Return the output with its lines joined."""
    return " ".join(run.text.split())


def test_an_import_with_too_few_threads_ends_with_a_message(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    series = [MrSeries(number=n, slices=2, time=f"10{n}000") for n in (3, 4)]
    study.put("S1", {name: data for n, each in enumerate(series) for name, data in under(f"{n}", each.files()).items()})
    packet = snapshot(study.inbox)
    refused = 0
    for allowed in range(MOST_THREADS):
        with monkeypatch.context() as patch:
            refuse_threads(patch, allowed)
            run = study.main("--check=no")
        if run.status == 0:
            break
        refused += 1
        assert run.status in (1, 73), run.text
        assert MESSAGE in text_of(run)
        assert "internal error" not in run.text
        assert snapshot(study.inbox) == packet
        assert study.session_names() == []
    assert refused > 5
    assert study.session_names() == ["S1"]


@pytest.mark.parametrize("command", ["scan", "inspect"])
def test_a_command_with_too_few_threads_ends_with_a_message(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p").mkdir()
    for name, data in MrSeries(slices=2).files().items():
        (tmp_path / "p" / name).write_bytes(data)
    with monkeypatch.context() as patch:
        refuse_threads(patch, 0)
        run = run_main(command, str(tmp_path / "p"))
    assert run.status == 73
    assert MESSAGE in text_of(run)
