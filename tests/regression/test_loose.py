"""`qxbatch regress` on loose packets in a folder, with their expectations beside them or in `expected`."""

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest

from qxbatch.commands.regress import QUICK_SIZE
from qxbatch.problems import UsageError
from qxbatch.regress.run import import_and_compare
from qxbatch.regress.sets import find_sets, read_expected
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.regression.forked import regress


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a zip, a folder and a stray file."""
    place = tmp_path / "phantoms"
    place.mkdir()
    write_packet(under("a", MrSeries().files()), place, "P1", Kind.ZIP)
    write_packet(under("b", MrSeries(number=4, description="BOLD", volumes=2).files()), place, "P2", Kind.FOLDER)
    (place / "README.md").write_text("how the phantoms were measured\n")
    return place


def test_loose_packets_are_recorded_and_compared(folder: Path) -> None:
    assert [one.name for one in find_sets(folder)] == ["P1.zip", "P2"]
    assert regress(folder, "--update").status == 0
    assert sorted(path.name for path in (folder / "expected").iterdir()) == ["P1.zip.json", "P2.json"]
    run = regress(folder)
    assert (run.status, run.out.splitlines()[-1]) == (0, "2 of 2 sets are as expected.")
    shutil.move(folder / "expected" / "P2.json", folder / "P2.json")
    write_packet(under("c", MrSeries().files()), folder, "P3", Kind.TAR)
    run = regress(folder)
    assert run.status == 1, "a packet without an expectation is no success"
    assert "P2: as expected" in run.out
    assert "P3.tar: no expectation yet" in run.out


@pytest.mark.parametrize(
    "description",
    [
        '{"site": "A", "sessions": 3}\n',
        '{"status": "phantom", "sessions": {"note": "weekly"}}\n',
        '{"reference_differs": {}}\n',
        "{}\n",
    ],
)
def test_a_description_beside_a_packet_is_not_replaced(folder: Path, description: str) -> None:
    (folder / "P2.json").write_text(description)
    (folder / "dataset.json").write_text('["P1", "P2"]')
    assert regress(folder, "--update").status == 0
    assert (folder / "P2.json").read_text() == description
    assert [one.name for one in find_sets(folder)] == ["P1.zip", "P2"]
    assert regress(folder).out.splitlines()[-1] == "2 of 2 sets are as expected."
    (folder / "expected" / "P2.json").write_text(description)
    run = regress(folder, "--update")
    assert run.status == 64
    assert "P2.json is not an expectation." in " ".join(run.err.split())
    assert (folder / "expected" / "P2.json").read_text() == description


def test_a_fifo_among_the_packets_is_named(folder: Path) -> None:
    os.mkfifo(folder / "notes.json")
    (one,) = (each for each in find_sets(folder) if each.name == "notes")
    with pytest.raises(UsageError, match=r"notes\.json cannot be read: is not a regular file"):
        read_expected(one.expected_file)


def test_no_expectation_is_written_among_the_packets_of_a_study_or_into_a_session(folder: Path) -> None:
    (folder / "sessions" / "inbox").mkdir(parents=True)
    (folder / "sessions" / ".qxbatch" / "locks").mkdir(parents=True)
    session = folder / "sessions" / "S1" / "dicom"
    session.mkdir(parents=True)
    (session.parent / "session.txt").write_text("session: S1\nsubject: S1\n")
    inbox = folder / "sessions" / "inbox" / "MR"
    inbox.mkdir()
    for place in (inbox, session):
        shutil.copy(folder / "P1.zip", place)
        run = regress(place, "--update")
        assert run.status == 64, run.err
        assert f"{place}/expected is in " in "".join(run.err.split("\n"))
        assert [path.name for path in place.iterdir()] == ["P1.zip"]


def test_a_difference_in_voxels_name_and_count_is_found(folder: Path) -> None:
    shutil.rmtree(folder / "P2")
    regress(folder, "--update")
    path = folder / "expected" / "P1.zip.json"
    expected = json.loads(path.read_text())
    ((_, session),) = expected["sessions"].items()
    ((number, image),) = session["images"].items()
    ((n, series),) = session["series"].items()
    image["voxels"] = "0" * 64
    image["name"] = "other"
    series["files"] += 1
    path.write_text(json.dumps(expected))
    run = regress(folder)
    assert run.status == 1
    for place in (f"images.{number}.voxels", f"images.{number}.name", f"series.{n}.files"):
        assert sum(f"{place}: expected" in line for line in run.out.splitlines()) == 1
    assert "P1.zip: 3 differences" in run.out


def test_one_voxel_of_an_image_changes_its_hash(folder: Path) -> None:
    shutil.rmtree(folder / "P2")
    (one,) = find_sets(folder)
    hashes = []

    def change(sessions: Path) -> None:
        from qxbatch.regress.observe import image_values

        (image,) = sessions.glob("*/nii/*.nii.gz")
        hashes.append(image_values(image)["voxels"])
        data = bytearray(gzip.decompress(image.read_bytes()))
        data[-1] ^= 1
        image.write_bytes(gzip.compress(bytes(data)))
        hashes.append(image_values(image)["voxels"])

    import_and_compare(one, before_removal=change)
    assert hashes[0] != hashes[1]


def test_an_expectation_without_its_packet_is_a_failure(folder: Path) -> None:
    regress(folder, "--update")
    (folder / "P1.zip").unlink()
    run = regress(folder)
    assert run.status == 1
    assert "P1.zip does not exist, but its expectation does" in run.out
    run = regress(folder, "--update")
    assert run.status == 1
    assert "P1.zip: 1 difference\n" in run.out, "no expectation was rewritten"
    assert (folder / "expected" / "P1.zip.json").exists(), "a missing packet changes no expectation"


def test_quick_leaves_out_large_packets_and_says_so(folder: Path) -> None:
    regress(folder, "--update")
    with (folder / "P2" / "large.bin").open("wb") as file:
        file.truncate(QUICK_SIZE + 1)
    run = regress(folder, "--quick")
    assert run.status == 0
    assert "P2: SKIPPED by --quick" in run.out
    assert json.loads(regress(folder, "--quick", "--json").out)["skipped"] == ["P2"]


def test_quick_compares_a_small_set_with_the_name_of_a_large_one(folder: Path) -> None:
    small = folder.with_name("small")
    write_packet(under("b", MrSeries().files()), small, "P2", Kind.FOLDER)
    assert regress(small, "--update").status == 0
    with (folder / "P2" / "large.bin").open("wb") as file:
        file.truncate(QUICK_SIZE + 1)
    run = regress(folder, str(small), "--quick")
    assert "P2: as expected" in run.out
    assert run.out.count("P2: SKIPPED by --quick") == 1


def test_nothing_to_compare_is_66_and_a_broken_expectation_64(folder: Path) -> None:
    assert regress(folder).status == 66
    regress(folder, "--update")
    (folder / "expected" / "P1.zip.json").write_text("{")
    assert regress(folder).status == 64


def test_a_run_that_ends_without_a_summary_is_a_difference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    outcome = import_and_compare(find_sets(folder)[0])
    assert len(outcome.differences) == 1
    assert "ended with 1 and without a summary" in outcome.differences[0]


def test_wrong_options_are_a_usage_error(folder: Path) -> None:
    (folder / "options.toml").write_text('on_mixed = "perhaps"\n')
    run = regress(folder)
    assert run.status == 64
    assert "options.toml" in run.err
