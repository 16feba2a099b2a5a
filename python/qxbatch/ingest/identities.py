"""Redaction of the identities in a reading's files."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from qxbatch.core import Reading
from qxbatch.deidentify import Redact, redaction, unchanged
from qxbatch.model import Value
from qxbatch.parrec.header import read_par


def redaction_of(reading: Reading, session_id: str, *, deidentified: bool = True) -> Redact:
    """Return a function that redacts the patients of all DICOM and PAR headers, for de-identified logs. Raises OSError."""
    if not deidentified:
        return unchanged
    return redaction(chain((group.header for group in reading.groups()), _par_headers(reading)), session_id)


def _par_headers(reading: Reading) -> Iterator[Mapping[str, Value]]:
    for index in range(len(reading)):
        if reading.row(index).kind == "par" and (staged := reading.staged(index)):
            yield read_par(Path(staged)).dicom()
