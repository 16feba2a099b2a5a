"""Pairs each PAR with its REC: the file with the same stem in the same folder. Upper and lower case may differ."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from qxbatch.problems import Code, Problem, Severity

_COMPRESSED = r"\.(?i:gz|bz2|bzip2|xz|lzma|lz|zst|zstd|lz4|z)"
"""Extensions of compressed files. They do not count when names are compared."""
_PAIRED_EXTENSIONS = (".par", ".rec", ".xml")
_FILE_NAME = re.compile(rf"^(?P<stem>.*?)(?P<extension>\.[^.]*)?(?:{_COMPRESSED})?$", re.DOTALL)

LONE_PAR = "a PAR header without its REC file, so there is no image."
"""The message about a PAR without its REC."""
_EXPORT_BOTH = "Export both files together, put the complete packet into the inbox, and import it with --overwrite=yes."


class Member(NamedTuple):
    """A member of a packet, or a file on disk."""

    row: int
    """A number by which the caller knows it, such as its index in a reading; `pair_rows` returns it."""
    path: str
    """Its path in the ledger or on disk."""
    name: str
    """Its file name, at the end of the path."""
    kind: str
    """Its kind as in the ledger, such as `par`."""


PairedRows = tuple[int, int | None]
"""The `row` that was passed to `pair_rows` for a PAR, and that for its REC; None without a REC."""


@dataclass(frozen=True)
class _Candidate:
    """A PAR, a REC or an .xml, with the parts of its path."""

    row: int
    path: str
    folder: str
    stem: str
    is_upper: bool
    """Whether its extension is in upper case."""
    compression: str
    """The extension of its compression in lower case; empty if there is none."""
    role: str
    """`par`, `rec` or `xml`."""
    is_unnamed_par: bool
    """Whether it is a PAR with another extension than `.par`, or none."""


_KEYS: tuple[Callable[[_Candidate], object], ...] = (
    lambda member: (member.folder, member.stem, member.is_upper, member.compression),
    lambda member: (member.folder, member.stem, member.is_upper),
    lambda member: (member.folder, member.stem),
    lambda member: (member.folder, member.stem.casefold()),
)
"""What is equal for a PAR and its REC, in the order in which they are paired."""


def pair_rows(files: Iterable[Member]) -> tuple[list[PairedRows], list[Problem]]:
    """Pair the files of a packet; return the pairs, sorted by the path of the PAR, and problems of unpaired files.

    Of the members of one folder, those with equal stems and extensions in the same case are paired first (compressed ones with
    compressed ones), then those with equal stems, then those whose stems differ only in case. So `S1.rec` belongs to `S1.par`, also
    if there is an `S1.PAR`. A PAR that is not named as one, such as `S1`, gets only a REC that belongs to no other PAR.

    A PAR without its REC is both a pair and a problem. If an .xml has the stem of a REC without PAR, the problem says that the
    header is XML.
    """
    members = [member for file in files if (member := _candidate(file)) is not None]
    members.sort(key=lambda member: member.path)
    pairs: list[tuple[_Candidate, _Candidate | None]] = []
    unpaired = [member for member in members if not member.is_unnamed_par]
    for key in _KEYS:
        unpaired = _match(unpaired, pairs, key)
    unpaired += [member for member in members if member.is_unnamed_par]
    for key in _KEYS:
        unpaired = _match(unpaired, pairs, key)
    pairs += [(member, None) for member in unpaired if member.role == "par"]
    pairs.sort(key=lambda members: members[0].path)
    xmls = {(member.folder, member.stem.casefold()) for member in members if member.role == "xml"}
    rows_of_pairs = [(par.row, rec.row if rec else None) for par, rec in pairs]
    return rows_of_pairs, [_unpaired_problem(member, xmls) for member in unpaired if member.role != "xml"]


def pair_stem(name: str) -> str:
    """Return the stem by which a PAR, a REC or an .xml is paired. A PAR with another extension keeps that extension.

    >>> pair_stem("S1.PAR"), pair_stem("S1.2"), pair_stem("S1.2.REC")
    ('S1', 'S1.2', 'S1.2')
    """
    stem, extension = _stem_and_extension(name)
    return stem if extension.casefold() in _PAIRED_EXTENSIONS else stem + extension


def has_paired_extension(name: str) -> bool:
    """Return whether a file is named as a PAR, a REC or an .xml, perhaps a compressed one.

    >>> has_paired_extension("S1.rec.gz"), has_paired_extension("S1.gz")
    (True, False)
    """
    return _stem_and_extension(name)[1].casefold() in _PAIRED_EXTENSIONS


def without_compression_extension(name: str) -> str:
    """Return a file name without the extension of its compression.

    >>> without_compression_extension("scan.PAR.xz"), without_compression_extension("scan.PAR")
    ('scan.PAR', 'scan.PAR')
    """
    return re.sub(rf"(?<=.){_COMPRESSED}$", "", name, flags=re.DOTALL)


def _candidate(file: Member) -> _Candidate | None:
    """Return a PAR, a REC or an .xml; None for other files."""
    _, extension = _stem_and_extension(file.name)
    role = file.kind if file.kind in {"par", "rec"} else "xml" if extension.casefold() == ".xml" else ""
    folder = file.path.removesuffix(file.name)
    if not role:
        return None
    compression = file.name.removeprefix(without_compression_extension(file.name)).casefold()
    is_unnamed_par = role == "par" and extension.casefold() != ".par"
    stem = pair_stem(file.name)
    return _Candidate(file.row, file.path, folder, stem, extension.isupper(), compression, role, is_unnamed_par)


def _stem_and_extension(name: str) -> tuple[str, str]:
    """Return the stem and the last extension of a file name, without the extension of its compression."""
    match = _FILE_NAME.match(name)
    return (match["stem"], match["extension"] or "") if match else (name, "")


def _match(
    members: list[_Candidate],
    pairs: list[tuple[_Candidate, _Candidate | None]],
    key: Callable[[_Candidate], object],
) -> list[_Candidate]:
    """Append the pairs of members with equal keys to `pairs`, and return the other members. Each REC is in one pair at most."""
    recs: defaultdict[object, list[_Candidate]] = defaultdict(list)
    for member in members:
        if member.role == "rec":
            recs[key(member)].append(member)
    paired: set[int] = set()
    for member in members:
        if member.role == "par" and recs[key(member)]:
            rec = recs[key(member)].pop(0)
            paired |= {member.row, rec.row}
            pairs.append((member, rec))
    return [member for member in members if member.row not in paired]


def _unpaired_problem(member: _Candidate, xmls: set[tuple[str, str]]) -> Problem:
    is_xml = member.role == "rec" and (member.folder, member.stem.casefold()) in xmls
    if is_xml:
        message = "a REC file whose header is XML, which is not supported."
        hint = "Export it as PAR/REC or DICOM. Both files are kept in the session's inbox."
    else:
        lone_rec = "a REC file without its PAR header, so it cannot be read."
        message, hint = LONE_PAR if member.role == "par" else lone_rec, _EXPORT_BOTH
    return Problem(Code.UNPAIRED, member.path, message, hint, Severity.WARNING, has_remedy=not is_xml)
