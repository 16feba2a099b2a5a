"""DICOM that is not sorted, and a PAR without its REC, belong to the patient whom they name, not to their nearest neighbour."""

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import UID

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, read_tree, under, write_packet
from tests.build.parrec import ParRec
from tests.build.study import Study, run_main

ANNA = MrSeries(number=3, patient="PATA", name="Anders^Anna", study="a")
BOB = MrSeries(number=4, patient="PATB", name="Brown^Bob", study="b", date="20240220")
PRESENTATION_STATE = "1.2.840.10008.5.1.4.1.1.11.1"


def without_image(series: MrSeries, sop_class: str = PRESENTATION_STATE) -> bytes:
    """Return a file of the patient and study of a series, without pixels."""
    dataset = dcmread(BytesIO(series.files()["IM0001"]))
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        del dataset[keyword]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.9.{series.number}")
    dataset.SeriesInstanceUID = UID(f"1.2.9.9.{series.number}")
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def one_folder() -> dict[str, bytes]:
    """Return a folder as Philips writes it: images and presentation states of two patients."""
    images = [*ANNA.files().values(), *BOB.files().values()]
    return {
        **{f"DICOM/IM_{k:04}": data for k, data in enumerate(images)},
        "DICOM/PS_0010": without_image(ANNA),
        "DICOM/PS_0011": without_image(BOB),
    }


@pytest.mark.parametrize("options", [(), ("--masterinbox=none", "--sessions=S1")], ids=["packet", "folder mode"])
def test_a_presentation_state_goes_into_the_session_of_its_patient(study: Study, options: tuple[str, ...]) -> None:
    inbox = study.session("S1") / "inbox" if options else study.inbox
    write_packet(one_folder(), inbox, "S1", Kind.ZIP)
    assert study.main("--on-mixed=split", *options).status == 0
    above = "S1.zip/" if options else ""
    assert [*read_tree(study.session("S1-1") / "inbox")] == [f"{above}DICOM/PS_0010"]
    assert [*read_tree(study.session("S1-2") / "inbox")] == [f"{above}DICOM/PS_0011"]


def test_split_puts_a_presentation_state_into_the_folder_of_its_study(tmp_path: Path) -> None:
    source = write_packet(one_folder(), tmp_path, "p", Kind.ZIP)
    assert run_main("split", str(source), f"--output={tmp_path / 'out'}").status == 0
    assert {"DICOM/PS_0010", "DICOM/IM_0000"} <= {*read_tree(tmp_path / "out/PATA")}
    assert {"DICOM/PS_0011", "DICOM/IM_0005"} <= {*read_tree(tmp_path / "out/PATB")}


def test_a_packet_with_a_presentation_state_of_another_patient_is_refused_or_split(study: Study) -> None:
    study.put("S1", {**under("DICOM", ANNA.files()), "DICOM/PS_0011": without_image(BOB)})
    run = study.main()
    assert run.status == 1
    assert "2 patients" in run.text
    assert study.main("--on-mixed=split").status == 0
    assert [*read_tree(study.session("S1-2") / "inbox")] == ["DICOM/PS_0011"]


@pytest.mark.parametrize("patient", ["PATA", "", "anonymous"])
def test_a_presentation_state_without_another_patient_is_imported_as_usual(study: Study, patient: str) -> None:
    state = without_image(ANNA.with_(patient=patient, name="Anders^Anna" if patient == "PATA" else ""))
    study.put("S1", {**under("DICOM", ANNA.files()), "DICOM/PS_0010": state})
    run = study.main()
    assert (run.status, "To look at" in run.text) == (0, False), run.text


@pytest.mark.parametrize(("name", "series"), [("Brown, Bob", ["2010", "40"]), ("Clark, Cleo", ["2010"])])
def test_a_par_without_its_rec_goes_into_the_session_of_its_name(study: Study, name: str, series: list[str]) -> None:
    par = ParRec(patient=name).files("scan")["scan.PAR"]
    study.put("S1", {**under("a", ANNA.files()), **under("b", BOB.files()), "a/scan.PAR": par})
    assert study.main("--on-mixed=split").status == 1
    [folder] = [path.parent for path in study.sessions.glob("*/dicom/2010.tar.gz")]
    assert sorted(path.name.removesuffix(".tar.gz") for path in folder.glob("*.tar.gz")) == series


def test_split_separates_patients_whose_ids_are_equal_in_folded_case(tmp_path: Path) -> None:
    tree = {**under("a", ANNA.with_(patient="MASSE1").files()), **under("b", BOB.with_(patient="Maße1").files())}
    without_study = {}
    for path, data in tree.items():
        dataset = dcmread(BytesIO(data))
        del dataset.StudyInstanceUID
        file = BytesIO()
        dataset.save_as(file)
        without_study[path] = file.getvalue()
    source = write_packet(without_study, tmp_path, "p", Kind.ZIP)
    assert run_main("split", str(source), f"--output={tmp_path / 'out'}").status == 0
    folders = [{*read_tree(path)} for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert sorted(map(sorted, folders)) == [[f"a/IM000{k}" for k in (1, 2, 3)], [f"b/IM000{k}" for k in (1, 2, 3)]]
