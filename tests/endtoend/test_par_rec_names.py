"""PAR/REC are paired and converted whatever their names are, and however they are compressed."""

import bz2
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.archive.names import number_of_partner
from qxbatch.archive.packet import archive_packet
from qxbatch.settings.model import Archive
from tests.build.parrec import ParRec
from tests.build.study import Study

FILES = ParRec().files()
PAR, REC = FILES["scan.PAR"], FILES["scan.REC"]
LONG = "a" * 251


@pytest.mark.parametrize(
    ("par", "rec"),
    [
        ("x.rec", "x.REC"),
        ("x", "x.REC"),
        (".PAR", ".REC"),
        (f"{LONG}.PAR", f"{LONG}.REC"),
        ("é" * 125, f"{'é' * 125}.rec"),
    ],
    ids=["par-called-rec", "no-extension", "no-stem", "long", "long-without-extension"],
)
def test_a_pair_of_any_names_is_converted(study: Study, par: str, rec: str) -> None:
    study.put("S1", {f"par/{par}": PAR, f"par/{rec}": REC})
    run = study.main()
    assert run.status == 0, run.text
    assert (study.session("S1") / "nii" / "2011.nii.gz").exists()


@pytest.mark.parametrize(("par", "session"), [("S1.2", "S1.2"), ("S1.par", "S1")])
def test_a_loose_pair_has_the_session_of_its_common_stem(study: Study, par: str, session: str) -> None:
    study.put_bytes(par, PAR)
    study.put_bytes(f"{session}.REC", REC)
    assert study.main().status == 0
    assert study.session_names() == [session]


def test_a_loose_rec_does_not_get_the_header_of_another_packets_par(study: Study) -> None:
    study.put_bytes("S1", ParRec(acquisition=3).files()["scan.PAR"])
    study.put_bytes("S1.par", PAR)
    study.put_bytes("S1.rec", REC)
    study.main("--on-same-session=merge", "--gzip=no")
    pair = study.session("S1") / "dicom" / "2010"
    assert {path.name: path.read_bytes() for path in pair.iterdir()} == {"S1.PAR": PAR, "S1.REC": REC}


def test_the_placed_names_of_a_pair_fit_the_file_system(study: Study) -> None:
    study.put("OP" + "1" * 150, {"par/doe_x_jane.PAR": PAR, "par/doe_x_jane.REC": REC})
    assert study.main("--deidentify-logs").status == 0


@pytest.mark.parametrize(("pack", "extension"), [(lzma.compress, "xz"), (bz2.compress, "BZ2")])
def test_compressed_files_are_paired(study: Study, pack: Callable[[bytes], bytes], extension: str) -> None:
    study.put("S1", {f"par/scan.PAR.{extension}": pack(PAR), f"par/scan.REC.{extension}": pack(REC)})
    run = study.main()
    assert run.status == 0, run.text
    assert (study.session("S1") / "nii" / "2011.nii.gz").exists()


@pytest.mark.parametrize("name", ["Lee^Par", "Rec^Anna"])
def test_the_extension_is_not_replaced_as_a_name(study: Study, name: str) -> None:
    study.put("S1", ParRec(patient=name).files("scan"))
    run = study.main("--deidentify-logs")
    assert run.status == 0, run.text
    assert (study.session("S1") / "nii" / "2011.nii.gz").exists()


def test_in_the_archive_no_par_becomes_a_pair_with_the_rec_of_another_packet(study: Study) -> None:
    other = ParRec(protocol="WIP T2w").files()
    packets = [(PAR, REC[:-2]), (PAR, REC), (other["scan.PAR"], b"\7" + REC[1:])]
    for par, rec in packets:
        study.put_bytes("S1.PAR", par)
        study.put_bytes("S1.REC", rec)
        study.main("--overwrite=yes")
    archived = {path.name: path.read_bytes() for path in study.archive.iterdir()}
    assert archived == {
        "S1.PAR": PAR,
        "S1.REC": packets[0][1],
        "S1_2.REC": REC,
        "S1_3.PAR": packets[2][0],
        "S1_3.REC": packets[2][1],
    }


def test_studies_that_share_an_archive_have_separate_pairs(tmp_path: Path) -> None:
    for study, content in (("first", b"1"), ("second", b"2")):
        (tmp_path / study).mkdir()
        for name in ("S1.PAR", "S1.rec"):
            (tmp_path / study / name).write_bytes(content)
    archive = tmp_path / "archive"
    order = [("first", "S1.PAR"), ("second", "S1.PAR"), ("second", "S1.rec"), ("first", "S1.rec")]
    archived_paths: dict[str, dict[Path, Path | None]] = {"first": {}, "second": {}}
    for study, name in order:
        number = number_of_partner(name, archived_paths[study], Path.exists)
        packet = tmp_path / study / name
        archived_paths[study][packet] = archive_packet(packet, archive, Archive.MOVE, tag="0" * 16, number=number)
    assert {path.name: path.read_bytes() for path in archive.iterdir()} == {
        "S1.PAR": b"1",
        "S1.rec": b"1",
        "S1_2.PAR": b"2",
        "S1_2.rec": b"2",
    }


@pytest.mark.parametrize(
    ("alone", "pair", "archived"),
    [
        ("S1", ("S1", "S1.REC"), ("S1_2", "S1_2.REC")),
        ("S1.2", ("S1.2", "S1.2.REC"), ("S1_2.2", "S1.2_2.REC")),
        ("S1.par", ("S1.PAR", "S1.rec"), ("S1_2.PAR", "S1_2.rec")),
        ("s1.PAR", ("S1.PAR", "S1.rec"), ("S1_2.PAR", "S1_2.rec")),
        ("S1.xml", ("S1.PAR", "S1.rec"), ("S1_2.PAR", "S1_2.rec")),
    ],
    ids=["no-extension", "other-extension", "other-case", "other-case-of-stem", "xml"],
)
def test_no_rec_in_the_archive_has_the_stem_of_another_packets_par(
    alone: str, pair: tuple[str, str], archived: tuple[str, str], study: Study
) -> None:
    other = ParRec(protocol="WIP T2w").files()["scan.PAR"]
    for files in ({alone: other}, dict(zip(pair, (PAR, REC), strict=True))):
        for name, content in files.items():
            study.put_bytes(name, content)
        study.main("--overwrite=yes")
    contents = {path.name: path.read_bytes() for path in study.archive.iterdir()}
    assert contents == {alone: other, **dict(zip(archived, (PAR, REC), strict=True))}


OTHER = PAR.replace(b"WIP T1w", b"WIP T2w")


@pytest.mark.parametrize(
    ("before", "number"),
    [
        ({"S1.PAR": PAR, "S1_2.PAR": OTHER}, ""),
        ({"S1.PAR": OTHER, "S1_2.PAR": OTHER + b"\n", "S1_4.PAR": OTHER}, "_3"),
    ],
    ids=["archived-before", "gap"],
)
def test_a_rec_follows_its_par_after_a_killed_run(
    before: dict[str, bytes], number: str, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is killed between the PAR and the REC. The archive has other PARs of this name and size, and one had been removed."""
    study.archive.mkdir(parents=True)
    for name, content in before.items():
        (study.archive / name).write_bytes(content)

    def killed_at_rec(packet: Path, *args: Any, **keywords: Any) -> Path | None:
        if packet.suffix == ".REC":
            raise KeyError
        return archive_packet(packet, *args, **keywords)

    study.put_bytes("S1.PAR", PAR)
    study.put_bytes("S1.REC", REC)
    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.archiving.archive_packet", killed_at_rec)
        study.main()
    assert [path.name for path in study.inbox.iterdir()] == ["S1.REC"]
    assert study.main("--check=no").status == 0
    names = {path.name: path.read_bytes() for path in study.archive.iterdir()}
    assert names == {**before, f"S1{number}.PAR": PAR, f"S1{number}.REC": REC}
