"""What the plan thinks of one thing, before it is measured."""

from pathlib import Path
from typing import NamedTuple

from qxbatch.model import SessionId, Verdict
from qxbatch.problems import Code, Problem


class Judged(NamedTuple):
    """A thing found, its name and session as far as they are known, and the verdict so far."""

    path: Path
    verdict: Verdict
    name: str = ""
    session: SessionId | None = None
    note: str = ""
    problem: Problem | None = None
    partner: str = ""
    """For a PAR or REC that lies loose in the inbox with its other half: the stem that both share."""

    @property
    def ready(self) -> bool:
        """Whether it is to be imported, as far as is known."""
        return self.verdict is Verdict.READY

    def turned(self, verdict: Verdict, note: str) -> "Judged":
        """The same thing under another verdict; what was noted before stays."""
        return self._replace(verdict=verdict, note="; ".join(text for text in (self.note, note) if text))

    def refused(self, code: Code, message: str, hint: str, command: str = "") -> "Judged":
        """The same thing refused: a problem that makes the exit status 1."""
        problem = Problem(code, str(self.path), message, hint, command=command)
        return self._replace(verdict=Verdict.REFUSED, problem=problem)
