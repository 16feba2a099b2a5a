"""Short fuzzing of the Python parsers, and the cases that long fuzzing found."""

from pathlib import Path

import pytest

from qxbatch.parrec import parse_par
from qxbatch.problems import UsageError
from qxbatch.resolve.logfile import read_logfile
from qxbatch.settings.config import read_config
from qxbatch.settings.logfile import logfile_spec
from qxbatch.settings.model import LogfileSpec
from tests.fuzz.corpus import TARGETS as CORPORA
from tests.fuzz.run import Find, fuzz
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).resolve().parent.parent / "rust" / "fuzz" / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_inputs_break_no_invariant(name: str) -> None:
    result = fuzz(TARGETS[name], executions=1500)
    assert (result.executions, result.finds) == (1500, [])


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_accepted(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].body(seed)


def test_a_broken_invariant_is_found_and_its_input_minimised() -> None:
    def body(data: bytes) -> None:
        assert b"\xff" not in data

    target = type(TARGETS["par"])(body, [b"0123456789" * 9], [b"ab\xffcd"])
    [find] = fuzz(target, executions=200).finds
    assert find == Find(b"\xff", find.what)
    assert find.what.startswith("AssertionError in body")


@pytest.mark.parametrize("target", CORPORA)
def test_the_corpus_equals_the_output_of_the_builders(target: str) -> None:
    assert {path.stem for path in (CORPUS / target).iterdir()} == set(CORPORA[target]())


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*.bin")) < 300_000


@pytest.mark.parametrize("sides", ["nan 8", "6 inf", "1e30 8", "-6 8"])
def test_impossible_image_sizes_are_omitted(sides: str) -> None:
    assert {"Rows", "Columns"}.isdisjoint(parse_par(f".  Recon resolution (x, y) : {sides}\n".encode()).dicom())


def test_numbers_that_are_too_large_are_omitted() -> None:
    header = parse_par(b". Repetition time [ms] : " + b"9" * 400 + b"\n. Acquisition nr : 1e30\n").dicom()
    assert {"RepetitionTime", "SeriesNumber", "AcquisitionNumber"}.isdisjoint(header)


def test_a_column_definition_with_a_huge_count_is_ignored() -> None:
    assert parse_par(b"# a (" + b"9" * 5000 + b"*float)\n# b (2*float)\n1 2\n").column("b") == [(1.0, 2.0)]


def test_null_bytes_in_a_par_file_count_as_spaces() -> None:
    assert parse_par(b"\x00 1 2\x00\n\x00.  Technique : FEEPI\x00\n").lines == ("1 2",)


@pytest.mark.parametrize(
    "text", ["n_procs = 0x" + "f" * 4500, "sessions = [0x" + "f" * 4500 + "]", "a = " + "[" * 5000]
)
def test_an_oversized_config_value_is_a_usage_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"too (large|deeply)"):
        read_config(str(path))


def test_quoted_multiline_cells_do_not_decide_the_separator(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('"a\n;;;b",subject\n"p;\x0b1","s1"\n', encoding="utf-8")
    assert [(name, row.subject) for name, row in read_logfile(LogfileSpec(path, 1, "subject", None)).items()] == [
        ("p;\x0b1", "s1")
    ]


def test_a_column_number_of_thousands_of_digits_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="column subject_id:999999999 is not known"):
        logfile_spec("path:/x|packet_name:1|subject_id:" + "9" * 5000)
