"""`scan`, `inspect` and `split` have the limits of an import: what exceeds one is reported with the command that raises it."""

from pathlib import Path

import pytest

from qxbatch.commands.reading_limits import reading_limits
from tests.build.broken import archives_in_archives
from tests.build.dicom import MrSeries
from tests.build.packets import under, zipped
from tests.build.study import Run, Study, run_command, run_main

SERIES = MrSeries(number=3, description="T1w", slices=1)
[IMAGE] = SERIES.files().values()
COMMANDS = ["scan", "inspect", "split"]


def words(run: Run) -> str:
    """Return what a command printed, on one line."""
    return " ".join((run.out + run.err).split())


@pytest.fixture
def small_bomb(tmp_path: Path) -> Path:
    """Return a zip of 46 KB whose archives contain 16 million files."""
    path = tmp_path / "bomb.zip"
    path.write_bytes(archives_in_archives(IMAGE, ".dcm", levels=6))
    assert path.stat().st_size < 50_000
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_small_packet_of_many_archives_is_not_read_to_its_end(command: str, small_bomb: Path) -> None:
    run = run_command(command, str(small_bomb), "--max-expansion=100")
    assert run.status == 1, run.text
    assert "bomb.zip: it and the archives inside it expand to more than 100 times its size" in words(run)
    assert f"qxbatch {command} {small_bomb} --max-expansion=1000" in words(run)
    assert [path.name for path in small_bomb.parent.iterdir()] == ["bomb.zip"]


def test_without_options_the_limit_of_an_import_ends_a_scan(small_bomb: Path) -> None:
    run = run_command("scan", str(small_bomb))
    assert run.status == 1, run.text
    assert "more than 1000 times its size (limit on expansion)" in words(run)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("option", "reason", "larger"),
    [
        ("--max-members=30", "it has more than 30 members (limit)", "--max-members=300"),
        ("--max-total=100K", "(limit on total size", "--max-total=10M"),
    ],
)
def test_a_packet_above_a_limit_is_reported_with_the_command_that_raises_it(
    command: str, option: str, reason: str, larger: str, tmp_path: Path
) -> None:
    packet = tmp_path / "packet.zip"
    packet.write_bytes(archives_in_archives(IMAGE, ".dcm", levels=2))
    run = run_main(command, str(packet), option, "--n-procs=1")
    assert run.status == 1, run.text
    assert reason in words(run)
    assert f"qxbatch {command} {packet}" in words(run)
    assert run_main(command, str(packet), larger).status == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_an_archive_that_is_nested_too_deep_is_reported(command: str, tmp_path: Path) -> None:
    packet = tmp_path / "packet.zip"
    other = MrSeries(number=4, patient="P002", slices=1).files()
    packet.write_bytes(zipped({**under("a", SERIES.files()), "deep.zip": zipped(other)}))
    run = run_main(command, str(packet), "--max-nesting=0")
    assert run.status == (0 if command == "split" else 1), run.text
    assert "deep.zip: kept whole, over a limit: archives inside archives are opened 0 deep (limit)" in words(run)
    assert f"qxbatch {command} {packet} --max-nesting=20" in words(run)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_archive_below_the_largest_limit_on_nesting_is_to_be_unpacked(command: str, tmp_path: Path) -> None:
    data = zipped(MrSeries(number=4, patient="P002", slices=1).files())
    for level in range(22):
        data = zipped({f"d{level}.zip": data})
    packet = tmp_path / "packet.zip"
    packet.write_bytes(zipped({**under("a", SERIES.files()), "deep.zip": data}))
    run = run_main(command, str(packet), "--max-nesting=20")
    assert "Unpack an archive above a limit into the packet." in words(run)
    assert f"qxbatch {command} {packet} --max-nesting" not in words(run)
    assert words(run).count("kept whole, over a limit") == 1


def test_the_command_repeats_the_other_options() -> None:
    limits = reading_limits(
        "scan", {"<path>": ["x"], "--json": True, "--tsv": False, "--n-procs": "2", "--max-members": "7"}
    )
    assert limits.hint("a b.zip", ["a b.zip: it has more than 7 members (limit)"]).endswith(
        "qxbatch scan 'a b.zip' --json --n-procs=2 --max-members=70"
    )
    assert limits.hint("a b.zip", ["a b.zip: cut short"]) == ""


def test_the_limits_are_those_of_an_import() -> None:
    limits = reading_limits("scan", {})
    assert limits.for_core() == {
        "max_ratio": 1000,
        "max_bytes": 1 << 40,
        "max_members": 5_000_000,
        "max_nesting": 5,
    }


@pytest.mark.parametrize("value", ["--max-members=0", "--max-members=many", "--max-nesting=21", "--max-total=x"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_limit_is_refused(command: str, value: str, tmp_path: Path) -> None:
    assert run_main(command, str(tmp_path), value).status == 64


@pytest.mark.parametrize("limit", ["--max-members=1", "--max-total=0.0001", "--max-nesting=0"])
def test_sort_and_convert_have_the_limits_that_their_messages_name(study: Study, limit: str) -> None:
    session = study.session("S1")
    (session / "inbox").mkdir(parents=True)
    (session / "inbox" / "x.zip").write_bytes(archives_in_archives(IMAGE, ".dcm", levels=2, width=2))
    assert run_main("sort", str(session), limit).status == 1
    run = run_main("sort", str(session))
    assert run.status == 0, run.text
    assert run_main("convert", str(session), "--max-members=1000", "--max-total=1T", "--max-nesting=2").status == 0
