"""A protocol: which series a session should contain, and with which parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache

from qxbatch.acquisition import ImageKind
from qxbatch.protocol.scanned import ScannedSeries, scanner_key
from qxbatch.protocol.values import Count, Expectation

_WILDCARDS = frozenset("*?[")
ONCE = Count(1, 1)


@dataclass(frozen=True)
class Parameters:
    """Expected values of a series."""

    values: Mapping[str, Expectation] = field(default_factory=dict)
    """By the name of the field."""
    volumes: Count | None = None


@dataclass(frozen=True)
class Expected:
    """An entry of the protocol: series with one name and the same kinds of images."""

    name: str
    """A glob; case is ignored."""
    kinds: frozenset[ImageKind] | None = None
    """None: any."""
    count: Count = ONCE
    parameters: Parameters = field(default_factory=Parameters)
    scanners: tuple[str, ...] = ()
    """Scanners on which the series is expected; none: all."""
    by_scanner: Mapping[str, Parameters] = field(default_factory=dict)
    """What is different on some scanners."""
    note: str = field(default="", compare=False)
    """A comment for the file."""

    @property
    def is_pattern(self) -> bool:
        """Return whether the name has a wildcard; `[*]` is the letter itself."""
        return bool(_WILDCARDS & set(_without_escapes(self.name)))

    def is_on(self, scanner: str) -> bool:
        """Return whether the series is expected on a scanner."""
        return not self.scanners or any(is_scanner(name, scanner) for name in self.scanners)

    def has_name(self, name: str) -> bool:
        """Return whether a series of that name belongs to the entry."""
        return _has_name(name, self.name)

    def fits(self, series: ScannedSeries) -> bool:
        """Return whether a series belongs to the entry by its name and kinds."""
        return self.has_name(series.name) and (self.kinds is None or series.kinds == self.kinds)

    @property
    def rank(self) -> tuple[bool, bool]:
        """Return what orders entries: a series belongs to the first that fits, and whole names with kinds come first."""
        return self.is_pattern, self.kinds is None

    def on(self, scanner: str) -> Parameters:
        """Return the expected values on a scanner."""
        own = next((parts for name, parts in self.by_scanner.items() if is_scanner(name, scanner)), Parameters())
        return Parameters({**self.parameters.values, **own.values}, own.volumes or self.parameters.volumes)


@dataclass(frozen=True)
class Protocol:
    """What each session of a study should contain."""

    series: tuple[Expected, ...]
    scanners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Scanner to its software versions (none: any); empty: any scanner."""
    name: str = ""
    """File name, for messages."""


@lru_cache(1 << 14)
def _has_name(name: str, pattern: str) -> bool:
    return fnmatchcase(name.casefold(), pattern.casefold())


@lru_cache(1 << 10)
def is_scanner(name: str, scanner: str) -> bool:
    """Return whether a name in a protocol is that of a scanner: with its maker, or the model alone.

    >>> is_scanner("siemens prisma", "Siemens Prisma"), is_scanner("Prisma", "Siemens Prisma")
    (True, True)
    >>> is_scanner("Prisma", "Siemens Prisma_fit")
    False
    """
    maker, space, model = scanner.partition(" ")
    return scanner_key(name) in (scanner_key(scanner), scanner_key(model if space else maker))


def literal(name: str) -> str:
    """Return the glob of one name.

    >>> literal("t2*_gre")
    't2[*]_gre'
    """
    return "".join(f"[{each}]" if each in _WILDCARDS else each for each in name)


def _without_escapes(name: str) -> str:
    for wildcard in _WILDCARDS:
        name = name.replace(f"[{wildcard}]", "")
    return name
