"""The Python parsers as fuzz targets: the exceptions that each may raise, and invariants of the results."""

import atexit
import csv
import io
import math
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qxbatch.parrec import parse_par
from qxbatch.problems import UsageError
from qxbatch.resolve.logfile import read_logfile
from qxbatch.settings.config import read_config
from qxbatch.settings.logfile import logfile_spec
from qxbatch.settings.model import LogfileSpec
from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.parse import parse
from tests.build.parrec import ParRec


@dataclass(frozen=True)
class Target:
    """A parser with seed inputs and words of its format."""

    body: Callable[[bytes], None]
    """Runs the parser on an input; raises AssertionError, or an exception that the parser must not raise."""
    seeds: Sequence[bytes]
    words: Sequence[bytes]


def par(data: bytes) -> None:
    """Check that any bytes give a header, and that only columns without numbers raise an error."""
    header = parse_par(data)
    for line in header.lines:
        assert line == line.strip()
    for key, value in header.dicom().items():
        assert value not in (None, "", []), key
        for number in value if isinstance(value, list) else [value]:
            assert not isinstance(number, float) or math.isfinite(number), key
            assert not isinstance(number, int) or abs(number) < 1 << 63, key
    series = header.series_number
    assert series is None or abs(series) < 1 << 63
    for column in header.columns:
        try:
            values = header.column(column.name)
        except ValueError as error:
            assert str(error).startswith("image line "), error  # noqa: PT017
            continue
        assert len(values) == len(header.lines)
    # A text written from the parsed values gives the same values.
    general = "".join(f". {key} : {value}\n" for key, value in header.general_values.items())
    again = parse_par((general + "\n".join(header.lines)).encode())
    if is_plain(general) and all(is_plain(line) for line in header.lines):
        assert dict(again.general_values) == dict(header.general_values)
        assert again.lines == header.lines


def is_plain(text: str) -> bool:
    """Return whether a text contains no characters with a meaning in the format, so that it is read back unchanged."""
    return re.search(r"[\x00:\[\]()<>?_\ufeff]|^[#.]", text.replace(" : ", ""), re.MULTILINE) is None


_FOLDER: list[Path] = []


def run_folder() -> Path:
    """Return a folder for this run, in memory if possible; it is removed when the process ends."""
    if not _FOLDER:
        memory = Path("/dev/shm")
        _FOLDER.append(Path(tempfile.mkdtemp(prefix="qx-fuzz-", dir=memory if memory.is_dir() else None)))
        atexit.register(shutil.rmtree, _FOLDER[0], ignore_errors=True)
    return _FOLDER[0]


def logfile(data: bytes) -> None:
    """Check a logfile: the first line is the value of --logfile after `path:`, the rest is the table."""
    option, _, table = data.partition(b"\n")
    columns = option.decode("utf-8", "surrogateescape")
    name = "table.csv" if len(data) % 2 else "table.txt"
    path = run_folder() / name
    path.write_bytes(table)
    try:
        spec = logfile_spec(f"path:{path}|{columns}")
        assert spec == LogfileSpec(path, spec.packet_name, spec.subject_id, spec.session_name)
        log = read_logfile(spec)
    except UsageError:
        return
    for packet, entry in log.items():
        assert packet == packet.strip() != ""
        if entry.session_id:
            assert entry.subject in entry.session_id.id
    again = "".join(csv_row([packet, entry.subject, entry.session]) for packet, entry in log.items())
    if again.startswith('"sep='):
        return
    (run_folder() / "again.csv").write_text(again, encoding="utf-8-sig", newline="")
    session = None if spec.session_name is None else 3
    if log and "," in again:
        assert read_logfile(LogfileSpec(run_folder() / "again.csv", 1, 2, session)) == log


def csv_row(cells: list[str]) -> str:
    """Return a CSV row with all cells quoted."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow(cells)
    return out.getvalue()


def config(data: bytes) -> None:
    """Check that any config file gives texts of known parameters that become settings, or raises UsageError."""
    path = run_folder() / "config.toml"
    path.write_bytes(data)
    try:
        given = read_config(str(path))
        assert set(given) <= {parameter.name for parameter in PARAMETERS}
        assert all(type(value) is str for value in given.values())
        with warnings.catch_warnings():
            # Python warns that the meaning of some regular expressions may change.
            warnings.simplefilter("ignore", FutureWarning)
            parse({"sessionsfolder": str(run_folder()), **given})
    except UsageError:
        return


PARS = [
    ParRec().par().encode("latin-1"),
    ParRec(slices=2, volumes=2, newline="\n", patient="Müller^Jörg").par().encode(),
    re.sub(r"(?m)^#  .*\r?\n", "", ParRec(slices=1).par()).encode(),
    ParRec(slices=1).par().replace("V4.2", "V3").encode(),
]
LOGS = [
    b"packet_name:1|subject_id:2|session_name:3\np1,s1,a\np2,s2,\n",
    b'packet_name:packet|subject_id:subject\npacket;subject\np1;s1\n"p;2";"s""2"\n',
    b"packetname:1|subjectid:2|sessionid:3\nsep=;\np1;s1;v1\n\np2;s2;v2\n",
    b"packet_name:1|subject_id:2|\n" + "p1\tä\np2\tö\n".encode("utf-16"),
    "packet_name:1|subject_id:2\n\ufeffp1\tübung\r\np2\ts2\r\n".encode(),
    b"subject_id:2|packet_name:1\np1\ts\xe4\np1\ts\xe4\n",
]
CONFIGS = [
    b"archive = 'copy'\nn-procs = 2\ngzip = 'all'\nlogfile = 'path:/x|packet_name:1|subject_id:2'\n",
    b"sessions = ['a.*', 'b']\noverwrite = true\ntimeout = 3.5\n",
    '\ufeff"deidentify-logs" = false\nsessions = "a,b"\n# words\n'.encode(),
    b"sessions = [[1], 2]\n[table]\nx = 1\n",
    b'archive = """\ncopy"""\nmax_nesting = 0x10\nmax-expansion = 1_000\nday = 1979-05-27T07:32:00Z\n',
]
NAMES = [parameter.name.encode() for parameter in PARAMETERS]
TARGETS = {
    "par": Target(
        par,
        PARS,
        [
            b"#", b".", b":", b"\n", b"\r\n", b"image export tool V4.2", b"(2*integer)", b"(float)", b"recon resolution",
            b".    Acquisition nr : 1\n", b".    Reconstruction nr : 1\n", b".    Examination date/time : 2024.01.15 / 10:15:00\n",
            b".    Repetition time [ms] : 2000 3000\n", b"#  echo_time (float)\n", b".    Scan resolution (x, y) : 6 8\n",
            b".    recon resolution (x, y) : 6 8\n", "١٢".encode(), b"\x00", b"\xef\xbb\xbf", b"\x85", b" ",
        ],
    ),
    "logfile": Target(
        logfile,
        LOGS,
        [
            b",", b";", b"\t", b'"', b"\r", b"\n", b"|", b":", b"sep=", b"sep=\"\n", b"sep=\n", b"packet_name:1|subject_id:2\n",
            b"p1", "²".encode(), "٣".encode(), b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00", b"\x0b", b"\x85",
            "\u2028".encode(), b"~", b"..", b"0",
        ],
    ),
    "config": Target(
        config,
        CONFIGS,
        [
            b"=", b"[", b"]", b"{", b"}", b"'", b'"', b"'''", b"\\u0000", b"\\U0010ffff", b"\n", b"a.b = 1", b"x", b"true", b"inf",
            b"nan", b"1979-05-27", b"07:32:00", b"~nobody/x", b"\x00", *NAMES, *[name + b" = 1\n" for name in NAMES],
            *[name + b" = ''\n" for name in NAMES], b"(?P<", b"(a+)+", b"[a", b"%", b"{a=1}", b"yes", b"no", b"0", b"-1",
        ],
    ),
}  # fmt: skip
