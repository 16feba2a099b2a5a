"""A master inbox filled by name, to test discovery without the core."""

import os
import time
from pathlib import Path
from typing import Any

from qxbatch.discover.candidates import candidates
from qxbatch.model import Verdict
from qxbatch.settings.parse import parse


def sniff(path: str) -> str:
    """The kind by name, replacing the core."""
    name = os.path.basename(path).casefold()  # noqa: PTH119 - text, as the core is given it
    for kind, ending in (("par", ".par"), ("rec", ".rec"), ("dicom", ".dcm"), ("other", ".md5"), ("empty", ".part")):
        if name.endswith(ending):
            return kind
    known = (".zip", ".7z", ".tar", ".gz", ".tgz", ".tarz", ".bzip2", ".z")
    return "zip" if name.endswith(known) else "other"


class Place:
    """A sessions folder whose inbox is filled by the test."""

    def __init__(self, root: Path) -> None:
        self.sessions = root / "sessions"
        self.inbox = self.sessions / "inbox/MR"
        self.inbox.mkdir(parents=True)

    def put(self, *names: str) -> "Place":
        """Files, and folders (names that end in /) with one file each."""
        for name in names:
            path = self.inbox / name
            if name.endswith("/"):
                path.mkdir()
                (path / "1").write_text("x")
            else:
                path.write_text("x")
        return self

    def session(self, path: str, text: str | None = None) -> "Place":
        """A file, or an empty folder, below the sessions folder."""
        place = self.sessions / path
        if text is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return self

    def candidates(self, now_ns: int | None = None, **given: str) -> list[Any]:
        settings = parse({"sessionsfolder": str(self.sessions), **given}).settings
        return candidates(settings, sniff=sniff, now_ns=time.time_ns if now_ns is None else lambda: now_ns)

    def found(self, **given: str) -> dict[str, tuple[Verdict, str | None]]:
        """Return verdict and session id by name."""
        return {
            each.path.name: (each.verdict, each.session.id if each.session else None)
            for each in self.candidates(None, **given)
        }

    def one(self, now_ns: int | None = None, **given: str) -> Any:
        [each] = self.candidates(now_ns, **given)
        return each
