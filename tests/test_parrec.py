"""PAR headers of all versions and export variants, and pairs of PAR and REC files."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.parrec import parse_PAR_header

from qxbatch.convert.par_table import general_lines, image_defs
from qxbatch.parrec import pair_rows, par_series_number, parse_par, read_par
from qxbatch.parrec.columns import columns_of_version
from qxbatch.parrec.pairing import Member
from qxbatch.problems import Code
from tests.build.parrec import ParRec

PARS = sorted(Path(nibabel.__file__).parent.glob("tests/data/*.PAR"))


def parsed(**fields: object) -> dict[str, object]:
    """Return the DICOM keywords of a built PAR."""
    return dict(parse_par(ParRec(**fields).par().encode("latin-1")).dicom())  # type: ignore[arg-type]


def test_a_par_header_is_available_under_dicom_keywords() -> None:
    header = parsed(acquisition=10, reconstruction=1, protocol="WIP T2*-interleaved SENSE", volumes=2)
    assert header["SeriesNumber"] == 1001
    assert header["SeriesDescription"] == header["ProtocolName"] == "T2*-interleaved SENSE"
    assert (header["RepetitionTime"], header["EchoTime"]) == (2000.0, 30.0)
    assert (header["StudyDate"], header["StudyTime"]) == ("20240115", "101500")
    assert (header["Columns"], header["Rows"], header["NumberOfFrames"]) == (6, 8, 6)
    assert header["NumberOfTemporalPositions"] == 2
    assert header["PatientName"] == "Doe^Jane"


@pytest.mark.parametrize(("acquisition", "reconstruction", "number"), [(10, 1, 1001), (1, 0, 100), (2, 3, 203)])
def test_the_series_number_contains_acquisition_and_reconstruction(
    acquisition: int, reconstruction: int, number: int
) -> None:
    assert par_series_number(acquisition, reconstruction) == number
    assert parsed(acquisition=acquisition, reconstruction=reconstruction)["SeriesNumber"] == number


def changed(old: str, new: str) -> bytes:
    """Return a PAR file with one text replaced by another."""
    text = ParRec().par()
    assert old in text
    return text.replace(old, new).encode("latin-1")


@pytest.mark.parametrize(
    ("old", "new", "keyword", "value"),
    [
        (
            "Repetition time [ms]               :   2000.0",
            "Repetition time [msec]: 500.0 750.0",
            "RepetitionTime",
            [500, 750],
        ),
        ("Protocol name                      :   WIP T1w", "Protocol name : a: b", "SeriesDescription", "a: b"),
        ("Patient position ", "Patient Position ", "PatientPosition", "Head First Supine"),
        ("Series Type ", "Series_data_type ", "SeriesNumber", 201),
        ("2024.01.15 / 10:15:00", "2024.01.15 / 10:15:00.9758980 ", "StudyTime", "101500.975898"),
        ("2024.01.15 / 10:15:00", "anon", "StudyDate", None),
        ("\r\n", "\n", "SeriesNumber", 201),
        ("\r\n", "   \r\n", "SeriesNumber", 201),
        (":   Doe^Jane", ":   M\xfcller", "PatientName", "M\xfcller"),
        (":   WIP T1w", ":", "SeriesDescription", None),
        ("Acquisition nr                     :   2", "Acquisition nr :", "SeriesNumber", None),
        (".    Reconstruction nr                  :   1\r\n", "", "SeriesNumber", 200),
        (
            ".    Examination name ",
            ".    Institution name: Clinic\r\n.    Examination name ",
            "InstitutionName",
            "Clinic",
        ),
    ],
)
def test_export_variants_are_read(old: str, new: str, keyword: str, value: object) -> None:
    assert parse_par(changed(old, new)).dicom().get(keyword) == value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("WIP T1w", "T1w"),
        ("T1w WIP sag", "T1w sag"),
        ("T1w_WIP sag", "T1w_sag"),
        ("SWIP T1w", "SWIP T1w"),
        ("2WIP x", "2WIP x"),
    ],
)
def test_wip_is_removed_from_a_name_as_a_word(name: str, expected: str) -> None:
    assert parse_par(f". Protocol name : {name}\n".encode()).dicom()["SeriesDescription"] == expected


def test_a_version_is_read_with_and_without_a_minor_number() -> None:
    assert parse_par(ParRec().par().encode()).version == 4.2
    assert parse_par(changed("V4.2", "V4")).version == 4
    assert parse_par(changed("Research image export tool     V4.2", "")).version is None


@pytest.mark.parametrize(("version", "width"), [(3, 29), (4, 41), (4.1, 48), (4.2, 49)])
def test_each_version_has_default_columns(version: float, width: int) -> None:
    assert sum(column.width for column in columns_of_version(version)) == width


def test_column_definitions_in_a_file_equal_the_defaults_of_its_version() -> None:
    assert parse_par(ParRec().par().encode()).columns == columns_of_version(4.2)


@pytest.mark.parametrize("path", PARS, ids=lambda path: path.name)
def test_table_and_geometry_equal_those_of_nibabel(path: Path) -> None:
    header = read_par(path)
    with path.open() as file:
        general, images = parse_PAR_header(file)
    assert header.version == float(path.read_text().split("image export tool")[1].split()[0][1:])
    if not general["fov"].any():
        pytest.skip(f"{path.name} is anonymised and has no geometry")
    table, lines = image_defs(header), general_lines(header)
    for name in table.dtype.names:
        assert np.array_equal(table[name], images[name]), name
    assert np.array_equal(lines.angulation, general["angulation"])
    assert np.array_equal(lines.off_centre, general["off_center"])


def test_the_error_names_a_truncated_image_line() -> None:
    header = parse_par(ParRec().par().encode().rsplit(b"  3 1 1", 1)[0] + b"  3 1 1 1 0 2")
    with pytest.raises(ValueError, match="image line 3 is cut short"):
        header.column("slice orientation")


def test_the_error_names_the_line_of_an_invalid_number() -> None:
    header = parse_par(changed("  2 1 1 1 0 2 1 16", "  2 1 1 1 0 2 one 16"))
    with pytest.raises(ValueError, match="image line 2: 'one' is not a number"):
        header.column("index in rec file")


@given(st.binary(max_size=2000) | st.text(max_size=2000).map(str.encode))
def test_any_bytes_give_a_header(data: bytes) -> None:
    header = parse_par(data)
    header.dicom()
    assert header.series_number is None or isinstance(header.series_number, int)


@given(st.data())
def test_a_damaged_par_gives_a_header(data: st.DataObject) -> None:
    good = bytearray(ParRec().par().encode("latin-1"))
    for _ in range(data.draw(st.integers(1, 20))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    header = parse_par(bytes(good[: data.draw(st.integers(0, len(good)))]))
    header.dicom()
    try:
        image_defs(header)
        general_lines(header)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("paths", "pairs"),
    [
        (["a.PAR", "a.REC"], [(0, 1)]),
        (["a.par", "a.REC"], [(0, 1)]),
        (["a.PAR", "a.rec"], [(0, 1)]),
        (["a.Par", "A.rec"], [(0, 1)]),
        (["x/a.PAR", "y/a.REC"], [(0, None)]),
        (["x/a.PAR", "y/a.PAR", "y/a.REC", "x/a.REC"], [(0, 3), (1, 2)]),
        (["z.zip!a.PAR", "z.zip!a.REC", "a.REC"], [(0, 1)]),
        (["loose!a.PAR", "LOOSE!a.rec"], [(0, 1)]),
        (["a.PAR", "A.PAR", "a.REC", "A.REC"], [(1, 3), (0, 2)]),
        (["a.PAR", "a.par", "a.rec"], [(0, None), (1, 2)]),
        (["a.PAR.gz", "a.par.gz", "a.rec.gz"], [(0, None), (1, 2)]),
        (["a.PAR.gz", "a.REC.gz"], [(0, 1)]),
        (["a.PAR", "a.PAR.gz", "a.REC.gz"], [(0, None), (1, 2)]),
        (["a.PAR.gz", "a.REC"], [(0, 1)]),
        (["a.b.PAR", "a.b.REC", "a.REC"], [(0, 1)]),
        (["T2*[1] 'x'.PAR", "T2*[1] 'x'.REC"], [(0, 1)]),
        (["b.REC", "a.REC"], []),
    ],
)
def test_files_are_paired_by_folder_and_stem(paths: list[str], pairs: list[tuple[int, int | None]]) -> None:
    kinds = ["par" if ".par" in path.casefold() else "rec" for path in paths]
    names = [path.removeprefix("z.zip!").rpartition("/")[2] for path in paths]
    assert pair_rows(map(Member, range(len(paths)), paths, names, kinds))[0] == pairs


def test_a_rec_belongs_to_the_par_that_is_named_as_one() -> None:
    kinds = {"a": "par", "a.PAR": "par", "a.rec": "rec", "b.rec": "par", "b.REC": "rec"}
    pairs, _ = pair_rows(Member(k, path, path, kind) for k, (path, kind) in enumerate(kinds.items()))
    assert pairs == [(0, None), (1, 2), (3, 4)]


def test_files_without_a_partner_are_reported() -> None:
    kinds = {"a/one.PAR": "par", "b/two.REC": "rec", "c/three.REC": "rec", "c/three.xml": "other"}
    files = [Member(k, path, path[2:], kind) for k, (path, kind) in enumerate(kinds.items())]
    pairs, problems = pair_rows(files)
    assert pairs == [(0, None)]
    assert [problem.code for problem in problems] == [Code.UNPAIRED] * 3
    messages = {problem.subject: problem.message for problem in problems}
    assert "without its REC" in messages["a/one.PAR"]
    assert "without its PAR" in messages["b/two.REC"]
    assert "XML" in messages["c/three.REC"]


def test_the_beginning_of_a_large_par_may_end_inside_a_character() -> None:
    start = ". Patient name : Müller^Anna\n# ".encode()
    start += b"x" * ((1 << 20) - len(start) - 1)
    header = parse_par(start + "ü\n".encode() + (b"#" * 1000 + b"\n") * 65000)
    assert header.text("patient name") == "Müller^Anna"
    assert header.unread_reason


@pytest.mark.parametrize(
    ("name", "description"), [("SWIP T1w", "SWIP T1w"), ("WIP T1w", "T1w"), ("a WIP T1w", "a T1w")]
)
def test_only_the_word_wip_is_removed_from_the_protocol_name(name: str, description: str) -> None:
    assert parse_par(f". Protocol name : {name}\n".encode()).dicom()["SeriesDescription"] == description
