"""PAR/REC are paired and converted whatever their names are, and however they are compressed."""

import bz2
import lzma
from collections.abc import Callable

import pytest

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
