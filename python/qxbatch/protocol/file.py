"""Read protocol.toml. An invalid value is an error with its line."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from qxbatch.acquisition import ImageKind
from qxbatch.nearest import nearest_name
from qxbatch.protocol.fields import FIELDS
from qxbatch.protocol.lines import KeyPath
from qxbatch.protocol.model import ONCE, ExpectedSeries, Protocol, SeriesParameters, matches_scanner
from qxbatch.protocol.toml_file import TomlFile, read_toml
from qxbatch.protocol.values import CountRange, Expectation, WrongValueError, read_count_range, read_expectation

_TOP_KEYS = ("scanners", "series")
_PARAMETER_KEYS = ("volumes", *FIELDS)
_SERIES_KEYS = ("name", "kinds", "count", "scanners", "scanner", *_PARAMETER_KEYS)
_HINT = "Name a protocol; `qxbatch protocol learn` writes one."


def read_protocol(path: Path) -> Protocol:
    """Return the protocol in a file. Raises UsageError."""
    syntax_hint = 'Texts, and numbers with ±, are in quotes: tr_ms = "2000 ± 1".'
    return _Reader(read_toml(path, "protocol", _HINT, syntax_hint)).protocol()


class _Reader:
    """Reads the entries of one file. Each method raises UsageError."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self._refuse = file.refuse

    def protocol(self) -> Protocol:
        """Return the protocol."""
        content = self._file.content
        self._file.refuse_unknown_keys((), content, _TOP_KEYS)
        tables = content.get("series", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._refuse(("series",), "series is not a list of tables.", "Begin each entry with [[series]].")
        if not tables:
            self._refuse((), "there is no series.", "Begin each entry with [[series]].")
        series = tuple(self._expected_series(("series", k), table) for k, table in enumerate(tables))
        self._refuse_duplicates(series)
        scanners = self._scanners(content.get("scanners", {}))
        for k, entry in enumerate(series if scanners else ()):
            self._refuse_unlisted(("series", k, "scanners"), entry.scanners, scanners)
            for name in entry.by_scanner:
                self._refuse_unlisted(("series", k, "scanner", name), [name], scanners)
        return Protocol(series, scanners, self._file.path)

    def _scanners(self, table: Any) -> dict[str, tuple[str, ...]]:
        if not isinstance(table, dict):
            hint = 'Write [scanners], and below it lines such as "Siemens Prisma" = ["syngo MR E11"].'
            self._refuse(("scanners",), "scanners is not a table.", hint)
        return {
            name: self._file.texts(("scanners", name), versions, "syngo MR E11", may_be_empty=True)
            for name, versions in table.items()
        }

    def _expected_series(self, key_path: KeyPath, table: Mapping[str, Any]) -> ExpectedSeries:
        self._file.refuse_unknown_keys(key_path, table, _SERIES_KEYS)
        name = table.get("name")
        if not isinstance(name, str) or not name.strip():
            where = (*key_path, "name") if "name" in table else key_path
            self._refuse(where, "a series needs a name.", 'Write name = "fmri_rest*"; * stands for any characters.')
        scanner_tables = table.get("scanner", {})
        if not isinstance(scanner_tables, dict) or not all(
            isinstance(values, dict) for values in scanner_tables.values()
        ):
            hint = 'Write [series.scanner."Siemens Prisma"].'
            self._refuse((*key_path, "scanner"), "scanner is not a table of scanners.", hint)
        for scanner, values in scanner_tables.items():
            self._file.refuse_unknown_keys((*key_path, "scanner", scanner), values, _PARAMETER_KEYS)
        return ExpectedSeries(
            name=name,
            kinds=self._kinds((*key_path, "kinds"), table["kinds"]) if "kinds" in table else None,
            count=self._count((*key_path, "count"), table["count"]) if "count" in table else ONCE,
            parameters=self._parameters(key_path, table),
            scanners=self._file.texts((*key_path, "scanners"), table["scanners"], "Siemens Prisma")
            if "scanners" in table
            else (),
            by_scanner={
                scanner: self._parameters((*key_path, "scanner", scanner), values)
                for scanner, values in scanner_tables.items()
            },
        )

    def _parameters(self, key_path: KeyPath, table: Mapping[str, Any]) -> SeriesParameters:
        values = {name: self._value((*key_path, name), table[name]) for name in FIELDS if name in table}
        volumes = self._count((*key_path, "volumes"), table["volumes"], 1) if "volumes" in table else None
        return SeriesParameters(values, volumes)

    def _value(self, key_path: KeyPath, value: Any) -> Expectation:
        try:
            return read_expectation(FIELDS[str(key_path[-1])], value)
        except WrongValueError as error:
            self._file.refuse_value(key_path, value, str(error))

    def _count(self, key_path: KeyPath, value: Any, least: int = 0) -> CountRange:
        try:
            return read_count_range(value, least)
        except WrongValueError as error:
            self._file.refuse_value(key_path, value, str(error))

    def _kinds(self, key_path: KeyPath, value: Any) -> frozenset[ImageKind]:
        texts = self._file.texts(key_path, value, ImageKind.MAGNITUDE)
        for text in texts:
            if text not in list(ImageKind):
                self._refuse(key_path, f"{text!r} is not a kind of image.", f"Write some of: {', '.join(ImageKind)}.")
        return frozenset(map(ImageKind, texts))

    def _refuse_duplicates(self, series: Iterable[ExpectedSeries]) -> None:
        """Refuse an entry with the same name, kinds and scanners as an earlier one."""
        first_index: dict[object, int] = {}
        for k, entry in enumerate(series):
            key = (entry.name.casefold(), entry.kinds, tuple(sorted(entry.scanners)))
            if key in first_index:
                line = self._file.line(("series", first_index[key]))
                hint = "Leave one of them out, or give them different kinds or scanners."
                self._refuse(("series", k), f"the series {entry.name!r} is already defined in line {line}.", hint)
            first_index[key] = k

    def _refuse_unlisted(self, key_path: KeyPath, names: Iterable[str], scanners: Iterable[str]) -> None:
        """Refuse a name that no scanner in [scanners] has: it is misspelt."""
        for name in names:
            if not any(matches_scanner(name, scanner) or matches_scanner(scanner, name) for scanner in scanners):
                near = nearest_name(name, scanners)
                hint = f"Did you mean {near}?" if near else f"[scanners] has: {', '.join(scanners)}."
                self._refuse(key_path, f"the scanner {name!r} is not in [scanners].", hint)
