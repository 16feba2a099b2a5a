"""DICOM files that end before their pixel data do: named and counted, whatever the converter's result."""

import io
from collections.abc import Callable

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, zipped
from tests.build.shell import problems
from tests.build.study import Study
from tests.endtoend.test_commands import FOLDER_MODE, in_session, only
from tests.endtoend.test_left_out import counts

T1 = MrSeries(number=3, description="T1w", slices=6)
PIXELS = 2 * 6 * 8
"""Bytes of the pixel data of one file, which end the file."""
CUTS = {
    "within the pixels": lambda data: data[:-20],
    "before the pixels": lambda data: data[:-PIXELS],
    "in the header of the pixels": lambda data: data[: -PIXELS - 4],
    "before that header": lambda data: data[: -PIXELS - 12],
    "far before it": lambda data: data[: -PIXELS - 60],
}
EACH = pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
Cut = Callable[[bytes], bytes]


def with_cut(cut: Cut, *names: str) -> dict[str, bytes]:
    files = T1.files()
    assert pydicom.dcmread(io.BytesIO(files["IM0002"])).PixelData == files["IM0002"][-PIXELS:]
    return under("T1", {name: cut(data) if name in names else data for name, data in files.items()})


@EACH
def test_a_cut_file_is_named_with_its_series_and_counted(study: Study, cut: Cut) -> None:
    study.put("S1", with_cut(cut, "IM0002", "IM0004"))
    found = problems(study)
    [of_series] = [each for each in found if "2 of 6 files are cut short (P001-30-" in each["message"]]
    assert of_series["subject"] == "series 30"
    assert "Copy these files again from their source" in of_series["hint"]
    left_out = only(found, "left-out")
    assert "imported, but cut short: 2 DICOM files (T1/IM0002, T1/IM0004)" in left_out["message"]
    assert "command" not in left_out
    assert counts(study) == {"truncated": 2}


@pytest.mark.parametrize("mode", ["zip in a folder", "folder mode"])
def test_a_cut_file_is_counted_under_its_path_in_the_packet(study: Study, mode: str) -> None:
    tree = {"a.zip": zipped(with_cut(CUTS["within the pixels"], "IM0002"))}
    if mode == "folder mode":
        in_session(study, tree)
    else:
        study.put("S1", tree, Kind.FOLDER)
    found = problems(study, *(FOLDER_MODE if mode == "folder mode" else ()))
    assert "imported, but cut short: 1 DICOM file (a.zip!T1/IM0002)" in only(found, "left-out")["message"]


def test_a_cut_file_of_a_series_that_fails_is_named_only_in_the_message_of_the_series(study: Study) -> None:
    study.put("S1", with_cut(CUTS["within the pixels"], "IM0002"))
    found = problems(study)
    message = only(found, "convert-failed")["message"]
    assert message.startswith("1 of 6 files is cut short (P001-30-")
    assert "; dcm2niix ended with status 1." in message
    assert {each["code"] for each in found} == {"convert-failed", "left-out"}


def encapsulated(missing: int, *, delimiter: bool = True) -> dict[str, bytes]:
    """Return a series of compressed images; `missing` bytes are removed from the end of the second."""
    files = {}
    for k, (name, data) in enumerate(T1.files().items()):
        dataset = pydicom.dcmread(io.BytesIO(data))
        dataset.PixelData = encapsulate([bytes(range(200)) * 2])
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset["PixelData"].is_undefined_length = True
        out = io.BytesIO()
        dataset.save_as(out)
        content = out.getvalue() if delimiter else out.getvalue()[:-8]
        files[name] = content[: len(content) - missing] if k == 1 else content
    return files


def test_a_cut_fragment_is_recognised(study: Study) -> None:
    study.put("S1", encapsulated(30))
    assert "1 of 6 files is cut short" in only(problems(study), "convert-failed")["message"]
    assert counts(study) == {"truncated": 1}


@pytest.mark.parametrize("delimiter", [True, False])
def test_whole_fragments_are_not_called_cut(study: Study, delimiter: bool) -> None:
    study.put("S1", encapsulated(0, delimiter=delimiter))
    problems(study)
    assert counts(study) == {}


def test_a_missing_pad_byte_is_no_cut(study: Study) -> None:
    odd = {}
    for name, data in T1.files().items():
        dataset = pydicom.dcmread(io.BytesIO(data))
        dataset.Rows, dataset.Columns = 5, 3
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = bytes(range(15)) + b"\0"
        out = io.BytesIO()
        dataset.save_as(out)
        odd[name] = out.getvalue()[:-1]
    study.put("S1", odd)
    assert problems(study) == []
