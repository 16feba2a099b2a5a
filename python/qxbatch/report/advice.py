"""Advice if --sessions or --logfile match nothing because of a mistake, and if the master inbox is missing."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from qxbatch.discover.listing import names_in
from qxbatch.discover.plan import packet_name
from qxbatch.model import Candidate, Verdict
from qxbatch.report.sessions_advice import Expressions, Globs, corrected_sessions
from qxbatch.resolve.logfile import LogfileRows, read_logfile
from qxbatch.settings.model import LogfileSpec, Settings
from qxbatch.settings.paths import outside_path
from qxbatch.visible import shell_word


def advice(candidates: Sequence[Candidate], settings: Settings) -> list[str]:
    """Return a sentence for each mistake, with what corrects it: an option, a cell of the logfile, or a command."""
    lines = [missing_inbox_text(settings), *_sessions_sentences(candidates, settings)]
    unmatched = [candidate for candidate in candidates if candidate.verdict is Verdict.NO_MATCH_IN_LOGFILE]
    if unmatched and settings.logfile is not None:
        names = [packet_name(candidate.path.name, settings.pattern) for candidate in unmatched]
        lines.append(_logfile_sentence(names, read_logfile(settings.logfile), settings.logfile))
    return [line for line in lines if line]


def missing_inbox_text(settings: Settings) -> str:
    """Return a message with the command that creates the master inbox; empty if the inbox exists or is not used."""
    inbox = settings.masterinbox
    if inbox is None or os.path.isdir(inbox):  # noqa: PTH112 - False if it cannot be read
        return ""
    command = f"mkdir -p {shell_word(str(outside_path(inbox, settings.path_map)))}"
    return f"The master inbox {inbox} does not exist. Create it, and put packets into it: {command}"


def _sessions_sentences(candidates: Sequence[Candidate], settings: Settings) -> list[str]:
    """Return a sentence with another value of --sessions, if items of it match nothing but are close to a name."""
    if not settings.sessions:
        return []
    if settings.masterinbox is None:
        folders = [name for name in names_in(settings.sessionsfolder) if not name.startswith(".")]
        return corrected_sessions(settings.sessions, Globs(folders))
    names = [name for candidate in candidates for name in _names(candidate, settings)]
    return corrected_sessions(settings.sessions, Expressions(names, lambda name: packet_name(name, settings.pattern)))


def _names(candidate: Candidate, settings: Settings) -> list[str]:
    name = packet_name(candidate.path.name, settings.pattern)
    session = candidate.session
    return [text for text in (name, session.id if session else "") if text]


def _logfile_sentence(names: Sequence[str], rows: LogfileRows, spec: LogfileSpec) -> str:
    """Return a sentence if the logfile has one of these packets in another case, with an extension, or in another column.

    Else return an empty text.
    """
    match = _first_cell({cell.partition(".")[0].casefold(): cell for cell in rows}, [name.casefold() for name in names])
    if match:
        name, cell = match
        packet = next(text for text in names if text.casefold() == name)
        return (
            f"The logfile {spec.path} names the packet {packet} as {cell}: write {packet} in column {spec.packet_name}."
        )
    for column, attribute in (("subject_id", "subject"), ("session_name", "session")):
        if any(getattr(entry, attribute) in names for entry in rows.values()):
            return _swapped_columns_sentence(spec, column)
    return ""


def _first_cell(cells: Mapping[str, str], names: Iterable[str]) -> tuple[str, str] | None:
    """Return the first of the names that has a cell, and this cell; None if no name has one."""
    return next(((name, cells[name]) for name in names if name in cells), None)


def _swapped_columns_sentence(spec: LogfileSpec, column: str) -> str:
    """Return a sentence that says which column has the packet names, with the option in which both columns are swapped."""
    names_column = getattr(spec, column)
    right = replace(spec, **{"packet_name": names_column, column: spec.packet_name})
    columns = [f"path:{right.path}", f"packet_name:{right.packet_name}", f"subject_id:{right.subject_id}"]
    columns += [] if right.session_name is None else [f"session_name:{right.session_name}"]
    return (
        f"The packet names are in column {names_column} of the logfile {spec.path}, and --logfile takes them from "
        f"column {spec.packet_name}. Write: --logfile={shell_word('|'.join(columns))}"
    )
