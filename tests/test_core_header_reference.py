"""Every header field of DICOM files equals what pydicom reads, with listed exceptions."""

import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pydicom.data
import pytest
from pydicom.dataset import Dataset

from qxbatch import _core
from tests import reference_header as reference
from tests.build.dicom import MrSeries, Syntax, Vendor
from tests.build.packets import untar

# Some files are invalid on purpose, and pydicom warns about them.
pytestmark = pytest.mark.filterwarnings("ignore")

EXCEPTIONS = {
    ("badVR.dcm", "NumberOfFrames"): "its value `1A` is not a number: the core returns None, pydicom keeps the text",
}
SETS = ("dcm_qa*", "dicom2nifti_sub", "nitest-balls1", "pydicom_testfiles", "nibabel_parrec")


def differences(scan: _core.ScannedFiles, step: int = 1) -> Iterator[str]:
    """Yield a line for each field that the two readers read differently, of every file or of every `step`th file."""
    for index in range(0, len(scan), step):
        path = Path(scan.path(index))
        read = reference.dataset(path)
        header = scan.header(index)
        if (read is None) != (header is None):
            yield f"{path}: {scan.problem(index) or 'the core reads it'}, pydicom {'does' if read else 'does not'}"
        if read is None or header is None:
            continue
        for field in _core.FIELDS:
            expected, value = reference.value(read, field), header.get(field)
            if expected != value and (path.name, field) not in EXCEPTIONS:
                yield f"{path}: {field} is {expected!r}, the core says {value!r}"


def extract(archive: Path, folder: Path) -> None:
    """Unpack an archived set."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
    else:
        with tarfile.open(archive) as packed:
            untar(packed, folder)


TABLE = Path(__file__).resolve().parent.parent / "rust" / "core" / "src" / "header" / "field.rs"
LINE = re.compile(r'(?m)^    \w+, "(?P<keyword>\w+)", 0x(?P<tag>\w+), \w\w(?P<rest>.*);$')
WITHIN = re.compile(r"within 0x(\w+) / 0x(\w+)")


def test_the_reference_reads_functional_groups_for_the_same_fields_as_the_core() -> None:
    lines = list(LINE.finditer(TABLE.read_text(encoding="utf-8")))
    assert tuple(line["keyword"] for line in lines) == _core.FIELDS
    within = {line["keyword"]: [(number(a), number(b)) for a, b in WITHIN.findall(line["rest"])] for line in lines}
    in_groups = {keyword: places for keyword, places in within.items() if places}
    places = reference.FUNCTIONAL | reference.SEQUENCES
    assert {keyword: [place] for keyword, place in places.items()} == in_groups


def test_the_reference_reads_the_same_private_elements_as_the_core() -> None:
    lines = list(LINE.finditer(TABLE.read_text(encoding="utf-8")))
    creators = {line["keyword"]: re.findall(r'private_creator "(.+?)"', line["rest"]) for line in lines}
    tags = {line["keyword"]: number(line["tag"]) for line in lines}
    private = {
        keyword: (tags[keyword] >> 16, *creator, tags[keyword] & 0xFF)
        for keyword, creator in creators.items()
        if creator
    }
    assert private == reference.PRIVATE


def number(digits: str) -> int:
    """Return a hexadecimal number of Rust, which has underscores."""
    return int(digits.replace("_", ""), 16)


def test_fields_of_pydicom_sample_files_are_equal() -> None:
    scan = _core.scan_files([str(Path(pydicom.data.__file__).parent)])
    assert sum(scan.header(index) is not None for index in range(len(scan))) > 100
    assert list(differences(scan)) == []


def test_each_listed_exception_is_needed() -> None:
    folder = Path(pydicom.data.__file__).parent
    for name, field in EXCEPTIONS:
        path = next(folder.rglob(name))
        read = reference.dataset(path)
        assert read is not None
        assert reference.value(read, field) != _core.read_header(path.read_bytes()).get(field)


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize("syntax", Syntax)
def test_fields_of_synthetic_series_are_equal(tmp_path: Path, vendor: Vendor, syntax: Syntax) -> None:
    MrSeries(vendor=vendor, syntax=syntax, name="Müller^Jörg", slices=2).write(tmp_path)
    scan = _core.scan_files([str(tmp_path)])
    assert [scan.problem(index) for index in range(len(scan))] == [None, None]
    assert list(differences(scan)) == []


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.BIG])
@pytest.mark.parametrize(("preamble", "meta"), [(False, True), (False, False)])
def test_fields_of_files_without_preamble_or_meta_header_are_equal(
    tmp_path: Path, syntax: Syntax, preamble: bool, meta: bool
) -> None:
    MrSeries(syntax=syntax, preamble=preamble, meta=meta, slices=1).write(tmp_path)
    scan = _core.scan_files([str(tmp_path)])
    header = scan.header(0)
    assert header is not None
    assert (header.get("SeriesNumber"), header.get("Rows"), header.get("EchoTime")) == (3, 8, 30.0)
    assert list(differences(scan)) == []


NAMES = [
    ("ISO_IR 100", "Äneas^Rüdiger"),
    ("ISO_IR 101", "Wałęsa"),
    ("ISO_IR 109", "Ĥ"),
    ("ISO_IR 110", "Ā"),
    ("ISO_IR 126", "Διονυσιος"),
    ("ISO_IR 127", "قباني^لنزار"),
    ("ISO_IR 138", "שרון^דבורה"),
    ("ISO_IR 144", "Люксембург"),
    ("ISO_IR 148", "Çavuşoğlu"),
    ("ISO_IR 166", "นามสกุล"),
    ("ISO_IR 192", "Wang^XiaoDong=王^小東"),
    ("GB18030", "Wang^XiaoDong=王^小东"),
    ("GBK", "Wang^XiaoDong=王^小东"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
    (["", "ISO 2022 IR 159"], "丂^丄"),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
    (["ISO 2022 IR 100", "ISO 2022 IR 144"], "Dionysios=Люкceмбypг"),
]


@pytest.mark.parametrize(("sets", "name"), NAMES, ids=[str(sets) for sets, _ in NAMES])
def test_names_in_every_character_set_are_equal(tmp_path: Path, sets: object, name: str) -> None:
    MrSeries(name=name, slices=1, changes={"SpecificCharacterSet": sets}).write(tmp_path)
    scan = _core.scan_files([str(tmp_path)])
    header = scan.header(0)
    assert header is not None
    assert header.get("PatientName") == name
    assert list(differences(scan)) == []


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_fields_of_the_sample_data_are_equal(data: Path, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folders = sorted(data.glob(name))
    assert folders, f"no set {name} below {data}"
    extracted = tmp_path_factory.mktemp("extracted")
    for number, archive in enumerate(path for folder in folders for path in sorted(folder.glob("In.*"))):
        extract(archive, extracted / str(number))
    scan = _core.scan_files([str(folder) for folder in (*folders, extracted)])
    assert len(scan) > 0
    step = max(1, len(scan) // 400)  # pydicom is slow, and the files of a series are alike
    assert list(differences(scan, step)) == []


@pytest.mark.data
def test_the_sample_data_contains_every_field(data: Path, tmp_path: Path) -> None:
    extract(data / "dcm_qa_stc" / "In.tar.bz2", tmp_path)
    scan = _core.scan_files([str(data), str(tmp_path)])
    headers = [header for index in range(len(scan)) if (header := scan.header(index)) is not None]
    present = {field for header in headers for field, _ in header.items()}
    assert set(_core.FIELDS) - present == set(OF_RELATIVES), "fields that no available file contains"


OF_RELATIVES = ("PatientBirthName", "PatientMotherBirthName", "MedicalRecordLocator", "ResponsiblePerson")
"""Fields that anonymized data do not have."""


@pytest.mark.parametrize("syntax", [syntax for syntax in Syntax if syntax is not Syntax.RLE])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_other_ids_and_names_of_a_patient_are_read(tmp_path: Path, syntax: Syntax, count: int) -> None:
    items = [Dataset() for _ in range(count)]
    for k, item in enumerate(items):
        item.PatientID = f"OTHER {k}"
        item.TypeOfPatientID = "TEXT"
    changes: dict[str, object] = dict.fromkeys(OF_RELATIVES, "Roe^Ida")
    changes |= {"OtherPatientIDs": ["A1", "B2"], "OtherPatientNames": ["Roe^I", "Poe^I"]}
    changes["OtherPatientIDsSequence"] = items
    MrSeries(slices=1, syntax=syntax, changes=changes).write(tmp_path)
    scan = _core.scan_files([str(tmp_path)])
    header = scan.header(0)
    assert header is not None
    assert list(differences(scan)) == []
    ids = [f"OTHER {k}" for k in range(count)]
    assert header.get("OtherPatientIDsSequence") == (ids if count > 1 else ids[0] if ids else None)
    assert header.get("PatientID") == "P001"
