"""Leaves names of packets, which may contain names of patients, out of de-identified logs and summaries.

Only the names themselves are found in text, not similar ones, such as the new name in a command that renames a packet. So a
candidate whose name is left out has no command, and a message about an invalid name does not say what is wrong with it.
"""

import re
from dataclasses import replace
from pathlib import Path

from qxbatch.deidentify import NAME_LEFT_OUT
from qxbatch.discover.plan import packet_name
from qxbatch.model import Candidate, Report, SessionReport
from qxbatch.problems import Code, Problem
from qxbatch.record.redacted import redacted_problem, without_command
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line, shell_word

_MIN_LENGTH = 3
"""Shorter names are not left out: they are part of many words."""
_EXTENSION = re.compile(r"\.(?:zip|7z|tgz|tarz|tar(?:\.(?:gz|bz2|xz|zst|lz4|z))?)", re.IGNORECASE)
"""What may follow a session id in the name of an archive."""
_LINK = re.compile(r"\ba link to [^;]*")
"""The note about a link; its target may be named like a patient."""
_BAD_NAME = "its name cannot be used; the terminal showed it."


def _escaped_forms(name: str) -> set[str]:
    """Return the forms of a name in messages, and in the words of commands; a word is a name, or a path that contains it."""
    quoted = name.replace("'", "'\"'\"'")  # as shlex.quote does
    in_dollar_quotes = shell_word(f"{name}\n")[2:-3]  # without the line feed
    return {one_line(name), quoted, in_dollar_quotes, repr(name)[1:-1]}


class PacketNames:
    """The names of a run's packets that are left out of text; none unless logs are de-identified."""

    def __init__(self, settings: Settings) -> None:
        self._deidentified = settings.deidentified
        self._pattern = settings.pattern
        self._names: set[str] = set()
        self._lengths: set[int] = set()
        """The lengths of `_names`. A run can have thousands of names, but they have only few lengths."""

    def add(self, candidate: Candidate) -> None:
        """Add the names of a candidate, except a name that is its session id, alone or with the extension of an archive."""
        session_id = "" if candidate.session is None else candidate.session.id
        self._add(candidate.path.name, "" if candidate.packet is None else candidate.packet.packet_name, session_id)

    def add_of_session(self, report: SessionReport) -> None:
        """Add the packet names in the report of a session. The patient's name may be redacted in them already."""
        session_id = "" if report.session is None else report.session.id
        for name in (*report.packet.split(", "), *([report.archived.name] if report.archived else [])):
            self._add(name, "", session_id)

    def _add(self, file_name: str, name: str, session_id: str) -> None:
        """Add the file name of a packet, its packet name as far as known (`name`), and the forms in which texts escape them."""
        if not self._deidentified:
            return
        names = {file_name, name, packet_name(file_name, self._pattern)}
        if session_id and _EXTENSION.fullmatch(file_name.removeprefix(session_id)):
            names.remove(file_name)
        names |= {form for name in names for form in _escaped_forms(name)}
        names = {name for name in names if len(name) >= _MIN_LENGTH and name != session_id}
        self._names |= names
        self._lengths |= {len(name) for name in names}

    def redact_text(self, text: str) -> str:
        """Return a text with NAME_LEFT_OUT in place of the names."""
        parts = (text[k : k + length] for length in self._lengths for k in range(len(text) - length + 1))
        names = sorted(self._names.intersection(parts), key=lambda name: (-len(name), name))
        # NAME_LEFT_OUT comes first, so that no name is replaced inside it
        pattern = "|".join(map(re.escape, [NAME_LEFT_OUT, *names]))
        return re.sub(pattern, NAME_LEFT_OUT, text) if names else text

    def redact_report(self, report: Report) -> Report:
        """Return a run's report without names of packets.

        The names in the reports of sessions are left out, too: archives in the inboxes of sessions, and packets of an interrupted
        run, are not candidates.
        """
        for session in report.sessions:
            self.add_of_session(session)
        if not self._deidentified:
            return report
        return replace(
            report,
            candidates=tuple(map(self.redact_candidate, report.candidates)),
            sessions=tuple(map(self._redact_session, report.sessions)),
        )

    def redact_candidate(self, candidate: Candidate) -> Candidate:
        """Return a candidate without the names."""
        if not self._deidentified:
            return candidate
        packet, problem = candidate.packet, candidate.problem
        path = self._redact_path(candidate.path)
        if problem is not None:
            if path != candidate.path:
                problem = without_command(problem, self.redact_text)
            problem = self.redact_problem(problem)
            if problem.code is Code.BAD_NAME:
                problem = replace(problem, message=_BAD_NAME, hint="")
        return replace(
            candidate,
            path=path,
            packet=None if packet is None else replace(packet, packet_name=self.redact_text(packet.packet_name)),
            note=_LINK.sub("a link", self.redact_text(candidate.note)),
            problem=problem,
        )

    def _redact_session(self, session: SessionReport) -> SessionReport:
        return replace(
            session,
            packet=self.redact_text(session.packet),
            archived=None if session.archived is None else self._redact_path(session.archived),
            problems=tuple(map(self.redact_problem, session.problems)),
        )

    def _redact_path(self, path: Path) -> Path:
        return path.with_name(self.redact_text(path.name))

    def redact_problem(self, problem: Problem) -> Problem:
        """Return a problem without the names, and without a command that contains one."""
        return redacted_problem(problem, self.redact_text)
