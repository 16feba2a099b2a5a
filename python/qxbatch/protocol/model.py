"""A protocol: the series that a session should contain, and their parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from qxbatch.acquisition import ImageKind
from qxbatch.protocol.scanned import ScannedSeries, possible_models, scanner_key
from qxbatch.protocol.values import CountRange, Expectation

_WILDCARDS = frozenset("*?[")
ONCE = CountRange(1, 1)
"""The count of an entry that does not state one."""


@dataclass(frozen=True)
class SeriesParameters:
    """Expected parameters of a series."""

    values: Mapping[str, Expectation] = field(default_factory=dict)
    """By the names of protocol/fields.py."""
    volumes: CountRange | None = None
    """Complete volumes; None: as many as were planned or begun."""


@dataclass(frozen=True)
class ExpectedSeries:
    """An entry of the protocol: a series that is expected, by its name and the kinds of its images."""

    name: str
    """A glob for the names of series in session.txt; case is ignored."""
    kinds: frozenset[ImageKind] | None = None
    """Exactly the kinds of the images of the series; None: any kinds."""
    count: CountRange = ONCE
    """How often a session should contain it."""
    parameters: SeriesParameters = field(default_factory=SeriesParameters)
    scanners: tuple[str, ...] = ()
    """Scanners on which the series is expected; empty: all."""
    by_scanner: Mapping[str, SeriesParameters] = field(default_factory=dict)
    """Parameters that replace those of `parameters` on some scanners, by the name of the scanner in the protocol."""
    note: str = field(default="", compare=False)
    """A comment that is written into the protocol file."""

    @property
    def is_pattern(self) -> bool:
        """Return whether the name has a wildcard; `[*]` is the character `*`."""
        return bool(_WILDCARDS & set(_without_escapes(self.name)))

    def is_expected_on(self, scanner: str) -> bool:
        """Return whether the series is expected on a scanner, given as by `scanner_name`."""
        return not self.scanners or any(matches_scanner(name, scanner) for name in self.scanners)

    def matches_name(self, name: str) -> bool:
        """Return whether the glob matches the name of a series."""
        return _matches_name(name, self.name)

    def matches(self, series: ScannedSeries) -> bool:
        """Return whether the entry matches a series by its name and kinds."""
        return self.matches_name(series.name) and (self.kinds is None or series.kinds == self.kinds)

    @property
    def rank(self) -> tuple[bool, bool]:
        """Return the sort key of entries: a series belongs to the first one that it matches. Exact names with kinds come first."""
        return self.is_pattern, self.kinds is None

    def parameters_on(self, scanner: str) -> SeriesParameters:
        """Return the expected parameters on a scanner: `parameters`, with those of `by_scanner` in their place."""
        specific = next(
            (parameters for name, parameters in self.by_scanner.items() if matches_scanner(name, scanner)),
            SeriesParameters(),
        )
        return SeriesParameters(
            {**self.parameters.values, **specific.values}, specific.volumes or self.parameters.volumes
        )


@dataclass(frozen=True)
class Protocol:
    """The expected content of each session of a study."""

    series: tuple[ExpectedSeries, ...]
    scanners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Software versions of each allowed scanner; no versions: any version, no scanners: any scanner."""
    path: Path | None = None
    """Its file, for messages; None if the protocol is not from a file."""


@lru_cache(1 << 14)
def _matches_name(name: str, pattern: str) -> bool:
    return fnmatchcase(name.casefold(), pattern.casefold())


@lru_cache(1 << 10)
def matches_scanner(name: str, scanner: str) -> bool:
    """Return whether a name in a protocol names a scanner, by manufacturer and model or only by model.

    >>> matches_scanner("siemens prisma", "Siemens Prisma"), matches_scanner("Prisma", "Siemens Prisma")
    (True, True)
    >>> matches_scanner("Prisma", "Siemens Prisma_fit")
    False
    >>> matches_scanner("Biospec 70/20", "Bruker BioSpin MRI GmbH Biospec 70/20")
    True
    """
    return scanner_key(name) in map(scanner_key, (scanner, *possible_models(scanner)))


def literal_glob(name: str) -> str:
    """Return a glob that matches only this name.

    >>> literal_glob("t2*_gre")
    't2[*]_gre'
    """
    return "".join(f"[{character}]" if character in _WILDCARDS else character for character in name)


def _without_escapes(name: str) -> str:
    for wildcard in _WILDCARDS:
        name = name.replace(f"[{wildcard}]", "")
    return name
