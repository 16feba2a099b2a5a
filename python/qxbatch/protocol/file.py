"""protocol.toml read into rules; what cannot be read is an error with its line."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from qxbatch.acquisition import ImageKind
from qxbatch.nearest import nearest
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.protocol.fields import FIELDS
from qxbatch.protocol.lines import Place, line_of, line_of_unfinished, lines_of
from qxbatch.protocol.rules import ONCE, Expected, Parameters, Protocol, is_scanner
from qxbatch.protocol.values import Count, Expectation, WrongValueError, count_of, expectation
from qxbatch.textfile import opened

LARGEST = 1 << 20
"""Bytes; a larger file was named by mistake."""
_TOP = ("scanners", "series")
_OF_VALUES = ("volumes", *FIELDS)
_OF_SERIES = ("name", "kinds", "count", "scanners", "scanner", *_OF_VALUES)
_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")
_HINT = "Name a protocol; `qxbatch protocol learn` writes one."


def read_protocol(path: Path) -> Protocol:
    """Return the protocol in a file. Raises UsageError."""
    text = _text(path)
    try:
        content = tomllib.loads(text)
    except ValueError as error:
        line, message = _toml_error(text, error)
        hint = 'Texts, and numbers with ±, are in quotes: tr_ms = "2000 ± 1".'
        raise UsageError(f"{path}:{line}: this is not TOML: {message}.", hint) from None
    except RecursionError:
        raise UsageError(f"{path}:1: lists are nested too deeply.", _HINT) from None
    return _Reader(path, lines_of(text)).protocol(content)


def _text(path: Path) -> str:
    try:
        with opened(path) as file:
            data = file.buffer.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {reason_text(error, path)}.", _HINT) from None
    if len(data) > LARGEST:
        raise UsageError(f"{path}: has more than {LARGEST} bytes: this is no protocol.", _HINT)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "Save the file in the encoding UTF-8."
        raise UsageError(f"{path}:{line}: this is not UTF-8.", hint) from None


def _toml_error(text: str, error: ValueError) -> tuple[int, str]:
    message = str(error)
    match = _LINE.search(message)
    if match:
        return int(match[1]), _LINE.sub("", message).lower()
    return line_of_unfinished(text), message.replace(" (at end of document)", ", and the file ends before it").lower()


class _Reader:
    """Makes rules of the tables of one file. Each method raises UsageError."""

    def __init__(self, path: Path, lines: Mapping[Place, int]) -> None:
        self._path = path
        self._lines = lines

    def protocol(self, content: Mapping[str, Any]) -> Protocol:
        """Return the protocol."""
        self._know((), content, _TOP)
        tables = content.get("series", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._refuse(("series",), "series is not a list of tables.", "Begin each entry with [[series]].")
        if not tables:
            self._refuse((), "there is no series.", "Begin each entry with [[series]].")
        series = tuple(self._expected(("series", k), table) for k, table in enumerate(tables))
        self._refuse_twice(series)
        scanners = self._scanners(content.get("scanners", {}))
        for k, entry in enumerate(series if scanners else ()):
            self._refuse_unlisted(("series", k, "scanners"), entry.scanners, scanners)
            for name in entry.by_scanner:
                self._refuse_unlisted(("series", k, "scanner", name), [name], scanners)
        return Protocol(series, scanners, self._path.name)

    def _scanners(self, table: Any) -> dict[str, tuple[str, ...]]:
        if not isinstance(table, dict):
            hint = 'Write [scanners], and below it lines such as "Siemens Prisma" = ["syngo MR E11"].'
            self._refuse(("scanners",), "scanners is not a table.", hint)
        return {name: self._texts(("scanners", name), versions, empty=True) for name, versions in table.items()}

    def _expected(self, place: Place, table: Mapping[str, Any]) -> Expected:
        self._know(place, table, _OF_SERIES)
        name = table.get("name")
        if not isinstance(name, str) or not name.strip():
            where = (*place, "name") if "name" in table else place
            self._refuse(where, "a series needs a name.", 'Write name = "fmri_rest*"; * stands for any letters.')
        of_scanners = table.get("scanner", {})
        if not isinstance(of_scanners, dict) or not all(isinstance(part, dict) for part in of_scanners.values()):
            hint = 'Write [series.scanner."Siemens Prisma"].'
            self._refuse((*place, "scanner"), "scanner is not a table of scanners.", hint)
        for model, part in of_scanners.items():
            self._know((*place, "scanner", model), part, _OF_VALUES)
        return Expected(
            name=name,
            kinds=self._kinds((*place, "kinds"), table["kinds"]) if "kinds" in table else None,
            count=self._count((*place, "count"), table["count"]) if "count" in table else ONCE,
            parameters=self._parameters(place, table),
            scanners=self._texts((*place, "scanners"), table["scanners"]) if "scanners" in table else (),
            by_scanner={
                model: self._parameters((*place, "scanner", model), part) for model, part in of_scanners.items()
            },
        )

    def _parameters(self, place: Place, table: Mapping[str, Any]) -> Parameters:
        values = {name: self._value((*place, name), table[name]) for name in FIELDS if name in table}
        volumes = self._count((*place, "volumes"), table["volumes"], 1) if "volumes" in table else None
        return Parameters(values, volumes)

    def _value(self, place: Place, value: Any) -> Expectation:
        try:
            return expectation(FIELDS[str(place[-1])], value)
        except WrongValueError as error:
            self._wrong(place, value, str(error))

    def _count(self, place: Place, value: Any, least: int = 0) -> Count:
        try:
            return count_of(value, least)
        except WrongValueError as error:
            self._wrong(place, value, str(error))

    def _kinds(self, place: Place, value: Any) -> frozenset[ImageKind]:
        texts = self._texts(place, value)
        for text in texts:
            if text not in list(ImageKind):
                self._refuse(place, f"{text!r} is no kind of image.", f"Write some of: {', '.join(ImageKind)}.")
        return frozenset(map(ImageKind, texts))

    def _texts(self, place: Place, value: Any, *, empty: bool = False) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value) or not (value or empty):
            self._wrong(place, value, 'a list of texts, such as ["magnitude"]')
        return tuple(value)

    def _refuse_twice(self, series: Iterable[Expected]) -> None:
        """Refuse an entry that no series can reach."""
        seen: dict[object, int] = {}
        for k, entry in enumerate(series):
            key = (entry.name.casefold(), entry.kinds, tuple(sorted(entry.scanners)))
            if key in seen:
                line = line_of(self._lines, ("series", seen[key]))
                hint = "Leave one of them out, or give them different kinds or scanners."
                self._refuse(("series", k), f"the series {entry.name!r} is already defined in line {line}, too.", hint)
            seen[key] = k

    def _refuse_unlisted(self, place: Place, names: Iterable[str], scanners: Iterable[str]) -> None:
        """Refuse a scanner that no session may be of: its name is misspelt."""
        for name in names:
            if not any(is_scanner(name, known) or is_scanner(known, name) for known in scanners):
                near = nearest(name, scanners)
                hint = f"Did you mean {near}?" if near else f"[scanners] has: {', '.join(scanners)}."
                self._refuse(place, f"the scanner {name!r} is not in [scanners].", hint)

    def _know(self, place: Place, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Refuse a key that is not known."""
        for key in table:
            if key not in known:
                near = nearest(key, known)
                hint = f"Did you mean {near}?" if near else f"Write one of: {', '.join(known)}."
                self._refuse((*place, key), f"the key {key!r} is not known.", hint)

    def _wrong(self, place: Place, value: Any, expected: str) -> NoReturn:
        self._refuse(place, f"{place[-1]} = {_shown(value)} cannot be read.", f"Write {expected}.")

    def _refuse(self, place: Place, message: str, hint: str) -> NoReturn:
        raise UsageError(f"{self._path}:{line_of(self._lines, place)}: {message}", hint)


_LONGEST = 60


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
