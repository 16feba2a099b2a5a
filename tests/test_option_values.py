"""Commands read the values of their options as an import reads them, and refuse wrong ones before they write."""

from pathlib import Path

import pytest

from qxbatch.commands.option_values import threads_of
from qxbatch.problems import UsageError
from qxbatch.settings import cpus
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import Study, run_main, snapshot

FILES = under("x", MrSeries(number=3).files())


@pytest.mark.parametrize(
    ("text", "threads"), [("3", 3), ("ALL", cpus.usable_cpus()), (None, cpus.usable_cpus()), ("60000", 1024)]
)
def test_a_command_uses_as_many_threads_as_an_import(text: str | None, threads: int) -> None:
    assert threads_of(text) == threads


def test_a_number_of_threads_with_thousands_of_digits_is_refused() -> None:
    with pytest.raises(UsageError, match="n-procs"):
        threads_of("9" * 5000)


def test_split_refuses_a_ratio_that_is_no_number(tmp_path: Path) -> None:
    source = write_packet(FILES, tmp_path, "P")
    run = run_main("split", str(source), "--max-expansion=much")
    assert (run.status, "--max-expansion=much is not a whole number" in run.err) == (64, True)


@pytest.mark.parametrize("command", [["split"], ["report"], ["inspect", "--update"]])
@pytest.mark.parametrize("value", ["on", ""])
def test_a_wrong_value_of_test_writes_nothing(study: Study, command: list[str], value: str) -> None:
    study.put("OP1", FILES, Kind.FOLDER)
    assert study.main("--archive=leave").status == 0
    source = study.inbox / "OP1" if command == ["split"] else study.sessions / "OP1"
    before = snapshot(study.sessions)
    run = run_main(*command, str(source), f"--test={value}")
    assert (run.status, "yes, no" in run.err) == (64, True)
    assert snapshot(study.sessions) == before
