"""Reading protocol.toml; each error names the file, and errors in its text the line too."""

import os
import re
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.acquisition import ImageKind
from qxbatch.problems import UsageError
from qxbatch.protocol.file import read_protocol
from qxbatch.protocol.lines import lines_of_keys
from qxbatch.protocol.model import Protocol, matches_scanner
from qxbatch.protocol.scanned import scanner_name
from qxbatch.protocol.toml_file import MAX_FILE_BYTES
from qxbatch.protocol.values import CountRange
from tests.build.study import run_main

GOOD = """\
# comment = [
[scanners]
"Siemens Prisma" = ["syngo MR E11"]
"Siemens Skyra" = []
[[series]]
name = "rest*"          # any run
kinds = ["magnitude"]
count = "1-2"
volumes = 300
tr_ms = "2000 ± 1"
te_ms = [
  "13 ± 0.1",  # name = "no key"
  31,
]
[series.scanner."Siemens Skyra"]
tr_ms = 2500

[[series]]
name = 'dwi'
b_values = { 0 = 7, 1000 = 64 }
"""


def read(tmp_path: Path, text: str | bytes) -> Protocol:
    """Return the protocol read from a file with this content."""
    path = tmp_path / "protocol.toml"
    path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    return read_protocol(path)


def refused(tmp_path: Path, text: str | bytes) -> str:
    """Return the message and the hint for a refused protocol, without its folder."""
    with pytest.raises(UsageError) as error:
        read(tmp_path, text)
    assert error.value.status == 64
    return f"{error.value.message} {error.value.hint}".replace(f"{tmp_path}/", "")


def test_a_protocol_is_read(tmp_path: Path) -> None:
    protocol = read(tmp_path, GOOD)
    rest, dwi = protocol.series
    assert protocol.path == tmp_path / "protocol.toml"
    assert protocol.scanners == {"Siemens Prisma": ("syngo MR E11",), "Siemens Skyra": ()}
    assert (rest.name, rest.kinds, rest.count) == ("rest*", frozenset({ImageKind.MAGNITUDE}), CountRange(1, 2))
    assert rest.parameters_on("Siemens Prisma").values["tr_ms"].text == "2000 ± 1"
    assert rest.parameters_on("SIEMENS MAGNETOM Skyra").values["tr_ms"].text == "2500 ± 1"
    assert rest.parameters_on("Siemens Skyra").values["te_ms"].text == "13 ± 0.1, 31 ± 0.1"
    assert rest.parameters_on("Siemens Skyra").volumes == CountRange(300, 300)
    assert (dwi.kinds, dwi.count.text) == (None, "1")


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_crlf_line_ends_are_read(tmp_path: Path, start: bytes, end: bytes) -> None:
    assert len(read(tmp_path, start + GOOD.encode().replace(b"\n", end)).series) == 2
    broken = start + GOOD.replace("2500", '"x"').encode().replace(b"\n", end)
    assert refused(tmp_path, broken).startswith("protocol.toml:16: ")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("count =", "counts =", 8, ["'counts' is not known", "Did you mean count?"]),
        ("volumes = 300", "volumes = 0", 9, ["volumes = 0 cannot be read", "a number from 1", "1-2"]),
        ("2000 ± 1", "2000 ± one", 10, ["tr_ms = '2000 ± one' cannot be read", "30 ± 1"]),
        ("  31,", '  "x",', 11, ["te_ms"]),
        ("tr_ms = 2500", "tr = 2500", 16, ["'tr' is not known", "tr_ms"]),
        ("tr_ms = 2500", "count = 2", 16, ["'count' is not known"]),
        ('"2000 ± 1"', "2000 ± 1", 10, ["not TOML", 'tr_ms = "2000 ± 1"']),
        (
            '"Siemens Skyra"]',
            '"Siemens Skira"]',
            15,
            ["'Siemens Skira' is not in [scanners]", "Did you mean Siemens Skyra?"],
        ),
        ("count =", 'scanners = ["Prysma"]\ncount =', 8, ["'Prysma' is not in [scanners]"]),
        ("tr_ms = 2500", "matrix = [64, 64]", 16, ["a list of 3 numbers"]),
        ("tr_ms = 2500", 'phase_encoding_direction = "AP"', 16, ["one of i, i-, j, j-, k, k-"]),
        ("name = 'dwi'", "names = 'dwi'", 19, ["names", "Did you mean name?"]),
        ("name = 'dwi'", "name = ' '", 19, ["needs a name"]),
        ("name = 'dwi'", "", 18, ["needs a name"]),
        ("b_values = { 0 = 7", "b_values = { low = 7", 20, ["b_values", "{ 0 = 7, 1000 = 64 }"]),
        ('["magnitude"]', '["magnitud"]', 7, ["'magnitud' is not a kind of image", "magnitude"]),
        ('["magnitude"]', '"magnitude"', 7, ["a list of texts"]),
        ("[scanners]", "[scanner]", 2, ["'scanner' is not known", "Did you mean scanners?"]),
        ('["syngo MR E11"]', '"syngo MR E11"', 3, ['a list of texts, such as ["syngo MR E11"]']),
        ("count =", 'scanners = "Siemens Prisma"\ncount =', 8, ['a list of texts, such as ["Siemens Prisma"]']),
        ("name = 'dwi'", "name = 'dwi'\n[Ab]\n[Ab]", 21, ["('Ab',) twice", "Leave one of them out."]),
        ('[series.scanner."Siemens Skyra"]', "[series.scaner.x]", 15, ["'scaner' is not known"]),
        ("name = 'dwi'", 'name = "REST*"\nkinds = ["magnitude"]', 18, ["is already defined in line 5"]),
        ("count =", "count", 8, ["not TOML", "expected '='"]),
        ("name = 'dwi'", "name = 'dwi", 19, ["not TOML"]),
        ("name = 'dwi'", "name = 'dwi'\nname = 'dwi'", 20, ["not TOML", "exists twice"]),
    ],
)
def test_an_error_names_its_line(tmp_path: Path, old: str, new: str, line: int, words: list[str]) -> None:
    assert old in GOOD
    message = refused(tmp_path, GOOD.replace(old, new, 1))
    assert message.startswith(f"protocol.toml:{line}: ")
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "protocol.toml:1: there is no series"),
        ("[[series]", "protocol.toml:1: this is not TOML"),
        ("[[series]]\nname = [", "protocol.toml:2: this is not TOML"),
        ('series = "x"', "protocol.toml:1: series is not a list"),
        ("[series]\nname = 'x'", "protocol.toml:1: series is not a list"),
        ("\nscanners = 3\n[[series]]\nname='x'", "protocol.toml:2: scanners is not a table"),
        ("[[series]]\nname='x'\nscanner = 3", "protocol.toml:3: scanner is not a table"),
        (b"[[series]]\nname = 'x'\n# \xe9\n", "protocol.toml:3: this is not UTF-8"),
        ("[[series]]\nname = 'x'\ntr_ms = " + "9" * 5000, "protocol.toml:"),
        ("[[series]]\nname = 'x'\ntr_ms = " + "[" * 100_000, "protocol.toml:"),
        ("#" * (MAX_FILE_BYTES + 1), "protocol.toml: has more than"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused(tmp_path: Path, text: str | bytes, start: str) -> None:
    assert refused(tmp_path, text).startswith(start)


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000, "-" + "1_" * 4500 + "1"])
@pytest.mark.parametrize("value", ["{}", "[2000, {}]", "{{ 0 = {} }}"])
def test_a_number_that_python_does_not_print_is_refused(tmp_path: Path, number: str, value: str) -> None:
    text = f'[[series]]\nname = "dwi"\nb_values = {value.format(number)}\n'
    assert refused(tmp_path, text) == "protocol.toml:3: a number is too large. Write a smaller one."


def test_a_path_that_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name, reason in [
        ("fifo", "is not a regular file"),
        ("folder", "is a directory"),
        ("missing", "no such file"),
        ("link", "no such file"),
    ]:
        with pytest.raises(UsageError, match=reason) as error:
            read_protocol(tmp_path / name)
        assert str(tmp_path / name) in error.value.message


def test_commands_report_the_line_of_a_wrong_protocol(tmp_path: Path) -> None:
    path = tmp_path / "protocol.toml"
    path.write_text("[[series]]\nname = 'x'\ncolour = 'red'\n")
    (tmp_path / "inbox" / "MR").mkdir(parents=True)
    for words in (["protocol", "check", str(tmp_path), f"--protocol={path}"], [str(tmp_path), f"--protocol={path}"]):
        run = run_main(*words)
        assert run.status == 64
        assert f"{path}:3: the key 'colour' is not known." in run.err
        assert "Traceback" not in run.text


@given(st.integers(0, len(GOOD)), st.integers(0, 30), st.text(st.sampled_from("[]{}=\"'#.,\n 01ax±-*\\"), max_size=6))
def test_a_damaged_file_is_read_or_refused_with_a_message(start: int, length: int, new: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "p.toml"
        path.write_text(GOOD[:start] + new + GOOD[start + length :], encoding="utf-8")
        message = f"{path}:0: read"
        try:
            read_protocol(path)
        except UsageError as error:
            message = error.message
        assert re.match(rf"{re.escape(str(path))}:\d+: ", message)


KEYS = st.sampled_from(["a", '"b.c"', "'d # e'", "f.g", '"h = [\\""'])
VALUES = st.sampled_from(
    ["1", '"x # y"', "'''\n[a]\nb = 1'''", '"""\n\\"""\n"""', "[\n 1, # [\n 2 ]", "{ z = 1 }", "[[1]]"]
)


@given(st.lists(st.tuples(KEYS, VALUES, st.sampled_from(["", " # [x]", "\n\n# y = 1"])), min_size=1, max_size=8))
def test_every_key_has_its_line(statements: list[tuple[str, str, str]]) -> None:
    text, expected = "", []
    for key, value, end in statements:
        text += "[[t]]\n"
        expected.append(text.count("\n") + 1)
        text += f"{key} = {value}{end}\n"
    lines = lines_of_keys(text)
    numbers = [max(lines[key] for key in lines if key[:2] == ("t", k)) for k in range(len(statements))]
    assert numbers == expected


def test_the_line_of_a_key_after_a_long_array_and_indented_statements() -> None:
    text = "\n  a = [\n" + "1, # x\n" * 3000 + "]\n\n\t[b]\n  c = 1  \n\n"
    lines = lines_of_keys(text)
    assert (lines["a",], lines["b",], lines["b", "c"]) == (2, 3005, 3006)


def test_a_scanner_can_be_named_by_its_model_alone() -> None:
    assert matches_scanner("prisma", "Siemens Prisma")
    assert not matches_scanner("", "Siemens")
    assert not matches_scanner("Elition X", "Philips Ingenia Elition X"), "this maker has one word"
    assert not matches_scanner("Siemens", "Siemens Prisma")


@pytest.mark.parametrize("maker", ["Bruker BioSpin MRI GmbH", "Hitachi, Ltd.", "Esaote", "SIEMENS", "UIH", ""])
def test_a_scanner_of_any_maker_is_found_by_its_model(maker: str) -> None:
    scanner = scanner_name(maker, "Biospec 70/20")
    assert matches_scanner("Biospec 70/20", scanner)
    assert matches_scanner(f"{maker} BioSpec 70/20", scanner)
    assert not matches_scanner("Biospec 94/20", scanner)
    assert not matches_scanner(maker, scanner)
