"""The headers of a series predict its images, and the images are compared with the prediction."""

import json
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qxbatch.convert.agreement import image_findings, slice_count_findings
from qxbatch.convert.evidence import Evidence, header_evidence
from qxbatch.convert.header_values import number, text, value, whole_number
from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.sop import has_slices_of_body, is_secondary_capture, non_image_kind
from qxbatch.core import SeriesFrames
from qxbatch.inspect.facts import facts
from qxbatch.inspect.observed import observe
from qxbatch.inspect.verdict import missing_text
from qxbatch.model import Output, Value
from tests.build.headers import series_frames

MR = "1.2.840.10008.5.1.4.1.1.4"


def header(z: float = 0, instance: int = 1, **changes: Value) -> dict[str, Value]:
    """Return the header of a classic slice."""
    return {
        "SOPClassUID": MR,
        "Rows": 8,
        "Columns": 6,
        "InstanceNumber": instance,
        "ImagePositionPatient": [-10.0, -12.0, z],
        "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        **changes,
    }


def missing_in(folder: Path, headers: Sequence[Mapping[str, Value]]) -> str:
    """Return a text about what a series lacks."""
    return missing_text(facts(observe(series_frames(folder, headers).acquired_stacks(), {}, [])))


def stack(volumes: int, slices: int, leave_out: tuple[int, ...] = ()) -> list[Mapping[str, Value]]:
    """Return the headers of volumes x slices, without the left-out ones."""
    all_headers = [header(4.0 * z, 1 + t * slices + z) for t in range(volumes) for z in range(slices)]
    return [item for k, item in enumerate(all_headers) if k not in leave_out]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        pytest.param(stack(3, 6), "", id="complete"),
        pytest.param(stack(1, 9, (4,)), "1 volume, 0 complete, 8 slices of one, which has 9", id="one-slice-missing"),
        pytest.param(
            stack(1, 12, (4, 5)), "1 volume, 0 complete, 10 slices of one, which has 12", id="two-slices-missing"
        ),
        pytest.param(stack(3, 6, (16, 17)), "3 volumes, 2 complete, 4 slices of one more", id="stopped"),
        pytest.param(
            stack(4, 6, (7, 13)), "4 volumes, 2 complete, 2 slices missing before the last volume", id="uneven"
        ),
        pytest.param([header(z) for z in (0, 4, 30)], "", id="three-slices-are-too-few"),
        pytest.param([header(4.0 * z + 0.01 * (z % 2)) for z in range(9)], "", id="rounded-positions"),
        pytest.param([header(z * 4.0 + (z > 4) * 1.0) for z in range(9)], "", id="small-gap"),
        pytest.param([], "", id="no-headers"),
        pytest.param(
            [{**item, "NumberOfTemporalPositions": 50} for item in stack(3, 6)],
            "planned 50 volumes, 3 complete",
            id="fewer-time-points",
        ),
        pytest.param([{**item, "GEImagesInSeries": 18} for item in stack(3, 6)], "", id="all-images"),
        pytest.param(
            [{**item, "GEImagesInSeries": 24} for item in stack(3, 6)],
            "planned 4 volumes, 3 complete",
            id="fewer-images",
        ),
        pytest.param(
            [
                header(0, k, ImageType=["M", "MOSAIC"], SiemensNumberOfImagesInMosaic=4, NumberOfTemporalPositions=9)
                for k in range(4)
            ],
            "planned 9 volumes, 4 complete",
            id="fewer-mosaics",
        ),
        pytest.param(
            [header(0, k, ImageType=["M", "MOSAIC"], SiemensNumberOfImagesInMosaic=4) for k in (1, 2, 5, 6)],
            "4 volumes, 4 complete, 8 slices missing before the last volume",
            id="missing-instance-numbers",
        ),
        pytest.param([{"InstanceNumber": k} for k in (1, 1000)], "", id="unrelated-instance-numbers"),
        pytest.param(
            [{"SliceLocation": float(z)} for z in (0, 1, 2, 3, 5, 6, 7, 8)],
            "1 volume, 0 complete, 8 slices of one, which has 9",
            id="slice-location",
        ),
    ],
)
def test_missing_slices_and_volumes_are_found_from_the_headers(
    tmp_path: Path, headers: list[Mapping[str, Value]], words: str
) -> None:
    assert missing_in(tmp_path, headers) == words


def test_each_orientation_is_counted_separately(tmp_path: Path) -> None:
    tilted = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
    headers = [*stack(1, 6), *(header(0, k, ImageOrientationPatient=tilted) for k in range(3))]
    assert missing_in(tmp_path, headers) == ""


def test_tiles_of_a_mosaic_are_counted(tmp_path: Path) -> None:
    mosaic = header(
        Rows=48, Columns=36, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], SiemensNumberOfImagesInMosaic=33
    )
    evidence = header_evidence(series_frames(tmp_path / "known", [mosaic, mosaic]))
    assert (evidence.is_countable, evidence.slices, evidence.voxels, evidence.sizes) == (True, 66, 66 * 48, {(8, 6)})
    unknown = header_evidence(series_frames(tmp_path / "unknown", [{**mosaic, "SiemensNumberOfImagesInMosaic": None}]))
    assert not unknown.is_countable


def test_frames_of_an_enhanced_object_are_counted(tmp_path: Path) -> None:
    assert header_evidence(series_frames(tmp_path, [header(NumberOfFrames=20)])).slices == 20


def test_objects_without_pixel_data_are_not_slices(tmp_path: Path) -> None:
    evidence = header_evidence(series_frames(tmp_path, [header(), {"SOPClassUID": MR, "InstanceNumber": 2}]))
    assert (evidence.objects_with_pixels, evidence.objects_without_pixels) == (1, 1)
    assert (evidence.slices, evidence.is_countable) == (1, True)


TAGS = {
    (0x0008, 0x0008): b"CS",
    (0x0018, 0x9087): b"FD",
    (0x0019, 0x100A): b"US",
    (0x0020, 0x0011): b"IS",
    (0x0020, 0x0013): b"IS",
    (0x0020, 0x0032): b"DS",
    (0x0020, 0x0037): b"DS",
    (0x0020, 0x0105): b"IS",
    (0x0020, 0x1041): b"DS",
    (0x0028, 0x0008): b"IS",
    (0x0028, 0x0010): b"US",
    (0x0028, 0x0011): b"US",
}
JUNK = st.binary(max_size=12) | st.sampled_from(
    [b"1\\0\\0\\0\\1\\0", b"nan", b"1e999", b"-1", b"MOSAIC", b"999999999999"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(sorted(TAGS)), JUNK, max_size=8), max_size=3))
def test_no_header_value_raises_an_exception(tmp_path: Path, headers: list[dict[tuple[int, int], bytes]]) -> None:
    def element(tag: tuple[int, int], vr: bytes, data: bytes) -> bytes:
        return struct.pack("<HH2sH", *tag, vr, len(data)) + data

    start = element((0x0008, 0x0005), b"CS", b"ISO_IR 100")
    creator = {(0x0019, 0x0010): element((0x0019, 0x0010), b"LO", b"SIEMENS MR HEADER ")}
    end = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 2) + bytes(2)
    paths = []
    for k, fields in enumerate(headers):
        elements = creator | {tag: element(tag, TAGS[tag], data) for tag, data in fields.items()}
        body = b"".join(elements[tag] for tag in sorted(elements))
        paths.append(tmp_path / f"{k}.dcm")
        paths[-1].write_bytes(bytes(128) + b"DICM" + start + body + end)
    frames = SeriesFrames([str(path) for path in paths])
    header_evidence(frames)
    missing_text(facts(observe(frames.acquired_stacks(), {}, [])))


def test_values_are_converted_or_none() -> None:
    class Strict:
        def get(self, field: str, /) -> Value:
            raise KeyError(field)

    assert value(Strict(), "Rows") is None
    assert text({"a": ["x", "y"]}, "a") == "x\\y"
    assert number({"a": "1.5"}, "a") == 1.5
    assert number({"a": "nan"}, "a") is None
    assert whole_number({"a": 3.0}, "a") == 3
    assert whole_number({"a": "3.5"}, "a") is None


def image(tmp_path: Path, shape: tuple[int, ...], affine: Any = None, **sidecars: str) -> tuple[Output, Nifti]:
    """Write an image and its sidecars."""
    used_affine = np.diag([-3.0, -3.0, 4.0, 1.0]) if affine is None else affine
    nib.save(nib.Nifti1Image(np.zeros(shape, np.int8), used_affine), tmp_path / "30.nii")
    paths = {}
    for extension, content in sidecars.items():
        paths[extension] = tmp_path / f"30.{extension}"
        paths[extension].write_text(content)
    return Output(tmp_path / "30.nii", "", paths), read_nifti(tmp_path / "30.nii")


@pytest.mark.parametrize(
    ("bval", "bvec", "word"),
    [
        ("0 1000\n", "0 1\n0 0\n0 0\n", ""),
        ("0 1000\n", "0 0.6\n0 0.8\n0 0\n", ""),
        ("0 1000 1000\n", "0 1\n0 0\n0 0\n", "3 b-values"),
        ("0 1000\n", "0 1 1\n0 0 0\n0 0 0\n", "3 + 3 + 3 components"),
        ("0 1000\n", "0 1\n0 0\n", "2 + 2 components"),
        ("0 1000\n", "0 0.5\n0 0\n0 0\n", "length that is not 0 or 1"),
        ("0 -1\n", "0 1\n0 0\n0 0\n", "negative b"),
        ("0 nan\n", "0 1\n0 0\n0 0\n", "not usable"),
        ("a b\n", "0 1\n0 0\n0 0\n", "cannot be read"),
        ("0 1000\n", None, "not both"),
    ],
)
def test_diffusion_tables_are_compared_with_the_volumes(tmp_path: Path, bval: str, bvec: str | None, word: str) -> None:
    sidecars = {"bval": bval} if bvec is None else {"bval": bval, "bvec": bvec}
    output, nifti = image(tmp_path, (6, 8, 3, 2), **sidecars)
    findings = image_findings(output, nifti, Evidence(is_countable=False))
    assert len(findings) == bool(word)
    assert all(word in message for message in findings)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (json.dumps({"SeriesNumber": 3}), ""),
        ("{}", ""),
        ("[]", ""),
        (json.dumps({"SeriesNumber": 4}), "series number 4"),
        ("{", "cannot be read"),
    ],
)
def test_the_series_number_of_the_json_is_compared(tmp_path: Path, content: str, word: str) -> None:
    output, nifti = image(tmp_path, (6, 8, 3), json=content)
    findings = image_findings(output, nifti, Evidence(series_number=3, is_countable=False))
    assert len(findings) == bool(word)
    assert all(word in message for message in findings)


@pytest.mark.parametrize(
    ("shapes", "fewer", "more"),
    [
        ([("", (6, 8, 6))], 0, 0),
        ([("_e1", (6, 8, 3)), ("_e2", (6, 8, 3))], 0, 0),
        ([("", (6, 8, 5)), ("_ADC", (6, 8, 6))], 0, 0),
        ([("", (6, 8, 5)), ("_ADC", (6, 8, 1))], 0, 0),
        ([("", (6, 8, 6)), ("_Eq_1", (6, 8, 9))], 0, 0),
        ([("_e1", (6, 8, 3)), ("_e1_Eq_1", (6, 8, 9)), ("_e2", (6, 8, 3)), ("_e2_Eq_1", (6, 8, 9))], 0, 0),
        ([("", (6, 8, 5))], 1, 0),
        ([("", (6, 8, 6, 2))], 0, 1),
    ],
)
def test_slices_of_all_images_are_counted(shapes: list[tuple[str, tuple[int, ...]]], fewer: int, more: int) -> None:
    axes = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    images = [(Output(Path("a.nii"), suffix, {}), Nifti(shape, axes)) for suffix, shape in shapes]
    findings = slice_count_findings(images, Evidence(slices=6, voxels=6 * 48))
    assert tuple(map(len, findings)) == (fewer, more)


@pytest.mark.parametrize(
    ("uid", "kind"),
    [
        (MR, ""),
        ("1.2.840.10008.5.1.4.1.1.4.1", ""),
        ("1.2.840.10008.5.1.4.1.1.7", ""),
        ("1.2.840.10008.5.1.4.1.1.66.4", ""),
        ("1.2.840.10008.5.1.4.1.1.30", ""),
        ("1.2.840.10008.5.1.4.1.1.4.2", "MR spectroscopy"),
        ("1.2.840.10008.5.1.4.1.1.66", "raw data"),
        ("1.2.840.10008.5.1.4.1.1.88.22", "a report"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "a presentation state"),
        ("1.2.840.10008.5.1.4.1.1.9.1.1", "a waveform"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "an encapsulated document"),
        ("1.3.12.2.1107.5.9.1", "Siemens CSA data"),
        ("1.3.46.670589.11.0.0.12.2", "Philips private data"),
        ("1.2.3", ""),
        ("", ""),
    ],
)
def test_sop_classes_without_images_are_named(uid: str, kind: str) -> None:
    assert non_image_kind(Counter([uid])) == kind


def test_a_series_with_an_image_and_a_report_is_a_series_of_images() -> None:
    classes = Counter([MR, "1.2.840.10008.5.1.4.1.1.88.22"])
    assert non_image_kind(classes) == ""
    assert not is_secondary_capture(classes)


@pytest.mark.parametrize(
    ("ending", "expected"), [("4", True), ("4.1", True), ("4.4", True), ("4.2", False), ("7", False)]
)
def test_images_of_mr_are_slices_of_a_body_and_spectroscopy_is_not(ending: str, expected: bool) -> None:
    assert has_slices_of_body({f"1.2.840.10008.5.1.4.1.1.{ending}": 1}) is expected
