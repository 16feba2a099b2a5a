"""The hidden folder `.qxbatch` beside the sessions: staging, journals and locks of running imports.

It lies on the sessions' own file system, so that publishing is a rename. A finished run leaves nothing of it.
"""

import contextlib
import os
import shutil
from pathlib import Path

NAME = ".qxbatch"


class Workspace:
    """Paths below `<sessionsfolder>/.qxbatch`. A unit is what is imported together: the packets of one session."""

    def __init__(self, sessionsfolder: Path, work_dir: Path | None = None) -> None:
        self.sessionsfolder = sessionsfolder
        self.top = sessionsfolder / NAME
        self.locks = self.top / "locks"
        self.journals = self.top / "journal"
        self._work_dir = work_dir

    def unit(self, unit: str) -> Path:
        """Return the staging folder of a unit."""
        return self.top / "work" / unit

    def build(self, unit: str, session: str) -> Path:
        """Return where a session folder is put together before it is published."""
        return self.unit(unit) / "build" / session

    def scratch(self, unit: str) -> Path:
        """Return where small files lie while a packet is read and converted."""
        if self._work_dir is None:
            return self.unit(unit) / "scratch"
        return self._work_dir / f"qxbatch-{unit}"

    def old(self, unit: str, session: str) -> Path:
        """Return where the replaced parts of a session wait for the end of an exchange."""
        return self.unit(unit) / "old" / session

    def taken(self, unit: str) -> Path:
        """Return the list of files that are to leave a session's inbox."""
        return self.unit(unit) / "taken.tsv"

    def journal(self, unit: str) -> Path:
        """Return the journal of a unit whose results are being published."""
        return self.journals / f"{unit}.json"

    def units(self) -> list[str]:
        """Return the units that an earlier run, dead or alive, left in staging."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(entry.name for entry in os.scandir(self.top / "work"))
        return []

    def journaled(self) -> list[str]:
        """Return the units that have a journal."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(p.stem for p in self.journals.iterdir() if p.suffix == ".json")
        return []

    def clear(self, unit: str) -> None:
        """Remove a unit's staging."""
        for folder in (self.scratch(unit), self.unit(unit)):
            if folder.exists():
                make_writable(folder)
                shutil.rmtree(folder)

    def tidy(self) -> None:
        """Remove the hidden folder as far as it is empty."""
        for folder in (self.top / "work", self.journals, self.locks, self.top):
            with contextlib.suppress(OSError):
                folder.rmdir()


def make_writable(top: Path) -> None:
    """Give the owner write access to folders below `top`, so that they can be removed."""
    for folder, _, _ in os.walk(top):
        with contextlib.suppress(OSError):
            Path(folder).chmod(0o700)
