"""One import from reading to archiving: the state that all its stages share."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from qxbatch.core import Monitor, Reading
from qxbatch.deidentify import Redact, no_redaction
from qxbatch.discover.units import Unit
from qxbatch.ingest.left_out import LeftOut
from qxbatch.ingest.sources import Source
from qxbatch.model import Packet
from qxbatch.problems import Problem
from qxbatch.record.previous import PreviousSession
from qxbatch.session.paths import SessionPaths


@dataclass(frozen=True)
class Job:
    """A unit (the packets that become one session, or several) whose sources are read."""

    unit: Unit
    sources: tuple[Source, ...]
    reading: Reading
    """The members of the sources and their headers, as the core read them."""
    archivable_packets: tuple[Packet, ...]
    """The packets to which the option `archive` applies; in folder mode (`--masterinbox=none`), the opened archives directly in
    the inbox."""
    archives_in_folders: tuple[Packet, ...] = ()
    """Folder mode: opened archives in folders of the inbox. The option `archive` applies to them, too."""
    previous: PreviousSession = field(default_factory=PreviousSession)
    """Folder mode: the records of the previous session."""
    deidentified: bool = False
    """Whether the session id replaces the patient's id and name."""
    redact: Redact = no_redaction
    """Redacts the identities of all patients in a text, if logs are de-identified."""
    redact_member_paths: Redact = no_redaction
    """Leaves the paths of members out of a text, if logs are de-identified."""
    left_out: LeftOut = field(default_factory=LeftOut)
    """Members that may contain images and were not imported."""
    monitor: Monitor = field(default_factory=Monitor)
    """The monitor of the run: when it is cancelled, no more files are compared."""
    hashes: Mapping[Path, Future[str]] = field(default_factory=dict)
    """The future SHA-256 of each packet that is a file, by its path (`sha256` waits for it)."""
    problems: tuple[Problem, ...] = ()
    """Problems of the packets as a whole."""
    patients: Mapping[str, str] = field(default_factory=dict)
    """If the unit is split: maps the id of each session to its patient's id or name (empty text: redacted or unknown)."""

    def sha256(self, packet: Packet) -> str:
        """Return the SHA-256 of a packet's file once it is known; empty for a folder, and for a file that changed or is unreadable.

        Raises CancelledError.
        """
        return self.hashes[packet.path].result() if packet.path in self.hashes else ""

    @property
    def is_split(self) -> bool:
        """Return whether the unit became several sessions."""
        return bool(self.patients)


class ImportFolders(NamedTuple):
    """The folders of one session during its import."""

    scratch: Path
    """The folder for the files that were read. They get their final names in it."""
    build: Path
    """The session folder before it is published."""
    final: Path
    """The session folder."""
    inbox: Path | None = None
    """Folder mode: the session's own inbox, whose names are in use. None in inbox mode."""

    @property
    def build_paths(self) -> SessionPaths:
        """Return the files and folders of the session in its build."""
        return SessionPaths(self.build)

    @property
    def final_paths(self) -> SessionPaths:
        """Return the files and folders of the session folder."""
        return SessionPaths(self.final)

    @property
    def work(self) -> Path:
        """Return the folder for the converters' working folders."""
        return self.scratch.with_name(f"{self.scratch.name}.convert")
