"""Imports in which the reference (QuNex's import_dicom) loses data or reports something wrong, numbered by cause."""

import gzip
from pathlib import Path

import pytest

from qxbatch.settings import cpus
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries, Vendor, encoded, uid
from tests.build.packets import Kind, Tree, packed, read_tree, under, write_folder, write_packet
from tests.build.parrec import ParRec
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge

T1 = MrSeries(number=3, description="T1w", slices=5)
FOLDER_MODE = ("--masterinbox=none", "--sessions=S*")


def judged(study: Study, tree: Tree, *args: str) -> Judge:
    """Import a packet and check that each member is listed, stored and readable; return the judge."""
    study.put("S1", tree)
    run = study.main(*args)
    assert run.status == 0, run.text
    return Judge(study.session("S1")).check(tree)


def test_1_members_of_one_name_do_not_overwrite_each_other(study: Study) -> None:
    other = T1.with_(number=4, description="T2w", time="102000")
    tree = {**under("a", T1.files()), **under("b", other.files()), "a/notes": b"of a", "b/notes": b"of b"}
    judge = judged(study, tree)
    assert sum(row["fate"] == "sorted" for row in judge.rows) == 10
    assert read_tree(study.session("S1") / "inbox") == {"a/notes": b"of a", "b/notes": b"of b"}


def test_2_overwrite_in_folder_mode_keeps_the_only_copy(study: Study) -> None:
    write_folder(T1.files(), study.session("S1") / "inbox")
    assert study.main(*FOLDER_MODE).status == 0
    before = Judge(study.session("S1")).pack("dicom/30.tar.gz")
    assert len(before) == 5
    assert study.main(*FOLDER_MODE, "--overwrite=yes").status == 0
    assert Judge(study.session("S1")).pack("dicom/30.tar.gz") == before


@pytest.mark.parametrize("cut", [-8, -400, 600], ids=str)
def test_3_a_truncated_series_archive_is_refused_and_kept(study: Study, cut: int) -> None:
    write_folder(T1.files(), study.session("S1") / "inbox")
    assert study.main(*FOLDER_MODE).status == 0
    pack = study.session("S1") / "dicom" / "30.tar.gz"
    pack.write_bytes(pack.read_bytes()[:cut])
    before = snapshot(study.sessions)
    run = study.main(*FOLDER_MODE, "--overwrite=yes")
    assert run.status == 1
    assert "30.tar.gz" in run.text
    assert snapshot(study.sessions) == before


def test_4_series_0_and_series_1_are_two_images(study: Study) -> None:
    one, zero = T1.with_(number=1), T1.with_(number=0, description="zero")
    judge = judged(study, {**under("1", one.files()), **under("0", zero.files())})
    assert {n: line.name for n, line in judge.text.images.items()} == {11: "T1w", 90011: "zero"}


def test_5_different_files_of_one_instance_uid_are_all_kept(study: Study) -> None:
    series = T1.with_(changes={"SOPInstanceUID": uid("one for all")})
    judge = judged(study, series.files())
    assert sum(row["fate"] == "sorted" for row in judge.rows) == 5
    assert len(judge.pack("dicom/30.tar.gz")) == 5


def test_6_a_series_of_more_than_nine_images(study: Study) -> None:
    tree = {}
    for echo in range(1, 13):
        series = T1.with_(te=5.0 * echo, slices=3, changes={"EchoNumbers": echo, "SequenceName": None})
        for k, dataset in enumerate(series.datasets()):
            dataset.SOPInstanceUID = uid("echo", echo, k)
            dataset.InstanceNumber = 3 * (echo - 1) + k + 1
            tree[f"e{echo:02}/{k}"] = encoded(dataset)
    judge = judged(study, tree)
    assert sorted(judge.text.images) == [*range(31, 40), 100031, 100032, 100033]
    assert judge.text.images[100033].name.startswith("T1w [12/12]")
    assert (study.session("S1") / "dicom" / "dcm2niix_100030.log").is_file()
    assert any(problem["code"] == "more-than-nine" for problem in judge.summary["problems"])


def test_7_a_file_without_a_series_number_is_kept_as_a_series(study: Study) -> None:
    judge = judged(study, under("x", T1.with_(number=None).files()))
    assert list(judge.text.images) == [90011]


@pytest.mark.parametrize("field", ["RepetitionTime", "EchoTime", "AcquisitionNumber"])
def test_7_an_empty_field_drops_nothing(study: Study, field: str) -> None:
    judge = judged(study, T1.with_(changes={field: ""}).files())
    assert list(judge.text.images) == [31]
    assert len(judge.pack("dicom/30.tar.gz")) == 5


def test_8_files_of_any_form_and_name_are_imported(study: Study) -> None:
    bare = T1.with_(number=4, preamble=False, meta=False, vendor=Vendor.GE, time="102000")
    tree = {
        **{f".{name}": data for name, data in T1.files().items()},
        **{f"bare/{name}[1]": data for name, data in bare.files().items()},
        **{f"g/{name}.dcm.gz": gzip.compress(data) for name, data in T1.with_(number=5).files().items()},
    }
    assert sorted(judged(study, tree).text.images) == [31, 41, 51]


def test_9_an_archive_in_the_packet_is_opened(study: Study) -> None:
    tree = {"in/scan.tar.gz": packed(T1.files(), Kind.TAR_GZ)}
    assert list(judged(study, tree).text.images) == [31]


def test_9_a_tar_truncated_within_a_header_is_refused(study: Study) -> None:
    data = packed(T1.files(), Kind.TAR)
    second = data.index(b"IM0003")
    packet = study.put_bytes("S1.tar", data[: second + 200])
    run = study.main()
    assert run.status == 1
    assert "S1.tar" in run.text
    assert packet.read_bytes() == data[: second + 200]
    assert study.session_names() == []


def test_10_a_par_and_its_rec_stay_together(study: Study) -> None:
    judge = judged(study, ParRec(acquisition=7).files("scans/epi", ".par", ".rec"))
    assert sorted(judge.pack("dicom/7010.tar.gz")) == ["7010/epi.PAR", "7010/epi.REC"]
    assert list(judge.text.images) == [7011]


def test_10_two_patients_are_not_merged_under_one_description(study: Study) -> None:
    study.put("S1", {**under("a", T1.files()), **under("b", T1.with_(patient="P777").files())})
    before = snapshot(study.sessions)
    run = study.main()
    assert run.status == 1
    assert "P001" in run.text
    assert "P777" in run.text
    assert snapshot(study.sessions) == before


def test_11_damaged_packets_do_not_affect_others_and_can_be_imported_later(study: Study) -> None:
    data = packed(T1.files(), Kind.ZIP)
    study.put_bytes("S1.zip", data[: len(data) // 2])
    study.put("S2", {"x.PAR": b"# V4.2\nno table\n", "x.REC": b""})
    study.put("S3", T1.files())
    first = study.main()
    assert first.status == 1
    assert "S1.zip" in first.text
    assert "S3" in study.session_names()
    assert not study.session("S1").exists()
    study.put_bytes("S1.zip", data)
    second = study.main()
    assert "S1" in study.session_names(), second.text
    Judge(study.session("S1")).check(T1.files())


def test_12_the_logfile_names_the_session_and_no_text_names_the_patient(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("AP1,S007,visit\n")
    study.put("AP1", T1.with_(patient="SECRET", name="Secret^Name").files())
    run = study.main(f"--logfile=path:{table}|packet_name:1|subject_id:2|session_name:3")
    assert run.status == 0, run.text
    assert study.session_names() == ["S007_visit"]
    session = study.session("S007_visit")
    texts = [path for path in session.rglob("*") if path.suffix in (".txt", ".tsv", ".log", ".html")]
    assert [path for path in texts if "secret" in path.read_text().casefold()] == []
    assert all("S007_visit-30-" in name for name in Judge(session).pack("dicom/30.tar.gz"))


@pytest.mark.parametrize("name", ["T1: best", "T1 # 2", "a:b#c:d", "#", ":"])
def test_13_a_series_name_with_colons_or_hashes_keeps_its_line_readable(study: Study, name: str) -> None:
    judge = judged(study, T1.with_(description=name).files())
    assert list(judge.text.images) == [31]


def test_14_the_name_format_finds_the_subject_of_a_session_folder(study: Study) -> None:
    write_packet(T1.files(), study.session("NDAR_INV2CTC8934") / "inbox", "x", Kind.ZIP)
    run = study.main("--masterinbox=none", "--sessions=NDAR*", "--nameformat=.*?_(?P<subject_id>.*)")
    assert run.status == 0, run.text
    assert Judge(study.session("NDAR_INV2CTC8934")).text.header["subject"] == "INV2CTC8934"


def test_14_all_is_every_cpu(study: Study) -> None:
    settings = parse({"sessionsfolder": str(study.sessions), "parelements": "all"}).settings
    assert settings.parelements == cpus.usable_cpus()


def test_15_a_stray_file_is_no_packet(study: Study) -> None:
    study.put_bytes("README", b"do not import this")
    study.put_bytes("S1.zip.md5", b"d41d8cd98f00b204e9800998ecf8427e")
    study.put("S1", T1.files())
    run = study.main()
    assert run.status == 0, run.text
    assert "README" in run.text
    assert study.session_names() == ["S1"]
    assert sorted(path.name for path in study.inbox.iterdir()) == ["README", "S1.zip.md5"]
