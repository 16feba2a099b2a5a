"""Series as a table for people, as tab-separated values, and as JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import Protocol

from qxbatch.counted import counted
from qxbatch.model import HeaderLike
from qxbatch.os_error import size_text
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
"""Header fields of each series, by their DICOM keywords."""
COLUMNS = ("source", "kind", "number", "files", "bytes", "started", *FIELDS, "StudyInstanceUID", "SeriesInstanceUID")
"""Columns of the tab-separated values, and keys of a series in JSON."""
WRAPPED_COLUMNS = 2
"""How many columns at the end of the table (description and patient) are wrapped on a narrow terminal."""


class AnySeries(Protocol):
    """A series, of DICOM or PAR/REC. `number` is its SeriesNumber, `size` is in bytes, `files` is the number of its files.

    `start_time` is YYYYMMDDHHMMSS, or the part of it that is known. `folded_patient_id` is its PatientID in lower case.
    """

    @property
    def number(self) -> int | None: ...
    @property
    def study_uid(self) -> str: ...
    @property
    def series_uid(self) -> str: ...
    @property
    def folded_patient_id(self) -> str: ...
    @property
    def files(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def start_time(self) -> str: ...
    @property
    def header(self) -> HeaderLike: ...


def series_kind(series: AnySeries) -> str:
    """Return `DICOM`, or the `kind` of a series that has one, such as PAR/REC."""
    return str(getattr(series, "kind", "DICOM"))


class Source(Protocol):
    """A folder, file or archive that was scanned, and its series. `files` is the number of all files in it."""

    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def files(self) -> int: ...
    @property
    def series(self) -> Sequence[AnySeries]: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


def in_order(all_series: Iterable[AnySeries]) -> list[AnySeries]:
    """Sort series by patient, study (by its first series), number and time. Series without a number are the last of their study."""
    series_list = list(all_series)
    study_start: dict[str, str] = {}
    for series in series_list:
        study_start[series.study_uid] = min(study_start.get(series.study_uid, series.start_time), series.start_time)

    def order(series: AnySeries) -> tuple[str, str, str, bool, int, str, str]:
        numbered = (series.number is None, series.number or 0, series.start_time, series.series_uid)
        return (series.folded_patient_id, study_start[series.study_uid], series.study_uid, *numbered)

    return sorted(series_list, key=order)


def _record(source: str, series: AnySeries) -> dict[str, object]:
    """Return the values of a series by the names of COLUMNS."""
    header = {field: series.header.get(field) for field in FIELDS}
    values = {
        "source": source,
        "kind": series_kind(series),
        "number": series.number,
        "files": series.files,
        "bytes": series.size,
        "started": series.start_time,
    }
    return {**values, **header, "StudyInstanceUID": series.study_uid, "SeriesInstanceUID": series.series_uid}


def as_json(sources: Sequence[Source]) -> str:
    """Return the text of a JSON object with all sources, their series and problems."""
    records = [
        {
            "path": one_line(source.path),
            "kind": source.kind,
            "files": source.files,
            "dicom": sum(series.files for series in source.series if series_kind(series) == "DICOM"),
            "series": [_record(one_line(source.path), series) for series in in_order(source.series)],
            "problems": [one_line(problem) for problem in source.problems],
        }
        for source in sources
    ]
    return json.dumps({"sources": records}, indent=1, ensure_ascii=False) + "\n"


def as_tsv(sources: Sequence[Source]) -> str:
    """Return a row for each series, below a row with the names of the columns; an absent value is empty."""
    lines = ["\t".join(COLUMNS)]
    for source in sources:
        for series in in_order(source.series):
            record = _record(source.path, series)
            lines.append("\t".join(_text(record[column]) for column in COLUMNS))
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    if value is None:
        return ""
    return one_line("\\".join(map(str, value)) if isinstance(value, list) else str(value))


def as_table(sources: Sequence[Source]) -> str:
    """Return a table for each source, its counts, and what is wrong with it."""
    return "\n".join(_source_table(source) for source in sources)


def _source_table(source: Source) -> str:
    all_series = in_order(source.series)
    files = sum(series.files for series in all_series)
    width = text_width()
    head = (
        f"{one_line(source.path)} ({source.kind}): {len(all_series)} series, {files} of {counted(source.files, 'file')}"
    )
    rows: list[tuple[str, ...]] = [("number", "files", "size", "started", "modality", "description", "patient")]
    rows += [_row(series) for series in all_series]
    problems = [
        line for problem in source.problems for line in wrapped(f"problem: {one_line(problem)}", width, "  ", "      ")
    ]
    lines = table(rows, width, WRAPPED_COLUMNS) if all_series else []
    return "\n".join([*wrapped(head, width, "", "    "), *lines, *problems]) + "\n"


def _row(series: AnySeries) -> tuple[str, ...]:
    header = series.header
    description = header.get("SeriesDescription") or header.get("ProtocolName")
    number = "-" if series.number is None else str(series.number)
    modality = header.get("Modality") if series_kind(series) == "DICOM" else series_kind(series)
    cells = (modality, description, header.get("PatientID"))
    return (
        number,
        str(series.files),
        size_text(series.size),
        _time(series.start_time),
        *(_text(cell) for cell in cells),
    )


def _time(started: str) -> str:
    """Return YYYYMMDDHHMMSS as YYYY-MM-DD HH:MM, without the parts that are missing."""
    day, clock = started[:8], started[8:14]
    date = f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == len("YYYYMMDD") else day
    return f"{date} {clock[:2]}:{clock[2:4]}" if len(clock) >= len("HHMM") else date
