"""A study of dummy packets, whose kinds are in their names, to test discovery without the core."""

import os
import time
from pathlib import Path
from typing import Any

from qxbatch.discover.candidates import candidates
from qxbatch.model import Verdict
from qxbatch.settings.parse import parse


def sniff(path: str) -> str:
    """Return the kind of a file by its name; used instead of the core's function."""
    name = os.path.basename(path).casefold()  # noqa: PTH119 - text, as the core is given it
    for kind, ending in (("par", ".par"), ("rec", ".rec"), ("dicom", ".dcm"), ("other", ".md5"), ("empty", ".part")):
        if name.endswith(ending):
            return kind
    known = (".zip", ".7z", ".tar", ".gz", ".tgz", ".tarz", ".bzip2", ".z")
    return "zip" if name.endswith(known) else "other"


class DummyStudy:
    """A sessions folder and its inbox, with dummy files and folders."""

    def __init__(self, root: Path) -> None:
        self.sessions = root / "sessions"
        self.inbox = self.sessions / "inbox/MR"
        self.inbox.mkdir(parents=True)

    def put(self, *names: str) -> "DummyStudy":
        """Put files, and folders (names that end in /) with one file each, into the inbox."""
        for name in names:
            path = self.inbox / name
            if name.endswith("/"):
                path.mkdir()
                (path / "1").write_text("x")
            else:
                path.write_text("x")
        return self

    def write(self, path: str, text: str | None = None) -> "DummyStudy":
        """Write a file, or create a folder if there is no text, below the sessions folder."""
        target = self.sessions / path
        if text is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return self

    def candidates(self, now_ns: int | None = None, **given: str) -> list[Any]:
        settings = parse({"sessionsfolder": str(self.sessions), **given}).settings
        return candidates(settings, sniff=sniff, now_ns=time.time_ns if now_ns is None else lambda: now_ns)

    def verdicts(self, **given: str) -> dict[str, tuple[Verdict, str | None]]:
        """Return verdict and session id by name."""
        return {
            each.path.name: (each.verdict, each.session.id if each.session else None)
            for each in self.candidates(None, **given)
        }

    def candidate(self, now_ns: int | None = None, **given: str) -> Any:
        """Return the only candidate."""
        [each] = self.candidates(now_ns, **given)
        return each
