"""The interface of all converters: supported series, command, outputs, version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from qxbatch.model import Output, Series


class ConverterJob(NamedTuple):
    """One series for one converter."""

    series: Series
    source: Path
    """Folder with the files of this series and no others."""
    out: Path
    """Empty folder for the converter's output."""
    home: Path
    """HOME of the converter, and its folder for temporary files."""


@dataclass(frozen=True)
class Command:
    """A process to start: an argument list, never a shell command."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment from qxbatch.convert.run."""


class Probe(NamedTuple):
    """Whether and where a converter is installed, for the check before the work and for `qxbatch doctor`."""

    name: str
    purpose: str
    """The series that it converts."""
    location: str
    """The location of the converter and its interpreter, as text; empty if absent."""
    version: str
    """Empty if absent or unknown."""
    searched_locations: tuple[str, ...]
    """Where the converter was looked for, as text."""
    advice: str
    """How to install it; meaningful only if it is absent."""

    @property
    def is_installed(self) -> bool:
        """Return whether it was found, and so can be used."""
        return bool(self.location)


class Converter(Protocol):
    """A program that converts the files of one series to NIfTI."""

    @property
    def name(self) -> str:
        """Return the name of the program or package."""

    @property
    def version(self) -> str:
        """Return its version, as it reports it; empty if unknown."""

    @property
    def max_seconds_per_file(self) -> float:
        """Return the largest plausible time for one file in seconds; the time limit is computed from it."""

    def command(self, job: ConverterJob) -> Command:
        """Return the process that converts the series of `job`. Raises OSError if the program cannot convert its files."""

    def outputs(self, job: ConverterJob) -> Sequence[Output]:
        """Return the images in `job.out`, sorted by the bytes of their names. May decompress or rename them: call it only once.

        If the series was rewritten as several stacks (qxbatch.convert.normalize), the images of the first stack come first.
        """

    def accepts(self, exit_status: int) -> bool:
        """Return whether the output is usable after this exit status."""


def name_and_version(converter: Converter) -> str:
    """Return `name version`, or only the name if the version is unknown; for logs and the summary."""
    return f"{converter.name} {converter.version}".strip()
