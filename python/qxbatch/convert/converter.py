"""What every converter has in common: what it can take, its command, its outputs, its version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from qxbatch.model import Output, Series


class Job(NamedTuple):
    """One series on its way through one converter."""

    series: Series
    source: Path
    """Folder that holds the files of this series and nothing else."""
    out: Path
    """Own empty folder for what the converter writes."""
    home: Path
    """Own HOME and folder for temporary files."""


@dataclass(frozen=True)
class Command:
    """A process to start: an argument list, never a shell's line."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment that qxbatch.convert.run makes."""


class Probe(NamedTuple):
    """Whether a converter is here, for the check before the work and for `qxbatch doctor`."""

    name: str
    purpose: str
    """What it converts."""
    where: str
    """The path found; empty when absent."""
    version: str
    looked: tuple[str, ...]
    """Where it was looked for, in words."""
    advice: str
    """What to do when it is absent."""

    @property
    def found(self) -> bool:
        """Return whether it can be used."""
        return bool(self.where)


class Converter(Protocol):
    """A program that turns the files of one series into NIfTI."""

    @property
    def name(self) -> str:
        """Return the name the user asks for it by."""

    @property
    def version(self) -> str:
        """Return its version, as it tells itself."""

    @property
    def pace(self) -> float:
        """Return the seconds that one file may take at most; the time limit is made of it."""

    def command(self, job: Job) -> Command:
        """Return the process that converts the series of `job`."""

    def outputs(self, job: Job) -> Sequence[Output]:
        """Return the images that lie in `job.out`, in byte order of the names the converter gave."""

    def believes(self, exit_status: int) -> bool:
        """Return whether what was written may be looked at after this exit status."""


def label(converter: Converter) -> str:
    """Return `name version` for logs and the summary."""
    return f"{converter.name} {converter.version}".strip()
