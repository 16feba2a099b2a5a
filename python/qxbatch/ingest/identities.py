"""The identities in a reading's files, and their redaction."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path

from qxbatch.core import Header, Reading
from qxbatch.deidentify import ID_FIELDS, NAME_FIELDS, NAME_LEFT_OUT, Redact, no_redaction, redaction
from qxbatch.model import Value
from qxbatch.parrec.header import read_par

_IDENTITY_FIELDS = (*ID_FIELDS, *NAME_FIELDS)


def redaction_of(reading: Reading, session_id: str, *, deidentified: bool = True) -> Redact:
    """Return a function that redacts the patients of all DICOM and PAR headers; `no_redaction` unless `deidentified`.

    Raises OSError.
    """
    if not deidentified:
        return no_redaction
    group_headers = (group.header for group in reading.groups())
    row_headers = distinct_headers(reading, range(len(reading)))
    return redaction(chain(group_headers, row_headers, _par_headers(reading)), session_id)


def distinct_headers(reading: Reading, rows: Iterable[int]) -> Iterator[Header]:
    """Yield, of the DICOM headers of some rows, the first one with each combination of ids and names.

    One file of a series can have another patient than the others.
    """
    identities: set[tuple[str, ...]] = set()
    for row in rows:
        header = reading.header(row)
        if header is None:
            continue
        identity = tuple(str(header.get(field)) for field in _IDENTITY_FIELDS)
        if identity not in identities:
            identities.add(identity)
            yield header


def _par_headers(reading: Reading) -> Iterator[Mapping[str, Value]]:
    for index in range(len(reading)):
        if reading.row(index).kind == "par" and (staged := reading.staged_path(index)):
            yield read_par(Path(staged)).dicom()


def member_path_redaction(reading: Reading, *, deidentified: bool = True) -> Redact:
    """Return a function that replaces paths in a text by NAME_LEFT_OUT; `no_redaction` unless `deidentified`.

    The paths are those of the members, and of missing files that a DICOMDIR lists.

    A packet can be refused because its headers cannot be read. Then nobody knows whether a path names the patient.
    """
    if not deidentified:
        return no_redaction

    @cache
    def paths() -> frozenset[str]:
        member_paths = (reading.row(index).path for index in range(len(reading)))
        missing_paths = (name for _, _, _, names in reading.incomplete_dicomdirs() for name in names)
        return frozenset(filter(None, chain(member_paths, missing_paths)))

    def redact(text: str) -> str:
        # a regular expression of all paths, which can be millions, would be slow
        lengths = {len(path) for path in paths()}
        substrings = (text[k : k + length] for length in lengths for k in range(len(text) - length + 1))
        occurring = sorted(paths().intersection(substrings), key=lambda path: (-len(path), path))
        return re.sub("|".join(map(re.escape, occurring)), NAME_LEFT_OUT, text) if occurring else text

    return redact
