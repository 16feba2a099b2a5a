"""PAR/REC in a reading: the files of each pair, and the series they form."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.core import Reading
from qxbatch.ingest.row_path import name_of
from qxbatch.model import Value
from qxbatch.parrec.header import read_par
from qxbatch.parrec.pairing import Member, pair_rows, without_compression_extension
from qxbatch.problems import Problem
from qxbatch.session.layout import FROM_DICOM_PREFIX

_LONGEST_NAME = 240
"""Maximum number of bytes of a file name; file systems allow 255."""
_LONGEST_EXTENSION = 8
"""Maximum number of characters of an extension that `shorten_name` keeps."""
_EXTENSIONS = ("PAR", "REC")
_SORTED_PATH = re.compile(rf"{re.escape(FROM_DICOM_PREFIX)}(\d+)")
"""The beginning of the path of a file that a previous import sorted; the group is the number n of its series."""


class Pair(NamedTuple):
    """A PAR/REC series: a PAR, and its REC if the packet has one."""

    path: str
    """Path of the PAR in the reading, as in the ledger."""
    number: int | None
    """Its series number, 100 x acquisition number + reconstruction number; None if it is not above 0."""
    header: Mapping[str, Value]
    files: tuple[tuple[int, str], ...]
    """(row, name in the series folder), with extensions in upper case."""


def find_pairs(reading: Reading, rows: Sequence[int]) -> tuple[list[Pair], list[Problem]]:
    """Return the PAR/REC series among these rows, sorted by path, and problems of files without a partner. Raises OSError."""
    members = [row for row in map(reading.row, rows) if row.kind in ("par", "rec") or is_xml(row.path)]
    pairs_of_rows, problems = pair_rows(
        [Member(row.index, row.path, name_of(row), row.kind) for row in members if reading.staged_path(row.index)]
    )
    pairs = []
    for par, rec in pairs_of_rows:
        header = read_par(Path(reading.staged_path(par)))
        files = [(par, _file_name(name_of(reading.row(par)), ".PAR"))]
        if rec is not None:
            files.append((rec, _file_name(name_of(reading.row(rec)), ".REC")))
        number = header.series_number if (header.series_number or 0) > 0 else None
        pairs.append(Pair(reading.row(par).path, number, header.dicom(), tuple(files)))
    return pairs, problems


def without_copies(reading: Reading, pairs: Sequence[Pair]) -> tuple[list[Pair], dict[int, int]]:
    """Drop pairs with the same bytes as another pair; return the others, and the row of the first copy for each dropped row."""
    first_copies: dict[tuple[str, ...], Pair] = {}
    copies: dict[int, int] = {}
    for candidate in pairs:
        first_copy = first_copies.setdefault(
            tuple(reading.row(row).content_sha256 for row, _ in candidate.files), candidate
        )
        if first_copy is not candidate:
            copies |= {
                row: first_row for (row, _), (first_row, _) in zip(candidate.files, first_copy.files, strict=True)
            }
    return list(first_copies.values()), copies


def path_sort_key(path: str) -> str:
    """Return the sort key for PAR/REC of one number: the path.

    If a previous import sorted the file into `dicom/<n>` of the session, n is padded with zeros: 20 comes before 100.
    """
    match = _SORTED_PATH.match(path)
    return f"{FROM_DICOM_PREFIX}{int(match[1]):012d}{path[match.end() :]}" if match else path


def is_xml(path: str) -> bool:
    """Return whether a member may be the XML header of a REC."""
    return path.lower().endswith(".xml")


def _file_name(name: str, extension: str) -> str:
    """Return the file name of a PAR or REC with its extension replaced by this one, and without that of a compression.

    Any extension other than PAR and REC remains: `S1.2` becomes `S1.2.PAR`.
    """
    name = without_compression_extension(name)
    stem, _, last_extension = name.rpartition(".")
    return f"{(stem if last_extension.upper() in _EXTENSIONS else name) or 'scan'}{extension}"


def shorten_name(name: str) -> str:
    """Return a file name of at most 240 bytes in UTF-8, with its extension. The names of a pair keep equal stems."""
    if len(name.encode("utf-8", "replace")) <= _LONGEST_NAME:
        return name
    stem, _, extension = name.rpartition(".")
    ending = f".{extension}" if stem and len(extension) <= _LONGEST_EXTENSION else ""
    return f"{name.encode('utf-8', 'replace')[: _LONGEST_NAME - len(ending)].decode(errors='ignore')}{ending}"
