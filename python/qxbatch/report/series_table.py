"""Series as a table for people, as tab-separated values, and as JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import Protocol

from qxbatch.model import Value
from qxbatch.visible import one_line
from qxbatch.wrapping import table, text_width, wrapped

FIELDS = (
    "Modality",
    "SeriesDescription",
    "ProtocolName",
    "ImageType",
    "RepetitionTime",
    "EchoTime",
    "Manufacturer",
    "ManufacturerModelName",
    "TransferSyntaxUID",
    "PatientID",
)
"""Of the header of each series, by their DICOM keywords."""
COLUMNS = ("source", "kind", "number", "files", "bytes", "started", *FIELDS, "StudyInstanceUID", "SeriesInstanceUID")


FLEXIBLE = 2
"""The last columns of the table for people, description and patient, are wrapped where the terminal is narrow."""


class Fields(Protocol):
    """Header fields by their DICOM keywords."""

    def get(self, field: str, /) -> Value: ...


class Listed(Protocol):
    """A series, of DICOM or PAR/REC."""

    @property
    def number(self) -> int | None: ...
    @property
    def study(self) -> str: ...
    @property
    def series_uid(self) -> str: ...
    @property
    def patient(self) -> str: ...
    @property
    def files(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def started(self) -> str: ...
    @property
    def header(self) -> Fields: ...


def kind_of(series: Listed) -> str:
    """DICOM, unless the series says that it is something else."""
    return str(getattr(series, "kind", "DICOM"))


class Found(Protocol):
    """The series of one source."""

    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def files(self) -> int: ...
    @property
    def series(self) -> Sequence[Listed]: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


def in_order(series: Iterable[Listed]) -> list[Listed]:
    """Sort by patient, study (by its first series), number, time; those without a number come last in their study."""
    groups = list(series)
    begun: dict[str, str] = {}
    for each in groups:
        begun[each.study] = min(begun.get(each.study, each.started), each.started)

    def place(each: Listed) -> tuple[str, str, str, bool, int, str, str]:
        numbered = (each.number is None, each.number or 0, each.started, each.series_uid)
        return (each.patient, begun[each.study], each.study, *numbered)

    return sorted(groups, key=place)


def _record(source: str, group: Listed) -> dict[str, object]:
    """One series by the names of COLUMNS."""
    header = {field: group.header.get(field) for field in FIELDS}
    own = {
        "source": source,
        "kind": kind_of(group),
        "number": group.number,
        "files": group.files,
        "bytes": group.size,
        "started": group.started,
    }
    return {**own, **header, "StudyInstanceUID": group.study, "SeriesInstanceUID": group.series_uid}


def as_json(found: Sequence[Found]) -> str:
    """Return one object with all sources, their series and problems."""
    sources = [
        {
            "path": one_line(each.path),
            "kind": each.kind,
            "files": each.files,
            "dicom": sum(group.files for group in each.series if kind_of(group) == "DICOM"),
            "series": [_record(one_line(each.path), group) for group in in_order(each.series)],
            "problems": [one_line(problem) for problem in each.problems],
        }
        for each in found
    ]
    return json.dumps({"sources": sources}, indent=1, ensure_ascii=False) + "\n"


def as_tsv(found: Sequence[Found]) -> str:
    """Return a row for each series under a row of names; an absent value is empty."""
    lines = ["\t".join(COLUMNS)]
    for each in found:
        for group in in_order(each.series):
            record = _record(each.path, group)
            lines.append("\t".join(_text(record[column]) for column in COLUMNS))
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    if value is None:
        return ""
    return one_line("\\".join(map(str, value)) if isinstance(value, list) else str(value))


def as_table(found: Sequence[Found]) -> str:
    """Return a table for each source, its counts, and what is wrong with it."""
    return "\n".join(_source(each) for each in found)


def _source(found: Found) -> str:
    series = in_order(found.series)
    files = sum(group.files for group in series)
    width = text_width()
    head = f"{one_line(found.path)} ({found.kind}): {len(series)} series, {files} of {found.files} files"
    rows: list[tuple[str, ...]] = [("number", "files", "size", "started", "modality", "description", "patient")]
    rows += [_row(group) for group in series]
    problems = [
        line for problem in found.problems for line in wrapped(f"problem: {one_line(problem)}", width, "  ", "      ")
    ]
    lines = table(rows, width, FLEXIBLE) if series else []
    return "\n".join([*wrapped(head, width, "", "    "), *lines, *problems]) + "\n"


def _row(group: Listed) -> tuple[str, ...]:
    header = group.header
    description = header.get("SeriesDescription") or header.get("ProtocolName")
    number = "-" if group.number is None else str(group.number)
    size = f"{group.size / (1 << 20):.1f} MB"
    modality = header.get("Modality") if kind_of(group) == "DICOM" else kind_of(group)
    cells = (modality, description, header.get("PatientID"))
    return (number, str(group.files), size, _time(group.started), *(_text(cell) for cell in cells))


def _time(started: str) -> str:
    """YYYYMMDDHHMMSS as people write it, as far as it is given."""
    day, clock = started[:8], started[8:14]
    shown = f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == len("YYYYMMDD") else day
    return f"{shown} {clock[:2]}:{clock[2:4]}" if len(clock) >= len("HHMM") else shown
