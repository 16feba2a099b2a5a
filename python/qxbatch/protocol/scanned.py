"""The series of a session with the facts that a protocol compares."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from qxbatch.acquisition import Acquisition, ImageKind, SeriesVerdict

_MAKERS = {
    "siemens": "Siemens",
    "ge": "GE",
    "philips": "Philips",
    "uih": "UIH",
    "united imaging": "UIH",
    "canon": "Canon",
    "toshiba": "Canon",
}
"""Maps the first words of Manufacturer, in lower case, to the maker's name. Software versions of one maker spell it differently."""


UNKNOWN_SCANNER = "unknown scanner"


@dataclass(frozen=True)
class ScannedSeries:
    """A series of a session with the facts that a protocol compares; `qxbatch.scan` returns another class of this name."""

    n: int
    """The number of the series in the session folder: the folder of its DICOM is `dicom/<n>`."""
    series_number: int | None
    """SeriesNumber; None if the series has none."""
    name: str
    """As in session.txt."""
    scanner: str
    """Maker and model (`scanner_name`); empty if not known."""
    verdict: SeriesVerdict | None
    """None if its headers were not read."""
    acquisition: Acquisition | None
    """None if its facts are not known."""

    @property
    def kinds(self) -> frozenset[ImageKind] | None:
        """Return the kinds of its images; None if they are not known."""
        kinds = self.acquisition.kinds if self.acquisition else None
        return frozenset(kinds) if kinds else None

    @property
    def is_evaluable(self) -> bool:
        """Return whether the verdict is about its volumes; True if it has no verdict.

        False for example for localizers, saved screens and reports.
        """
        return self.verdict is not SeriesVerdict.NOT_EVALUABLE

    @property
    def is_incomplete(self) -> bool:
        """Return whether volumes or slices are missing."""
        return self.verdict is SeriesVerdict.INCOMPLETE


@dataclass(frozen=True)
class ScannedSession:
    """The series of a session, in the order of their n."""

    id: str
    series: tuple[ScannedSeries, ...]

    @property
    def has_facts(self) -> bool:
        """Return whether any series has facts; True for a session without series."""
        return not self.series or any(series.acquisition is not None for series in self.series)

    @cached_property
    def scanners(self) -> tuple[str, ...]:
        """Return its scanners, that of most series first; with equal numbers of series, that of the earlier series.

        A further scanner needs an evaluable series: a workstation that saved screens is no scanner.
        """
        names = [name for name, _ in Counter(series.scanner for series in self.series if series.scanner).most_common()]
        further = {series.scanner for series in self.series if series.is_evaluable}
        by_key: dict[str, str] = {}
        for name in names:
            if name == names[0] or name in further:
                by_key.setdefault(scanner_key(name), name)
        return tuple(by_key.values())

    @property
    def scanner(self) -> str:
        """Return the first of its scanners; UNKNOWN_SCANNER if no series has one."""
        return next(iter(self.scanners), UNKNOWN_SCANNER)

    @cached_property
    def compared_scanners(self) -> tuple[str, ...]:
        """Return the scanners that a protocol distinguishes: the first one, and further ones with images that are not derived.

        A name that is a part of another one, such as a maker without model, is no further scanner.
        """
        measured = {series.scanner for series in self.series if ImageKind.DERIVED not in (series.kinds or ())}
        compared = [self.scanner]
        for name in self.scanners[1:]:
            if name in measured and not any(_is_part(name, other) or _is_part(other, name) for other in compared):
                compared.append(name)
        return tuple(compared)

    def scanner_of(self, series: ScannedSeries) -> str:
        """Return which of `compared_scanners` a series is from; the first of them if that is not known."""
        key = scanner_key(series.scanner)
        return next((name for name in self.compared_scanners if scanner_key(name) == key), self.scanner)

    @property
    def software(self) -> str:
        """Return the software version of most series of the first scanner; empty where no series has one."""
        return self.software_of(self.scanner)

    def software_of(self, scanner: str) -> str:
        """Return the software version of most series of one of its scanners; empty where no series has one."""
        acquisitions = [series.acquisition for series in self.series if series.scanner == scanner]
        return _most_frequent(acquisition.software or "" for acquisition in acquisitions if acquisition)


def _is_part(name: str, other: str) -> bool:
    """Return whether another name of a scanner begins or ends with the words of this one.

    >>> _is_part("Philips", "Philips Achieva"), _is_part("Achieva", "Philips Achieva"), _is_part("GE", "Philips Achieva")
    (True, True, False)
    """
    words, other_words = name.casefold().split(), other.casefold().split()
    return words in (other_words[: len(words)], other_words[-len(words) :])


def _most_frequent(texts: Iterable[str]) -> str:
    counts = Counter(text for text in texts if text)
    return min(counts, key=lambda text: (-counts[text], text), default="")


@lru_cache(1 << 10)
def scanner_name(manufacturer: str, model: str) -> str:
    """Return maker and model of a scanner by Manufacturer and ManufacturerModelName.

    >>> scanner_name("SIEMENS", "Prisma"), scanner_name("Siemens Healthineers", "MAGNETOM Vida")
    ('Siemens Prisma', 'Siemens Vida')
    >>> scanner_name("GE MEDICAL SYSTEMS", "SIGNA PET/MR"), scanner_name("Philips", "")
    ('GE SIGNA PET/MR', 'Philips')
    """
    words = manufacturer.split()
    folded = " ".join(words).casefold()
    maker = next((name for start, name in _MAKERS.items() if re.match(rf"{start}(?![^\W_])", folded)), " ".join(words))
    model_words = [word for word in model.split() if word.casefold() not in ("magnetom", maker.casefold())]
    return " ".join(word for word in (maker, *model_words) if word)


@lru_cache(1 << 10)
def scanner_key(name: str) -> str:
    """Return a scanner's name for comparisons, without differences of case, spaces and punctuation.

    >>> scanner_key("Siemens Prisma_fit") == scanner_key("SIEMENS MAGNETOM Prisma Fit")
    True
    """
    return re.sub(r"[\W_]+", "", name.casefold().replace("magnetom", ""))


def possible_models(scanner: str) -> list[str]:
    """Return the models that a scanner, given as by `scanner_name`, can have.

    The names in `_MAKERS` have one word. Another maker can have several: then any of the last words can be the model.

    >>> possible_models("Siemens Prisma Fit"), possible_models("MR Solutions DRYMAG"), possible_models("Philips")
    (['Prisma Fit'], ['Solutions DRYMAG', 'DRYMAG'], [])
    """
    words = scanner.split()
    models = [" ".join(words[i:]) for i in range(1, len(words))]
    is_known = scanner.casefold().startswith(tuple(f"{maker.casefold()} " for maker in _MAKERS.values()))
    return models[:1] if is_known else models
