"""Every byte of a zip or 7z belongs to a member or a record, or a note says that there are others: then it is not deleted."""

from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.hidden_bytes import (
    COPY,
    SECRET,
    Coder,
    behind_bcj2,
    hidden_in_coders,
    hidden_in_sevenz,
    hidden_in_zip,
    sevenz_with_packed_header,
    sound_zips,
)
from tests.build.ingested import Ingested, ingested
from tests.build.packets import under, zipped
from tests.build.sevenz import Method, sevenz
from tests.build.sevenz_samples import PASSWORD, SEVENZ_SAMPLES
from tests.build.study import Study

TREE = under("T1", MrSeries(number=3, description="T1w", slices=2).files())
HIDDEN = {**hidden_in_zip(TREE), **{f"7z: {place}": data for place, data in hidden_in_sevenz(TREE).items()}}
SCAN = MrSeries(slices=1, rows=8).files()["IM0001"].replace(b"\xe8", b"\xea").replace(b"\xe9", b"\xea")
HIDDEN_IN_CODERS = hidden_in_coders(SCAN)
SOUND = {**sound_zips(TREE), "7z": sevenz(TREE), "7z, stored": sevenz(TREE, Method.COPY, solid=False)}
SOUND["7z, packed header"] = sevenz_with_packed_header(TREE)


def read(data: bytes, work: Path, **options: object) -> Ingested:
    packet = work / "p"
    packet.write_bytes(data)
    return ingested(packet, work, **options)


@pytest.mark.parametrize("place", HIDDEN)
def test_bytes_that_belong_to_no_member_are_noted(place: str, tmp_path: Path) -> None:
    result = read(HIDDEN[place], tmp_path)
    assert result.reading.damage() == []
    assert len(result.reading.skipped_bytes_notes()) == (2 if place == "behind images" else 1)
    assert [group.files for group in result.reading.groups()] == [2]


@pytest.mark.parametrize("place", HIDDEN_IN_CODERS)
def test_bytes_that_a_coder_of_a_7z_does_not_use_are_noted(place: str, tmp_path: Path) -> None:
    result = read(HIDDEN_IN_CODERS[place], tmp_path)
    assert result.reading.damage() == []
    [note] = result.reading.skipped_bytes_notes()
    assert "bytes of its streams are not part of any member" in note


def test_a_block_of_7z_whose_coders_use_all_bytes_gets_no_note(tmp_path: Path) -> None:
    result = read(behind_bcj2(SCAN, Coder(COPY, b"", 0)), tmp_path)
    assert (result.reading.damage(), result.reading.skipped_bytes_notes()) == ([], [])


@pytest.mark.parametrize("kind", SOUND)
def test_sound_archives_get_no_note(kind: str, tmp_path: Path) -> None:
    result = read(SOUND[kind], tmp_path)
    assert (result.reading.damage(), result.reading.skipped_bytes_notes()) == ([], [])
    assert [group.files for group in result.reading.groups()] == [2]


@pytest.mark.parametrize("name", SEVENZ_SAMPLES)
def test_archives_of_7_zip_get_no_note(name: str, tmp_path: Path) -> None:
    assert read(SEVENZ_SAMPLES[name], tmp_path, passwords=[PASSWORD.encode()]).reading.skipped_bytes_notes() == []


def test_a_note_says_where_the_bytes_are(tmp_path: Path) -> None:
    data = HIDDEN["between members"]
    text = f"no member contains {len(SECRET)} bytes at byte {data.index(SECRET)}"
    assert read(data, tmp_path).reading.skipped_bytes_notes() == [f"p: {text}"]


def test_a_member_that_is_not_listed_has_its_own_note(tmp_path: Path) -> None:
    data = HIDDEN["unlisted member"]
    at = data.index(b"PK\x03\x04", 4)
    text = f"a member that its directory does not list is at byte {at}"
    assert read(data, tmp_path).reading.skipped_bytes_notes() == [f"p: {text}"]


def test_a_damaged_zip_gets_no_second_message(tmp_path: Path) -> None:
    data = HIDDEN["between members"]
    count = data.rindex(b"PK\x05\x06") + 8
    wrong = data[:count] + bytes([9, 0, 9, 0]) + data[count + 4 :]
    result = read(wrong, tmp_path)
    assert len(result.reading.damage()) == 1
    assert result.reading.skipped_bytes_notes() == []


@pytest.mark.parametrize("place", ["before the first member", "behind images", "frame behind zstd", "stored folder"])
def test_a_zip_with_such_bytes_is_moved_instead_of_deleted(place: str, study: Study) -> None:
    study.put_bytes("S1.zip", HIDDEN[place])
    assert study.main("--archive=delete").status == 0
    assert (study.archive / "S1.zip").read_bytes() == HIDDEN[place]


@pytest.mark.parametrize("place", [place for place in HIDDEN if place.startswith("7z")])
def test_a_7z_with_such_bytes_is_moved_instead_of_deleted(place: str, study: Study) -> None:
    study.put_bytes("S1.7z", HIDDEN[place])
    assert study.main("--archive=delete").status == 0
    assert (study.archive / "S1.7z").read_bytes() == HIDDEN[place]


def test_a_7z_with_bytes_that_a_coder_does_not_use_is_moved_instead_of_deleted(study: Study) -> None:
    data = HIDDEN_IN_CODERS["calls, without output"]
    study.put_bytes("S1.7z", data)
    assert study.main("--archive=delete").status == 0
    assert (study.archive / "S1.7z").read_bytes() == data


@pytest.mark.parametrize("place", ["before the directory", "behind deflate", "7z: before the header"])
def test_a_packet_around_an_archive_with_such_bytes_is_moved(place: str, study: Study) -> None:
    packet = study.put("S1", {"README": b"x", "in": HIDDEN[place]})
    data = packet.read_bytes()
    assert study.main("--archive=delete").status == 0
    assert (study.archive / packet.name).read_bytes() == data


@pytest.mark.parametrize("place", ["between members", "behind images", "7z: behind an LZMA2 stream"])
def test_an_archive_in_the_inbox_of_a_session_with_such_bytes_is_moved(place: str, study: Study) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "x.zip").write_bytes(HIDDEN[place])
    assert study.main("--masterinbox=none", "--sessions=S*", "--archive=delete").status == 0
    kept = [path for path in study.sessions.parent.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20]
    assert any(path.read_bytes() == HIDDEN[place] for path in kept)


def test_a_sound_zip_is_deleted(study: Study) -> None:
    study.put_bytes("S1.zip", SOUND["descriptor of 16 bytes"])
    assert study.main("--archive=delete").status == 0
    assert not (study.archive / "S1.zip").exists()
    assert (study.session("S1") / "nii" / "31.nii.gz").exists()


def test_a_7z_link_with_a_long_target_leads_outside(study: Study) -> None:
    tree = {**TREE, "T1/link": SECRET * 25, "T1/...": b"x"}
    data = sevenz(tree, Method.COPY, modes={"T1/link": 0o120777})
    study.put_bytes("S1.7z", data)
    assert study.main("--archive=delete").status == 0
    assert (study.archive / "S1.7z").read_bytes() == data
    ledger = (study.session("S1") / "qxbatch" / "ledger.tsv").read_text(encoding="utf-8")
    assert "\ta symbolic link\t" in ledger or "\ta symbolic link\n" in ledger


def test_a_stored_zip_in_a_zip_gets_no_note(tmp_path: Path) -> None:
    result = read(zipped({"in.zip": SOUND["zip64"]}, stored=True), tmp_path)
    assert result.reading.skipped_bytes_notes() == []
