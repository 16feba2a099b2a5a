"""`qxbatch inspect`: facts and verdicts of packets and sessions without an import."""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.build.broken import cut
from tests.build.dicom import MrSeries, Vendor, encoded
from tests.build.encrypted import encrypted
from tests.build.packets import Kind, packed, under, write_folder, write_packet
from tests.build.parrec import ParRec
from tests.build.scans import classic, mosaics, without
from tests.build.split_scans import by_volume
from tests.build.study import Study, run_command, run_main, snapshot
from tests.faults.unprivileged import unprivileged
from tests.test_schemas import check

T1 = MrSeries(number=2, description="T1w", slices=4)
BOLD = MrSeries(number=10, description="BOLD rest", slices=2, volumes=5, time="102000")
PROTOCOL = "lRepetitions = 7\nlContrasts = 1"
NUMBERS = [2, 3, 10, 201]
LEADING_KEYS = ("source", "series_number", "series_description", "study_uid", "series_uid", "files", "verdict")


def stopped() -> dict[str, bytes]:
    """Return fewer mosaics than the protocol plans."""
    datasets = mosaics(protocol=PROTOCOL, SequenceName="epfid2d1_64")
    return {f"m{index}": encoded(dataset) for index, dataset in enumerate(datasets)}


TREE = {
    **under("a", BOLD.files()),
    **under("b/c", T1.files()),
    **under("m", stopped()),
    **under("p", ParRec(slices=3, volumes=4, protocol="WIP EPI").files()),
    "README": b"read me",
}


def inspected(*words: object, status: int = 0) -> list[dict[str, Any]]:
    """Return the series of the JSON document after a check against its schema."""
    run = run_main("inspect", "--json", *map(str, words))
    assert run.status == status, run.err
    content = json.loads(run.out)
    check("inspect-2.json", content)
    series: list[dict[str, Any]] = content["series"]
    return series


def facts(series: dict[str, Any]) -> dict[str, Any]:
    """Return a series without its source."""
    return {key: value for key, value in series.items() if key != "source"}


def imported(study: Study, tree: dict[str, bytes], *words: str) -> Path:
    """Import a packet, and return its session."""
    study.put("S1", tree)
    assert study.main("--archive=leave", *words).status == 0
    return study.session("S1")


KINDS = [Kind.FOLDER, Kind.ZIP, Kind.TAR, Kind.TAR_GZ, Kind.TAR_ZST]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_inspect_shows_the_values_that_an_import_stores(kind: Kind, study: Study, tmp_path: Path) -> None:
    session = imported(study, TREE)
    packet = write_packet(TREE, tmp_path, "packet", kind)
    before = snapshot(packet.parent)
    packet_series, stored = inspected(packet), inspected(session)
    assert snapshot(packet.parent) == before, "inspect writes nothing"
    assert [series["series_number"] for series in packet_series] == NUMBERS
    assert {series["source"] for series in packet_series} == {str(packet)}
    for packet_facts, session_facts in zip(map(facts, packet_series), map(facts, stored), strict=True):
        assert packet_facts == {key: session_facts[key] for key in packet_facts}, "the values equal those of the import"
        lacking = session_facts.keys() - packet_facts.keys()
        assert lacking <= {"phase_encoding_direction", "partial_fourier", "multiband_factor"}, lacking


def test_series_have_the_documented_fields(tmp_path: Path) -> None:
    by_description = {series["series_description"]: series for series in inspected(write_folder(TREE, tmp_path / "p"))}
    bold = by_description["BOLD rest"]
    assert (bold["series_number"], bold["files"], bold["verdict"]) == (10, 10, "complete")
    assert (bold["study_uid"], bold["series_uid"]) == (BOLD.study_uid, BOLD.series_uid)
    assert (bold["tr_ms"], bold["matrix"], bold["acquired_volumes"]) == (2000.0, [6, 8, 2], 5)
    par = by_description["EPI"]
    assert (par["series_number"], par["files"], par["planned_volumes"]) == (201, 2, 4)
    assert par.keys() & {"study_uid", "series_uid"} == set()
    assert list(bold)[: len(LEADING_KEYS)] == list(LEADING_KEYS)


def test_an_interrupted_scan_is_reported_with_its_counts_in_80_columns(tmp_path: Path) -> None:
    packet = write_folder(
        {**stopped(), **under("x", MrSeries(number=99, description="w" * 64).files())}, tmp_path / "p"
    )
    run = run_main("inspect", str(packet))
    assert run.status == 0
    lines = run.out.splitlines()
    assert lines[0] == f"{packet}: 2 series"
    assert max(map(len, lines[1:])) <= 80
    (incomplete,) = [line for line in lines if line.startswith("series ") and ": planned" in line]
    assert incomplete.endswith("planned 8 volumes, 5 complete")
    assert any("5/8" in line and "incomplete" in line for line in lines)
    assert "www..." in run.out


def test_wide_shows_every_fact(tmp_path: Path) -> None:
    packet = write_folder(BOLD.files(), tmp_path / "p")
    head, titles, row = run_main("inspect", "--wide", str(packet)).out.splitlines()
    assert head == f"{packet}: 1 series"
    for title in ("observed TR ms", "FOV mm", "partial Fourier", "b:volumes", "coil", "software"):
        assert title in titles
    assert "BOLD rest" in row
    assert len(titles) > 300


def test_several_sources_are_one_document(tmp_path: Path) -> None:
    first = write_packet(T1.files(), tmp_path, "one", Kind.ZIP)
    second = write_folder(BOLD.files(), tmp_path / "two")
    listed = inspected(first, second)
    assert [(series["source"], series["series_number"]) for series in listed] == [(str(first), 2), (str(second), 10)]
    assert inspected(second, first)[0]["source"] == str(second)


@pytest.mark.parametrize(
    "tree",
    [
        {"inner.zip": packed(T1.files(), Kind.ZIP)},
        {"a.dcm": next(iter(T1.files().values())), "inner.tar.gz": packed(T1.files(), Kind.TAR_GZ)},
        {"outer.zip": packed({"inner.tar": packed(T1.files(), Kind.TAR)}, Kind.ZIP), "note": b"x"},
        {f"{name}.gz": gzip.compress(data) for name, data in T1.files().items()},
        {**under("a", T1.files()), **under("copy", T1.files())},
    ],
    ids=["zip-in-a-folder", "files-and-an-archive", "nested", "gzipped", "copies"],
)
def test_archives_in_a_folder_and_copies_are_handled_as_in_an_import(tree: dict[str, bytes], tmp_path: Path) -> None:
    (series,) = inspected(write_folder(tree, tmp_path / "p"))
    assert (series["files"], series["matrix"], series["duplicate_slices"]) == (4, [6, 8, 4], 0)
    assert series["verdict"] == "complete"


def test_a_link_that_leaves_the_packet_is_skipped_as_in_an_import(tmp_path: Path) -> None:
    outside = BOLD.write(tmp_path / "outside")
    packet = write_folder(T1.files(), tmp_path / "p")
    (packet / "link.dcm").symlink_to(outside[0])
    assert [series["series_number"] for series in inspected(packet)] == [2]
    (tmp_path / "link").symlink_to(packet)
    assert [series["source"] for series in inspected(tmp_path / "link")] == [str(tmp_path / "link")]


def test_the_parts_of_one_scan_are_one_series_if_they_are_joined(tmp_path: Path) -> None:
    packet = write_folder(by_volume(MrSeries(number=5, volumes=4)), tmp_path / "p")
    (joined,) = inspected(packet)
    assert (joined["acquired_volumes"], joined["files"]) == (4, 12)
    assert len(inspected("--join-series=never", packet)) == 4


def test_an_encrypted_archive_needs_its_password(tmp_path: Path) -> None:
    packet = tmp_path / "p.zip"
    packet.write_bytes(encrypted(T1.files()))
    run = run_main("inspect", str(packet))
    assert run.status == 1
    assert "encrypted" in run.err
    assert "--password-file" in run.err
    (tmp_path / "passwords").write_bytes(b"secret")
    (series,) = inspected(f"--password-file={tmp_path / 'passwords'}", packet)
    assert series["files"] == 4


def test_a_session_without_a_summary_is_inspected_by_its_sorted_files(study: Study, tmp_path: Path) -> None:
    session = imported(study, TREE)
    stored = inspected(session)
    (session / "qxbatch" / "summary.json").unlink()
    assert [series["series_number"] for series in inspected(session)] == [series["series_number"] for series in stored]
    assert [series["verdict"] for series in inspected(session)] == [series["verdict"] for series in stored]
    other = write_folder(under("S2/dicom/30", T1.files()), tmp_path / "sessions")
    (series,) = inspected(other)
    assert (series["source"], series["files"]) == (str(other / "S2"), 4)


def test_a_packet_with_a_folder_named_dicom_is_no_session(tmp_path: Path) -> None:
    packet = write_folder({**under("S1/dicom/scan", T1.files()), **under("S1/more", BOLD.files())}, tmp_path / "p")
    assert [series["series_number"] for series in inspected(packet)] == [2, 10]
    assert [series["series_number"] for series in inspected(packet / "S1")] == [2, 10]


def test_an_unreadable_packet_is_reported_and_the_others_are_inspected(tmp_path: Path) -> None:
    sound = write_packet(T1.files(), tmp_path, "sound", Kind.ZIP)
    broken = tmp_path / "cut.zip"
    broken.write_bytes(sound.read_bytes()[:-400])
    run = run_main("inspect", "--json", str(broken), str(sound))
    assert run.status == 1
    assert "cut.zip" in run.err
    assert {series["source"] for series in json.loads(run.out)["series"]} >= {str(sound)}


def test_many_problems_are_counted(tmp_path: Path) -> None:
    packet = tmp_path / "p.zip"
    packet.write_bytes(encrypted({f"{index}.dcm": data for index, data in enumerate([*T1.files().values()] * 8)}))
    run = run_main("inspect", str(packet))
    assert len(run.err.splitlines()) == 22
    assert "and 12 more such files" in run.err


@pytest.mark.parametrize("tree", [{}, {"notes.txt": b"no image"}], ids=["empty", "no-images"])
def test_a_packet_without_images_has_status_66(tree: dict[str, bytes], tmp_path: Path) -> None:
    packet = tmp_path / "p"
    packet.mkdir()
    write_folder(tree, packet)
    run = run_main("inspect", "--json", str(packet))
    assert run.status == 66
    assert json.loads(run.out) == {"schema": 2, "series": []}
    assert str(packet) in run.err


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((), 64),
        (("nowhere",), 64),
        ((".", "--join-series=no"), 64),
        ((".", "--json", "--wide"), 64),
        ((".", "--work-dir=/nowhere/x"), 73),
        ((".", "--tsv"), 64),
    ],
    ids=str,
)
def test_usage_errors_are_reported(words: tuple[str, ...], status: int) -> None:
    run = run_main("inspect", *words)
    assert (run.status, run.out) == (status, "")
    assert run.err.startswith("qxbatch: ")


def test_the_temporary_folder_of_an_archive_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = write_packet(MrSeries(rows=256, columns=256, slices=4).files(), tmp_path, "p", Kind.TAR_GZ)
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))  # other tests use the usual one at the same time
    monkeypatch.setenv("TMPDIR", str(temporary))
    for options in ([f"--work-dir={work}"], []):
        assert len(inspected(packet, *options)) == 1
        assert [*work.iterdir(), *temporary.iterdir()] == []


def test_a_closed_output_pipe_is_no_error(tmp_path: Path) -> None:
    packet = write_folder(TREE, tmp_path / "p")
    command = f"{sys.executable} -m qxbatch inspect --json {packet} | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "{\n", "")


def test_a_name_that_is_not_valid_text_gives_valid_json(tmp_path: Path) -> None:
    packet = os.fsencode(tmp_path) + b"/p\xff\n"
    Path(os.fsdecode(packet)).mkdir()
    Path(os.fsdecode(packet), "1").write_bytes(next(iter(T1.files().values())))
    run = run_command("inspect", "--json", os.fsdecode(packet))
    assert (run.status, run.err) == (0, "")
    assert json.loads(run.out)["series"][0]["files"] == 1
    assert len(run_command("inspect", os.fsdecode(packet)).out.splitlines()) == 3


def damaged(tree: dict[str, bytes]) -> dict[str, bytes]:
    """Return a tree with one more file, whose header is truncated."""
    return {**tree, "broken.dcm": cut(next(iter(tree.values())), 300)}


def damaged_gzip(tree: dict[str, bytes]) -> dict[str, bytes]:
    """Return a tree with one more file, whose gzip stream is damaged."""
    packed = gzip.compress(next(iter(tree.values())), mtime=0)
    return {**tree, "broken.dcm": packed[:30] + b"\xff" * 40 + packed[70:]}


@pytest.mark.parametrize("change", [damaged, damaged_gzip], ids=["cut-header", "gzip"])
def test_a_damaged_file_is_a_failure(change: Callable[[dict[str, bytes]], dict[str, bytes]], tmp_path: Path) -> None:
    packet = write_folder(change(T1.files()), tmp_path / "p")
    run = run_main("inspect", "--json", str(packet))
    assert (run.status, "broken.dcm" in run.err) == (1, True), run.err
    (series,) = json.loads(run.out)["series"]
    assert series["files"] == 4


def test_a_folder_that_cannot_be_entered_does_not_hide_the_packet(tmp_path: Path) -> None:
    packet = write_folder({**T1.files(), "closed/IM1": b"x"}, tmp_path / "p")
    (packet / "closed").chmod(0)
    run = unprivileged("inspect", "--json", str(packet))
    (packet / "closed").chmod(0o755)
    assert (run.status, "closed" in run.err) == (1, True), run.err
    assert [series["files"] for series in json.loads(run.out)["series"]] == [4]


@pytest.mark.parametrize("command", ["inspect", "scan"])
def test_a_file_without_permission_is_a_failure(command: str, tmp_path: Path) -> None:
    packet = write_folder(T1.files(), tmp_path / "p")
    closed = packet / "closed.dcm"
    closed.write_bytes(next(iter(BOLD.files().values())))
    closed.chmod(0)
    run = unprivileged(command, str(packet))
    assert (run.status, str(closed) in run.text, "ermission" in run.text) == (1, True, True), run.text


def test_missing_slices_of_a_classic_scan_are_found_in_an_archive(tmp_path: Path) -> None:
    datasets = without(classic(Vendor.CANON, NumberOfTemporalPositions=8), -1, -2)
    tree = {f"{index}": encoded(dataset) for index, dataset in enumerate(datasets)}
    (series,) = inspected(write_packet(tree, tmp_path, "p", Kind.TAR_GZ))
    assert (series["planned_volumes"], series["complete_volumes"], series["partial_slices"]) == (8, 4, 4)
    assert series["verdict"] == "incomplete"
