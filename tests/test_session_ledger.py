"""Reading and writing of ledgers: every row is read back, and errors name the line."""

import io
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.ledger_cells import escape, member_path
from qxbatch.session.ledger import COLUMNS, Fate, Kind, LedgerRow, read_ledger, write_ledger

HASH = "0123456789abcdef" * 4
names = st.binary(min_size=1).filter(lambda name: b"\0" not in name).map(os.fsdecode)
rows = st.builds(
    LedgerRow,
    names.map(escape),
    st.integers(min_value=0),
    st.just(HASH),
    st.sampled_from([HASH, "f" * 64, ""]),
    st.sampled_from(Kind),
    st.sampled_from(Fate),
    names | st.just(""),
    st.none() | st.integers(min_value=10),
    names | st.just(""),
)
ROW = LedgerRow("a/b.dcm", 10, HASH, HASH, Kind.DICOM, Fate.SORTED, "dicom/30/b.dcm", 30)


def text_of(ledger_rows: list[LedgerRow]) -> str:
    """Return the text of a ledger with these rows."""
    file = io.StringIO()
    write_ledger(file, ledger_rows)
    return file.getvalue()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the ledger of these tests."""
    return tmp_path_factory.mktemp("ledger") / "ledger.tsv"


@given(ledger_rows=st.lists(rows))
def test_every_row_is_read_back(ledger_rows: list[LedgerRow], ledger: Path) -> None:
    ledger.write_text(text_of(ledger_rows), encoding="utf-8", newline="\n")
    assert list(read_ledger(ledger)) == ledger_rows


def test_a_member_path_with_special_characters_is_read_back(ledger: Path) -> None:
    name = "a\tb\\\udcff\n"
    ledger.write_text(text_of([LedgerRow(escape(name), 1, "", "", Kind.OTHER, Fate.KEPT, f"inbox/{name}")]))
    [row] = read_ledger(ledger)
    assert member_path(row.path) == Path(name)
    assert row.at == f"inbox/{name}"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("path\t", "file\t"), "its first line does not name the ledger's columns"),
        (lambda _: "", "its first line does not name the ledger's columns"),
        (lambda text: text[:-1], "line 3 is cut: it has no line end"),
        (lambda text: text[:-3], "line 3 has 8 of 9 columns"),
        (lambda text: text.replace("\tsorted\t", "\tlost\t"), "line 2: 'lost' is not a valid Fate"),
        (lambda text: text.replace("\tdicom\t", "\tCT\t"), "line 2: 'CT' is not a valid Kind"),
        (lambda text: text.replace("\t10\t", "\tten\t"), "line 2: invalid literal for int"),
    ],
)
def test_the_error_for_a_damaged_ledger_has_path_and_line(change, why: str, ledger: Path) -> None:
    ledger.write_text(change(text_of([ROW, ROW])))
    with pytest.raises(ValueError, match=f"{ledger}: {why}"):
        list(read_ledger(ledger))


@pytest.mark.parametrize("beginning", [text_of([ROW]), ""])
def test_a_line_without_an_end_is_not_read_whole(beginning: str, ledger: Path) -> None:
    ledger.write_text(beginning)
    os.truncate(ledger, 1 << 29)  # a sparse file
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="line 3 has .* characters or more" if beginning else "its first line"):
            list(read_ledger(ledger))
        assert tracemalloc.get_traced_memory()[1] < 1 << 28
    finally:
        tracemalloc.stop()


def test_a_line_is_not_split_into_more_cells_than_columns(ledger: Path) -> None:
    ledger.write_text(text_of([ROW]) + "\t" * (1 << 24) + "\n")
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="line 3 has 16777217 of 9 columns"):
            list(read_ledger(ledger))
        assert tracemalloc.get_traced_memory()[1] < 1 << 27
    finally:
        tracemalloc.stop()


def test_the_longest_path_that_an_import_can_write_is_read_back(ledger: Path) -> None:
    name = "\t" * (1 << 20)
    row = ROW._replace(path="!".join([escape(name)] * 5))
    ledger.write_text(text_of([row]))
    assert list(read_ledger(ledger)) == [row]


def test_the_error_for_a_ledger_that_is_not_utf_8_has_its_path(ledger: Path) -> None:
    ledger.write_bytes(text_of([ROW]).encode() + b"\xff\n")
    with pytest.raises(ValueError, match=f"{ledger}: .* can't decode byte"):
        list(read_ledger(ledger))


def test_rows_are_written_and_read_one_at_a_time(ledger: Path) -> None:
    class Counting(io.StringIO):
        lines = 0

        def write(self, text: str) -> int:
            self.lines += text.count("\n")
            return super().write(text)

    file = Counting()

    def source() -> Iterator[LedgerRow]:
        for k in range(100):
            assert file.lines == k + 1, "all rows before this one are written"
            yield ROW

    assert write_ledger(file, source()) == {"sorted": 100}
    ledger.write_text(file.getvalue() + "damaged\n")
    reading = read_ledger(ledger)
    assert [next(reading) for _ in range(100)] == [ROW] * 100


def test_columns_kinds_and_fates_are_documented() -> None:
    text = (Path(__file__).resolve().parent.parent / "docs" / "ledger.md").read_text(encoding="utf-8")
    assert [word for word in (*Kind, *Fate, *COLUMNS) if f"`{word}`" not in text] == []
