"""Image numbers, and the files and logs named after them."""

import gzip
import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.convert.nifti import Nifti
from qxbatch.deidentify import no_redaction, redaction
from qxbatch.model import Conversion, Output, Series, SeriesKind, State, Value
from qxbatch.problems import Code, Severity
from qxbatch.record.checksums import file_checksums
from qxbatch.record.compress import compressed_path
from qxbatch.record.files import redact_sidecars, write_images, write_logs
from qxbatch.record.image_texts import redact_image
from qxbatch.record.images import SessionImages, number_images
from qxbatch.record.json_info import FIELDS, json_info


def conversion(n: int, images: int, number: int | None = None, kind: SeriesKind = SeriesKind.DICOM) -> Conversion:
    """Return the conversion of a series into a number of images."""
    header: dict[str, Value] = {"SeriesDescription": f"s{n}"}
    if number is not None:
        header["SeriesNumber"] = number
    series = Series(n, kind, header, 1, 1, Path("/x"))
    outputs = tuple(Output(Path(f"/w/{n}_{k:02}.nii"), "", {}) for k in range(images))
    return Conversion(series, State.CONVERTED, "dcm2niix 1", outputs, log=f"log {n}")


def place(*conversions: Conversion) -> SessionImages:
    """Place images whose files need not exist."""
    return number_images(conversions, [c.series.n for c in conversions], shape=lambda _: (2, 2, 2))


def numbers(session_images: SessionImages, n: int) -> list[int]:
    """Return the image numbers of a series in the order of its outputs."""
    images = sorted((image for image in session_images.images if image.n == n), key=lambda image: image.k)
    return [image.number for image in images]


def test_image_k_of_series_n_has_the_number_n_plus_k() -> None:
    session_images = place(conversion(30, 3, 3))
    assert numbers(session_images, 30) == [31, 32, 33]
    assert [image.name for image in session_images.images] == ["s30 [1/3]", "s30 [2/3]", "s30 [3/3]"]
    assert session_images.images[0].files == ("nii/31.nii.gz",)
    assert session_images.n_by_extra_n == {}
    assert session_images.problems == ()


def test_the_tenth_image_gets_the_next_free_number_and_a_warning() -> None:
    session_images = place(conversion(30, 12, 3), conversion(40, 1, 4))
    assert numbers(session_images, 30) == [*range(31, 40), 100031, 100032, 100033]
    assert session_images.n_by_extra_n == {100030: 30}
    (problem,) = session_images.problems
    assert (problem.code, problem.severity) == (Code.MORE_THAN_NINE, Severity.WARNING)
    assert "100031" in problem.message


def test_the_number_of_another_series_is_never_taken() -> None:
    session_images = place(conversion(30, 10, 3), conversion(100030, 1, 3))
    assert numbers(session_images, 30)[9] == 200031
    assert numbers(session_images, 100030) == [100031]


def test_further_images_of_an_unnumbered_series_get_numbers_of_the_unnumbered_range() -> None:
    session_images = place(conversion(90010, 10), conversion(90020, 1))
    assert numbers(session_images, 90010)[9] == 90031


def test_image_numbers_do_not_depend_on_the_order_of_conversions() -> None:
    series = [conversion(30, 20, 3), conversion(100030, 20, 3), conversion(90010, 11)]
    assert place(*series) == place(*series[::-1])


@given(st.dictionaries(st.integers(1, 30), st.integers(0, 60), max_size=8))
def test_image_numbers_are_unique(counts: dict[int, int]) -> None:
    session_images = place(*(conversion(10 * number, count, number) for number, count in counts.items()))
    assigned = [image.number for image in session_images.images]
    assert len(set(assigned)) == len(assigned) == sum(counts.values())
    assert all(number % 10 for number in assigned)
    series_numbers = {image.number // 10 * 10: image.n for image in session_images.images}
    assert all(series_numbers[image.number // 10 * 10] == image.n for image in session_images.images)


def test_a_failed_series_keeps_its_number() -> None:
    session_images = place(conversion(30, 10, 3), conversion(100030, 0, 3))
    assert numbers(session_images, 30)[9] == 200031


@pytest.fixture
def converted(tmp_path: Path) -> Conversion:
    """Return the conversion of a series with image files on disk."""
    outputs = []
    for suffix in ("", "_ph"):
        nifti = tmp_path / "w" / f"30{suffix}.nii"
        nifti.parent.mkdir(exist_ok=True)
        nifti.write_bytes(b"voxels" + suffix.encode())
        nifti.with_suffix(".json").write_text("{}")
        outputs.append(Output(nifti, suffix, {"json": nifti.with_suffix(".json")}))
    return Conversion(conversion(30, 0, 3).series, State.CONVERTED, "t", tuple(outputs), log="Found 1 DICOM file(s)\n")


def zipped(source: Path, target: Path) -> None:
    """Compress in place of the core's gzip."""
    target.write_bytes(gzip.compress(source.read_bytes()))


def compress(converted: Conversion) -> None:
    """Compress the images before they get their numbers, as the pipeline does."""
    for output in converted.outputs:
        zipped(output.nifti, compressed_path(output.nifti))
        output.nifti.unlink()


@pytest.mark.parametrize("early", [True, False])
def test_files_are_named_by_image_number(tmp_path: Path, converted: Conversion, early: bool) -> None:
    if early:
        compress(converted)
    write_images(place(converted), tmp_path / "session", zipped)
    folder = tmp_path / "session" / "nii"
    assert sorted(path.name for path in folder.iterdir()) == ["31.json", "31.nii.gz", "32.json", "32.nii.gz"]
    assert gzip.decompress((folder / "32.nii.gz").read_bytes()) == b"voxels_ph"


def test_an_image_has_the_checksum_taken_when_it_was_written(tmp_path: Path, converted: Conversion) -> None:
    first = converted.outputs[0]
    first.nifti.with_suffix(".bval").write_text("0 1000\n")
    converted = replace(
        converted, outputs=(replace(first, sidecars={**first.sidecars, "bval": first.nifti.with_suffix(".bval")}),)
    )
    compress(converted)
    write_images(place(converted), tmp_path / "session", zipped)
    assert file_checksums(place(converted), tmp_path / "session", {first.nifti: (7, "as written")}) == {
        "nii/31.nii.gz": (7, "as written"),
        "nii/31.bval": (7, hashlib.sha256(b"0 1000\n").hexdigest()),
        "nii/31.json": (2, hashlib.sha256(b"{}").hexdigest()),
    }


def test_an_existing_image_is_an_error_and_not_overwritten(tmp_path: Path, converted: Conversion) -> None:
    (tmp_path / "nii").mkdir()
    (tmp_path / "nii" / "31.nii.gz").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_images(place(converted), tmp_path, zipped)
    assert (tmp_path / "nii" / "31.nii.gz").read_bytes() == b"old"


def nifti_with(path: Path, extensions: bytes, descrip: bytes = b"", *, is_nifti2: bool = False) -> Nifti:
    """Write a big-endian image of one voxel of 8 bits with these extensions, and return its header."""
    size, texts_at = (540, 240) if is_nifti2 else (348, 148)
    offset = size + 4 + len(extensions)
    header = bytearray(size)
    struct.pack_into(">i", header, 0, size)
    header[texts_at : texts_at + len(descrip)] = descrip
    path.write_bytes(bytes(header) + bytes([bool(extensions), 0, 0, 0]) + extensions + b"V")
    return Nifti((1,), ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)), ">", 2, offset, is_nifti2=is_nifti2)


def extension(code: int, content: bytes, size: int = 0) -> bytes:
    """Return an extension of NIfTI; `size` replaces its true size."""
    content += bytes(-(len(content) + 8) % 16)
    return struct.pack(">2i", size or len(content) + 8, code) + content


REDACT = redaction([{"PatientName": "Doerks^Jane"}], "Session-1")


@pytest.mark.parametrize("is_nifti2", [False, True])
def test_the_texts_of_an_image_of_few_voxels_are_redacted(tmp_path: Path, *, is_nifti2: bool) -> None:
    nifti = tmp_path / "image.nii"
    redact_image(nifti, nifti_with(nifti, b"", b"T1 of Doerks", is_nifti2=is_nifti2), REDACT)
    assert b"T1 of Session-1\0" in nifti.read_bytes()
    assert b"Doerks" not in nifti.read_bytes()


@pytest.mark.parametrize("is_nifti2", [False, True])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            extension(6, b"SeriesNumber = 3;\0\nSeriesDescription = 'T1 of Doerks';\0\nTaskName = 'x';\0\n"),
            extension(6, b"SeriesNumber = 3;\0\nSeriesDescription = 'T1 of Session-1';\0\nTaskName = 'x';\0\n"),
            id="lines of dicm2nii",
        ),
        pytest.param(extension(6, b"Doerks 5678901234567890_"), extension(6, b"Session-1 56789012345678"), id="longer"),
        pytest.param(extension(6, b"nothing\0\n\0\0"), extension(6, b"nothing\0\n\0\0"), id="without a name"),
        pytest.param(extension(2, b"DICM\0Doerks"), extension(0, bytes(24)), id="DICOM"),
        pytest.param(
            extension(6, b"Doerks") + extension(6, b"Doerks", 4096),
            extension(6, b"Session-") + bytes(16),
            id="impossible size",
        ),
        pytest.param(b"Doerks", bytes(6), id="no extension"),
    ],
)
def test_names_in_the_extensions_of_an_image_are_redacted(
    tmp_path: Path, old: bytes, new: bytes, *, is_nifti2: bool
) -> None:
    nifti = tmp_path / "image.nii"
    header = nifti_with(nifti, old, is_nifti2=is_nifti2)
    before = nifti.read_bytes()
    redact_image(nifti, header, no_redaction)
    assert nifti.read_bytes() == before
    redact_image(nifti, header, REDACT)
    assert nifti.read_bytes() == before.removesuffix(old + b"V") + new + b"V"


SIDECAR = """{
\t"SeriesInstanceUID": "1.2.4711008",
\t"ImageType": ["ORIGINAL", "PRIMARY", "Doe Jane"],
\t"Labels": [
\t\t"of Doe",
\t\t"M"
\t],
\t"ReferencedUID": ["Doe"],
\t"Broken": ["a "Doe" b"],
\t"EchoTime": 0.03,
\t"SeriesDescription": "T1 of Doe"
}
"""


def test_texts_in_the_lists_of_a_sidecar_are_redacted(tmp_path: Path) -> None:
    path = tmp_path / "31.json"
    path.write_text(SIDECAR)
    redact_sidecars(tmp_path, redaction([{"PatientName": "Doe^Jane", "PatientID": "4711008"}], "S1"))
    expected = SIDECAR.replace("Doe Jane", "S1").replace("of Doe", "of S1").replace('"a "Doe" b"', '"a "S1" b"')
    assert path.read_text() == expected


@pytest.mark.parametrize(("length", "is_cut"), [(62, False), (63, True), (65, True), (70, False), (255, True)])
def test_a_text_that_fills_its_field_in_a_sidecar_loses_its_last_word(
    tmp_path: Path, length: int, *, is_cut: bool
) -> None:
    text = "ab " * 100
    text = text[: length - 7] + " Zagaro"
    path = tmp_path / "31.json"
    path.write_text(json.dumps({"ImageComments": text}, indent=1))
    redact_sidecars(tmp_path, redaction([{"PatientName": "Zagarovanova^Anna"}], "S1"))
    assert json.loads(path.read_text())["ImageComments"] == (text.removesuffix("Zagaro") if is_cut else text)


def test_each_series_has_a_log_and_each_further_number_a_copy(tmp_path: Path) -> None:
    conversions = [conversion(30, 12, 3), conversion(40, 0, 4)]
    write_logs(conversions, place(*conversions), tmp_path)
    logs = {path.name: path.read_text() for path in (tmp_path / "dicom").iterdir()}
    assert logs == {
        "dcm2niix_30.log": "log 30",
        "dcm2niix_100030.log": "log 30",
        "dcm2niix_40.log": "log 40",
    }


def info(tmp_path: Path, sidecar: object, fields: tuple[str, ...], kind: SeriesKind = SeriesKind.DICOM) -> object:
    """Return the fields read from a JSON sidecar."""
    path = tmp_path / "a.json"
    path.write_text(sidecar if isinstance(sidecar, str) else json.dumps(sidecar))
    header: dict[str, Value] = {"RepetitionTime": 2000.0}
    return json_info(path, fields, Series(30, kind, header, 1, 1, tmp_path))


ALL = tuple(FIELDS)


def test_json_fields_have_a_fixed_order_and_format(tmp_path: Path) -> None:
    sidecar = (
        '{"ReadoutDirection":"i","DwellTime":5.8e-05,"RepetitionTime":2,'
        '"EffectiveEchoSpacing":0.00058,"PhaseEncodingDirection":"j-"}'
    )
    expected = (
        ("TR", "2"),
        ("PEDirection", "j-"),
        ("EchoSpacing", "0.00058"),
        ("DwellTime", "5.8e-05"),
        ("ReadoutDirection", "i"),
    )
    assert info(tmp_path, sidecar, ALL) == expected
    assert info(tmp_path, sidecar, ("DwellTime", "TR")) == (("TR", "2"), ("DwellTime", "5.8e-05"))
    assert info(tmp_path, sidecar, ()) == ()


@pytest.mark.parametrize("sidecar", ["", "[]", "{", '{"RepetitionTime": null}', '{"RepetitionTime": [1, 2]}', "3"])
def test_a_json_without_values_gives_no_fields(tmp_path: Path, sidecar: str) -> None:
    assert info(tmp_path, sidecar, ALL) == ()


def test_the_repetition_time_of_a_par_file_replaces_a_missing_one(tmp_path: Path) -> None:
    assert info(tmp_path, {}, ("TR",), SeriesKind.PARREC) == (("TR", "2"),)
    assert info(tmp_path, {"RepetitionTime": 1.5}, ("TR",), SeriesKind.PARREC) == (("TR", "1.5"),)


def test_an_image_without_json_gives_no_fields() -> None:
    assert json_info(None, ALL, conversion(30, 1).series) == ()
