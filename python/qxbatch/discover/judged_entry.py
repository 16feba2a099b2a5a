"""An entry with its verdict, before its fingerprint is computed."""

from pathlib import Path
from typing import NamedTuple

from qxbatch.model import SessionId, Verdict
from qxbatch.problems import Code, Problem


class JudgedEntry(NamedTuple):
    """An entry of the inbox or a session folder, with its packet name and session, as far as known, and its current verdict."""

    path: Path
    verdict: Verdict
    packet_name: str = ""
    """What --pattern finds in the file name, or the name of the session folder in folder mode (--masterinbox=none); empty if it
    is not known."""
    session: SessionId | None = None
    note: str = ""
    """Remarks about the entry, and the reason for its verdict, separated by `; `."""
    problem: Problem | None = None
    """Set for REFUSED."""
    pair_par: str = ""
    """The file name of the PAR, for a loose PAR with its REC in the inbox, and for that REC; empty for all other entries."""

    @property
    def is_ready(self) -> bool:
        """Return whether the entry is to be imported, as far as known."""
        return self.verdict is Verdict.READY

    def with_verdict(self, verdict: Verdict, note: str) -> "JudgedEntry":
        """Return the same entry with this verdict; the note is added to earlier notes."""
        return self._replace(verdict=verdict, note="; ".join(text for text in (self.note, note) if text))

    def refuse(self, code: Code, message: str, hint: str, command: str = "") -> "JudgedEntry":
        """Return the same entry with the verdict REFUSED and a problem."""
        problem = Problem(code, str(self.path), message, hint, command=command)
        return self._replace(verdict=Verdict.REFUSED, problem=problem)
