"""Pairs each PAR with its REC: the file with the same stem in the same folder. Upper and lower case may differ."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from qxbatch.problems import Code, Problem, Severity

_COMPRESSED = r"\.(?i:gz|bz2|bzip2|xz|lzma|lz|zst|zstd|lz4|z)"
"""Matches the extension of a compressed file. It is not part of the stem, unless the name has no other extension."""
_PAIRED_EXTENSIONS = (".par", ".rec", ".xml")
"""In lower case; an .xml may be the header of a REC."""
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
"""The `Member.row` of a PAR, and that of its REC; None without a REC."""


@dataclass(frozen=True)
class _Candidate:
    """A member that is a PAR, a REC or an .xml, with the parts of its path by which it is paired."""

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
    is_par_by_content: bool
    """Whether only its content shows that it is a PAR: its extension is another one than `.par`, or missing."""


_KEYS: tuple[Callable[[_Candidate], object], ...] = (
    lambda candidate: (candidate.folder, candidate.stem, candidate.is_upper, candidate.compression),
    lambda candidate: (candidate.folder, candidate.stem, candidate.is_upper),
    lambda candidate: (candidate.folder, candidate.stem),
    lambda candidate: (candidate.folder, candidate.stem.casefold()),
)
"""Functions whose results are equal for a PAR and its REC, in the order in which they are tried."""


def pair_rows(members: Iterable[Member]) -> tuple[list[PairedRows], list[Problem]]:
    """Pair the members of a packet; return the pairs, sorted by the path of the PAR, and problems of unpaired members.

    Of the members of one folder, those with equal stems and extensions in the same case are paired first (of these, the ones with
    equal compression before the others), then those with equal stems, then those whose stems differ only in case. So `S1.rec`
    belongs to `S1.par`, also if there is an `S1.PAR`. A PAR that is not named as one, such as `S1`, gets only a REC that belongs
    to no other PAR.

    A PAR without its REC is both a pair and a problem. If an .xml has the stem of a REC without PAR, the problem says that the
    header is XML.
    """
    candidates = [candidate for member in members if (candidate := _candidate(member)) is not None]
    candidates.sort(key=lambda candidate: candidate.path)
    pairs: list[tuple[_Candidate, _Candidate | None]] = []
    unpaired = [candidate for candidate in candidates if not candidate.is_par_by_content]
    for key in _KEYS:
        unpaired = _match(unpaired, pairs, key)
    unpaired += [candidate for candidate in candidates if candidate.is_par_by_content]
    for key in _KEYS:
        unpaired = _match(unpaired, pairs, key)
    pairs += [(candidate, None) for candidate in unpaired if candidate.role == "par"]
    pairs.sort(key=lambda pair: pair[0].path)
    xmls = {(candidate.folder, candidate.stem.casefold()) for candidate in candidates if candidate.role == "xml"}
    rows_of_pairs = [(par.row, rec.row if rec else None) for par, rec in pairs]
    return rows_of_pairs, [_unpaired_problem(candidate, xmls) for candidate in unpaired if candidate.role != "xml"]


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


def _candidate(member: Member) -> _Candidate | None:
    """Return a PAR, a REC or an .xml; None for another file."""
    _, extension = _stem_and_extension(member.name)
    role = member.kind if member.kind in {"par", "rec"} else "xml" if extension.casefold() == ".xml" else ""
    folder = member.path.removesuffix(member.name)
    if not role:
        return None
    compression = member.name.removeprefix(without_compression_extension(member.name)).casefold()
    is_par_by_content = role == "par" and extension.casefold() != ".par"
    stem = pair_stem(member.name)
    return _Candidate(member.row, member.path, folder, stem, extension.isupper(), compression, role, is_par_by_content)


def _stem_and_extension(name: str) -> tuple[str, str]:
    """Return the stem and the last extension of a file name, without the extension of its compression."""
    match = _FILE_NAME.match(name)
    return (match["stem"], match["extension"] or "") if match else (name, "")


def _match(
    candidates: list[_Candidate],
    pairs: list[tuple[_Candidate, _Candidate | None]],
    key: Callable[[_Candidate], object],
) -> list[_Candidate]:
    """Append the pairs of candidates with equal keys to `pairs`, and return the other candidates. A REC is in at most one pair."""
    recs: defaultdict[object, list[_Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.role == "rec":
            recs[key(candidate)].append(candidate)
    paired: set[int] = set()
    for candidate in candidates:
        if candidate.role == "par" and recs[key(candidate)]:
            rec = recs[key(candidate)].pop(0)
            paired |= {candidate.row, rec.row}
            pairs.append((candidate, rec))
    return [candidate for candidate in candidates if candidate.row not in paired]


def _unpaired_problem(candidate: _Candidate, xmls: set[tuple[str, str]]) -> Problem:
    is_xml = candidate.role == "rec" and (candidate.folder, candidate.stem.casefold()) in xmls
    if is_xml:
        message = "a REC file whose header is XML, which is not supported."
        hint = "Export it as PAR/REC or DICOM. Both files are kept in the session's inbox."
    else:
        lone_rec = "a REC file without its PAR header, so it cannot be read."
        message, hint = LONE_PAR if candidate.role == "par" else lone_rec, _EXPORT_BOTH
    return Problem(Code.UNPAIRED, candidate.path, message, hint, Severity.WARNING, has_remedy=not is_xml)
