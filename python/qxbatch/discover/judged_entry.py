"""An entry with its verdict, before its fingerprint is computed."""

from pathlib import Path
from typing import NamedTuple

from qxbatch.model import SessionId, Verdict
from qxbatch.problems import Code, Problem


class JudgedEntry(NamedTuple):
    """An entry with its name and session, as far as known, and its current verdict."""

    path: Path
    verdict: Verdict
    name: str = ""
    session: SessionId | None = None
    note: str = ""
    problem: Problem | None = None
    partner: str = ""
    """For a loose PAR or REC in the inbox with its other half: the stem of both."""

    @property
    def ready(self) -> bool:
        """Return whether it is to be imported, as far as known."""
        return self.verdict is Verdict.READY

    def turned(self, verdict: Verdict, note: str) -> "JudgedEntry":
        """Return the same entry with another verdict; notes are kept."""
        return self._replace(verdict=verdict, note="; ".join(text for text in (self.note, note) if text))

    def refused(self, code: Code, message: str, hint: str, command: str = "") -> "JudgedEntry":
        """Return the same entry refused: a problem that makes the exit status 1."""
        problem = Problem(code, str(self.path), message, hint, command=command)
        return self._replace(verdict=Verdict.REFUSED, problem=problem)
