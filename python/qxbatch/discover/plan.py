"""The plan of inbox mode: a verdict for each entry.

Only refused entries, and entries named like a folder of the study (`inbox`, `qc`), cause reads from the disk.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Self

from qxbatch.discover.entry import PACKET_KINDS, Entry, Shape
from qxbatch.discover.filters import exact_expressions, filter_reason
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.packet_refusals import refuse_unreadable_or_bad_name, with_session
from qxbatch.discover.unfinished_copies import unfinished_reason
from qxbatch.discover.unsupported_archives import UNOPENED
from qxbatch.model import SessionId, Verdict
from qxbatch.parrec.pairing import Member, pair_rows, pair_stem
from qxbatch.problems import Code
from qxbatch.resolve.bids_name import session_by_bids_name
from qxbatch.resolve.nameformat import session_by_name
from qxbatch.settings.command import command_for
from qxbatch.settings.model import OnSameSession, Settings

if TYPE_CHECKING:
    from qxbatch.resolve.logfile import LogfileRows

MAX_NAMED = 20
"""Maximum number of packets that the message about one session names."""


def judge_entries(entries: Sequence[Entry], settings: Settings, rows: "LogfileRows | None") -> list[JudgedEntry]:
    """Judge each entry separately: its name, its session, the filters, its content."""
    pars = _pars_of_pairs(entries)
    stems = [pair_stem(pars.get(entry.name, "")) for entry in entries]
    exact = _exact_expressions(zip(entries, stems, strict=True), settings, rows) if settings.sessions else frozenset()
    return [_judge(entry, settings, rows, pars.get(entry.name, ""), exact) for entry in entries]


def _exact_expressions(
    entries: Iterable[tuple[Entry, str]], settings: Settings, rows: "LogfileRows | None"
) -> Collection[str]:
    """Return the expressions of --sessions that name the session of one of these entries exactly (`exact_expressions`)."""
    names = (packet_name(entry.name, settings.pattern, stem) for entry, stem in entries)
    sessions = (_resolve(name, settings, rows)[0] for name in names if name)
    return exact_expressions(settings, (session for session in sessions if session is not None))


def _pars_of_pairs(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the file name of the PAR of each loose pair, by the names of the PAR and of its REC; they pair as in a packet."""
    pairs, _ = pair_rows(
        Member(row, entry.name, entry.name, entry.content)
        for row, entry in enumerate(entries)
        if entry.content in ("par", "rec")
    )
    return {entries[row].name: entries[par].name for par, rec in pairs if rec is not None for row in (par, rec)}


def _judge(
    entry: Entry, settings: Settings, rows: "LogfileRows | None", pair_par: str, exact: Collection[str]
) -> JudgedEntry:
    link = f"a link to {entry.link}" if entry.link else ""
    judged = JudgedEntry(entry.path, Verdict.READY, note=link)
    if entry.overlap:
        return judged.with_verdict(Verdict.STRAY, entry.overlap)
    name = packet_name(entry.name, settings.pattern, pair_stem(pair_par))
    if not name:
        return judged.with_verdict(Verdict.NO_NAME, "--pattern finds no name in it")
    judged = judged._replace(packet_name=name, pair_par=pair_par)
    session, unresolved, why = _resolve(name, settings, rows)
    why_filtered = filter_reason(settings, name, session, exact)
    why_stray = _stray_reason(entry, pair_par)
    if why_filtered:
        return judged._replace(session=session).with_verdict(Verdict.FILTERED, why_filtered)
    find_session = partial(session_of, settings, rows)
    refused = None if why_stray else refuse_unreadable_or_bad_name(entry, judged, settings, find_session)
    if refused:
        return refused
    if why_stray or session is None:
        return judged.with_verdict(Verdict.STRAY if why_stray else unresolved, why_stray or why)
    return with_session(judged, session, entry, settings, find_session)


def packet_name(name: str, pattern: re.Pattern[str], stem: str = "") -> str:
    """Return what the pattern finds in a name, else an empty text. The stem of a PAR and its REC is searched first."""
    group = "packet_name" if "packet_name" in pattern.groupindex else "session_id"
    for text in (stem, name) if stem else (name,):
        match = pattern.search(text)
        if match and match[group]:
            return str(match[group])
    return ""


def _resolve(name: str, settings: Settings, rows: "LogfileRows | None") -> tuple[SessionId | None, Verdict, str]:
    """Return the session or None, and the verdict and the reason for an entry without a session."""
    if rows is None:
        session = (session_by_bids_name(name) if settings.reads_bids_names else None) or session_by_name(
            name, settings.nameformat
        )
        return session, Verdict.NOT_PARSED, f"--nameformat finds no subject in {name}"
    if name not in rows:
        return None, Verdict.NO_MATCH_IN_LOGFILE, f"the logfile does not name {name}"
    return rows[name].session_id, Verdict.NOT_PARSED, f"the logfile names no subject for {name}"


def session_of(settings: Settings, rows: "LogfileRows | None", file_name: str) -> SessionId | None:
    """Return the session of a packet with that file name; None if it has none."""
    name = packet_name(file_name, settings.pattern)
    return _resolve(name, settings, rows)[0] if name else None


def _stray_reason(entry: Entry, pair_par: str) -> str:
    """Return why an entry is not a packet; empty if it is one."""
    why_unfinished = unfinished_reason(entry.name)
    if why_unfinished or entry.shape in (Shape.FOLDER, Shape.UNREADABLE):
        return why_unfinished
    if entry.shape is not Shape.FILE:
        vanished = entry.shape is Shape.BROKEN_LINK and not entry.link
        return "it vanished meanwhile" if vanished else f"{entry.shape}"
    if entry.content in PACKET_KINDS or entry.content in UNOPENED or (entry.content == "rec" and pair_par):
        return ""
    if entry.content == "empty":
        return "it is empty"
    if entry.content == "rec":
        return "a REC without its PAR"
    return "neither an archive nor DICOM nor PAR"


class UnusableFolder(NamedTuple):
    """Why the folder of a session cannot be used."""

    reason: str
    hint: str


def refuse_unusable(
    judged: Iterable[JudgedEntry], unusable: Mapping[str, UnusableFolder], settings: Settings
) -> list[JudgedEntry]:
    """Refuse ready entries if the folder of their session cannot be used; `unusable` maps session ids to the reason."""
    return [
        entry.refuse(Code.CANNOT_WRITE, *unusable[entry.session.id], command_for(settings, [entry.session.id]))
        if entry.is_ready and entry.session is not None and entry.session.id in unusable
        else entry
        for entry in judged
    ]


def judge_existing(judged: Iterable[JudgedEntry], existing: Mapping[str, str], settings: Settings) -> list[JudgedEntry]:
    """Set ready entries to ALREADY_THERE if their session exists and is not imported again.

    `existing` maps session ids to a clause that says what exists.
    """
    return [_judge_existing(entry, existing, settings) for entry in judged]


def _judge_existing(judged: JudgedEntry, existing: Mapping[str, str], settings: Settings) -> JudgedEntry:
    if not judged.is_ready or judged.session is None or judged.session.id not in existing:
        return judged
    if settings.overwrite:
        return judged.with_verdict(Verdict.READY, "its session is imported again")
    command = command_for(settings, [judged.session.id], {"overwrite": "yes"})
    return judged.with_verdict(Verdict.ALREADY_THERE, f"{existing[judged.session.id]}; to import it again: {command}")


def judge_same_session(judged: Sequence[JudgedEntry], settings: Settings) -> list[JudgedEntry]:
    """Refuse several packets that are ready for one session, or note that they are merged.

    They are merged with --on-same-session=merge, and if they are only a PAR and its REC. Packets of different subjects, for
    example `A_B` and `A` with the session labels `C` and `B_C`, are refused also with --on-same-session=merge.
    """
    by_session: dict[str, list[JudgedEntry]] = defaultdict(list)
    for entry in judged:
        if entry.is_ready and entry.session is not None:
            by_session[entry.session.id].append(entry)
    groups = {session: _SessionPackets.of(packets) for session, packets in by_session.items()}
    return [
        _judge_same_session(entry, groups[entry.session.id], settings) if entry.is_ready and entry.session else entry
        for entry in judged
    ]


class _SessionPackets(NamedTuple):
    """The ready packets of one session."""

    packet_count: int
    first_names: Sequence[str]
    """At most MAX_NAMED + 1 of their names: the texts of thousands of packets must not name all of them each."""
    pair_pars: Collection[str]
    subjects: Collection[str]

    @classmethod
    def of(cls, packets: Sequence[JudgedEntry]) -> Self:
        first_names = [packet.path.name for packet in packets[: MAX_NAMED + 1]]
        subjects = {packet.session.subject for packet in packets if packet.session}
        return cls(len(packets), first_names, {packet.pair_par for packet in packets}, subjects)

    def names(self, without: str | None = None) -> str:
        """Return the names, without one of them if `without` is given; a long list is shortened."""
        named = [name for name in self.first_names if name != without][:MAX_NAMED]
        remaining = self.packet_count - (without is not None) - len(named)
        return f"{', '.join(named)}{f' and {remaining} more' if remaining else ''}"


def _judge_same_session(judged: JudgedEntry, packets: _SessionPackets, settings: Settings) -> JudgedEntry:
    if packets.packet_count == 1:
        return judged
    if judged.pair_par and len(packets.pair_pars) == 1:
        return judged.with_verdict(Verdict.READY, f"together with {packets.names(judged.path.name)}")
    if len(packets.subjects) > 1:
        hint = "Rename one of them, or correct what names their subjects (--nameformat or the table of --logfile)."
        refused = judged.refuse(Code.SAME_SESSION, "have one session id, but not the same subject.", hint)
        return _with_all_packets(refused, packets, has_remedy=False)
    if settings.on_same_session is OnSameSession.MERGE:
        return judged.with_verdict(Verdict.READY, f"one session with {packets.names(judged.path.name)}")
    session = judged.session.id if judged.session else ""
    refused = judged.refuse(
        Code.SAME_SESSION,
        f"belong to one session, {session}.",
        "Move all but one away, or import them as one session:",
        command_for(settings, [session], {"on_same_session": "merge"}),
    )
    return _with_all_packets(refused, packets)


def _with_all_packets(refused: JudgedEntry, packets: _SessionPackets, *, has_remedy: bool = True) -> JudgedEntry:
    """Return a refused entry whose problem is that of all packets of its session."""
    assert refused.problem is not None
    subject = str(refused.path.with_name(packets.names()))
    return refused._replace(problem=replace(refused.problem, subject=subject, has_remedy=has_remedy))
