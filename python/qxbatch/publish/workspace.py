"""The hidden folder `.qxbatch` beside the sessions: staging, journals and locks of running imports.

It lies on the sessions' own file system, so that publishing is a rename. A finished run leaves nothing of it.
"""

import contextlib
import os
import re
import time
from pathlib import Path

from qxbatch.publish.durable import make_folder, remove_tree
from qxbatch.textfile import created

NAME = ".qxbatch"
NOTE = "scratch.txt"


class Workspace:
    """Paths below `<sessionsfolder>/.qxbatch`. A unit is what is imported together: the packets of one session."""

    def __init__(self, sessionsfolder: Path, work_dir: Path | None = None) -> None:
        self.sessionsfolder = sessionsfolder
        self.top = sessionsfolder / NAME
        self.locks = self.top / "locks"
        self.journals = self.top / "journal"
        self.numbers = self.top / "numbers.json"
        """Folder mode: numbers of archives, as long as runs that chose them are not done (qxbatch.archive.kept_numbers)."""
        self.new_numbers = self.numbers.with_name(f"{self.numbers.name}.new")
        """The same while they are written."""
        self._work_dir = work_dir
        self.since = time.time()
        """When the run began."""

    def unit(self, unit: str) -> Path:
        """Return the staging folder of a unit."""
        return self.top / "work" / unit

    def build(self, unit: str, session: str) -> Path:
        """Return where a session folder is put together before it is published."""
        return self.unit(unit) / "build" / session

    def scratch(self, unit: str) -> Path:
        """Return where small files lie while a packet is read and converted.

        Below --work-dir the folder has a name of its own, since other studies may have a unit of the same name there.
        It is noted in staging, so that the next run can clear it, wherever its own --work-dir is.
        """
        if self._work_dir is None:
            return self.unit(unit) / "scratch"
        noted = self._noted_scratch(unit)
        if noted is None:
            import secrets

            noted = self._work_dir / f"qxbatch-{unit}-{secrets.token_hex(6)}"
            make_folder(self.unit(unit))
            with created(self.unit(unit) / NOTE) as file:
                file.write(str(noted))
        return noted

    def empty_scratch(self, unit: str) -> Path:
        """Remove what is left of a unit's staging; return its scratch folder, which exists and is empty."""
        self.clear(unit)
        scratch = self.scratch(unit)
        make_folder(scratch)
        return scratch

    def _noted_scratch(self, unit: str) -> Path | None:
        try:
            text = (self.unit(unit) / NOTE).read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return None
        noted = Path(text)
        # a note that was cut short names no folder of ours, and then none was made yet
        return noted if re.fullmatch(rf"qxbatch-{re.escape(unit)}-[0-9a-f]{{12}}", noted.name) else None

    def homes(self, unit: str) -> list[Path]:
        """Return the folders below which a unit's converters have their own ones."""
        noted = self._noted_scratch(unit)
        return [self.unit(unit), *([] if noted is None else [noted])]

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
        """Remove a unit's staging, and what its journal left that was never finished."""
        scratch = self._noted_scratch(unit)
        for folder in (scratch, self.unit(unit)):
            if folder is not None and os.path.lexists(folder):
                remove_tree(folder)
        self.journal(unit).with_suffix(".json.new").unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the hidden folder as far as it is empty. While any lock is held, all of it stays."""
        with contextlib.suppress(OSError):
            for folder in (self.locks, self.top / "work", self.journals):
                if folder.exists():
                    folder.rmdir()
            if self.top.exists():
                self.top.rmdir()
