"""Names of packets, which may contain names of patients and are left out of de-identified logs and summaries."""

import re
from dataclasses import replace
from pathlib import Path

from qxbatch.discover.plan import packet_name
from qxbatch.model import Candidate, Report, SessionReport
from qxbatch.problems import Code, Problem
from qxbatch.settings.model import Settings

NAMELESS = "(name left out)"
_SHORTEST = 3
"""Shorter names are not left out: they are part of many words."""
_EXTENSION = re.compile(r"\.(?:zip|7z|tgz|tarz|tar(?:\.(?:gz|bz2|xz|zst|lz4|z))?)", re.IGNORECASE)
"""What may follow a session id in the name of an archive."""


class PacketNames:
    """The names of a run's packets that are left out of text; none unless logs are de-identified."""

    def __init__(self, settings: Settings) -> None:
        self._deidentified = settings.deidentified
        self._pattern = settings.pattern
        self._names: set[str] = set()
        self._lengths: set[int] = set()
        """Those of the names: a run can have thousands of names, but only few lengths."""

    def add(self, candidate: Candidate) -> None:
        """Add the names of a candidate except its session id."""
        session_id = "" if candidate.session is None else candidate.session.id
        self._add(candidate.path.name, "" if candidate.packet is None else candidate.packet.name, session_id)

    def _add(self, file_name: str, name: str, session_id: str) -> None:
        if not self._deidentified:
            return
        names = {file_name, name, packet_name(file_name, self._pattern)}
        if session_id and _EXTENSION.fullmatch(file_name.removeprefix(session_id)):
            names.remove(file_name)
        names = {name for name in names if len(name) >= _SHORTEST and name != session_id}
        self._names |= names
        self._lengths |= {len(name) for name in names}

    def left_out(self, text: str) -> str:
        """Return a text without the names."""
        parts = (text[k : k + length] for length in self._lengths for k in range(len(text) - length + 1))
        for name in sorted(self._names.intersection(parts), key=lambda name: (-len(name), name)):
            text = text.replace(name, NAMELESS)
        return text

    def left_out_of(self, report: Report) -> Report:
        """Return a run's report without the names, also those that packets of an interrupted run have in the archive."""
        for session in report.sessions:
            if session.archived and any(problem.code is Code.RECOVERED for problem in session.problems):
                self._add(session.archived.name, "", "" if session.session is None else session.session.id)
        if not self._names:
            return report
        return replace(
            report,
            candidates=tuple(map(self._candidate, report.candidates)),
            sessions=tuple(map(self._session, report.sessions)),
        )

    def _candidate(self, candidate: Candidate) -> Candidate:
        packet, problem = candidate.packet, candidate.problem
        return replace(
            candidate,
            path=self._path(candidate.path),
            packet=None if packet is None else replace(packet, name=self.left_out(packet.name)),
            note=self.left_out(candidate.note),
            problem=None if problem is None else self._problem(problem),
        )

    def _session(self, session: SessionReport) -> SessionReport:
        return replace(
            session,
            packet=self.left_out(session.packet),
            archived=None if session.archived is None else self._path(session.archived),
            problems=tuple(map(self._problem, session.problems)),
        )

    def _path(self, path: Path) -> Path:
        return path.with_name(self.left_out(path.name))

    def _problem(self, problem: Problem) -> Problem:
        subject, message, hint = map(self.left_out, (problem.subject, problem.message, problem.hint))
        # a command without the name cannot be run
        command = problem.command if self.left_out(problem.command) == problem.command else ""
        return replace(problem, subject=subject, message=message, hint=hint, command=command)
