"""Finds the packets that a name means, and their sessions, without reading the other packets of the inbox."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from qxbatch.discover.candidates import logfile_rows
from qxbatch.discover.listing import list_inbox, names_in
from qxbatch.discover.plan import judge_entries, session_of
from qxbatch.parrec.pairing import has_paired_extension, pair_stem
from qxbatch.problems import UsageError
from qxbatch.publish.plain_files import is_plain_name
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line

if TYPE_CHECKING:
    from qxbatch.resolve.logfile import LogfileRows


class NameMatch(NamedTuple):
    """The sessions and packets that a name matches."""

    session_ids: tuple[str, ...]
    """Ids of the sessions that the name may mean: by the file name and, for a PAR or REC, also by the stem of the pair.

    The other file of the pair may be missing because an interrupted run archived it.
    """
    packet_names: tuple[str, ...]
    """Names of the packets of these sessions in the inbox; in folder mode (`--masterinbox=none`), names of session folders."""


def match_name(settings: Settings, name: str) -> NameMatch:
    """Return the match of a packet's name, or of a session id if no packet has this name. Raises UsageError, also for a path."""
    if not is_plain_name(name):
        hint = "Write the name that the packet has in its inbox, or its session id."
        raise UsageError(f"{one_line(name)} is a path, and not the name of a packet.", hint)
    if settings.masterinbox is None:  # folder mode
        return NameMatch((name,), (name,))
    # the table of --logfile, which maps names of packets to sessions; None without a table
    rows = logfile_rows(settings)
    inbox_names = names_in(settings.masterinbox)

    def possible_ids(packet: str) -> set[str]:
        """Return the session ids by the file name, and by the stem of its PAR/REC pair."""
        names = dict.fromkeys((packet, pair_stem(packet)))
        return {session.id for text in names if (session := session_of(settings, rows, text)) is not None}

    if name not in inbox_names:
        packets = _with_pairs([packet for packet in inbox_names if name in possible_ids(packet)], inbox_names)
        packets = [packet for packet, session in _sessions_of(settings, rows, packets).items() if session == name]
        return NameMatch((name,) if packets else tuple(sorted({name, *possible_ids(name)})), tuple(packets))
    chosen = set().union(*map(possible_ids, _with_pairs([name], inbox_names)))
    packets = _with_pairs([packet for packet in inbox_names if chosen & possible_ids(packet)], inbox_names)
    sessions = _sessions_of(settings, rows, packets)
    if name not in sessions:
        return NameMatch(tuple(sorted(chosen)), (name,))
    packets = [packet for packet in packets if sessions.get(packet) == sessions[name]]
    return NameMatch(tuple(sorted({sessions[name], *chosen})), tuple(packets))


def _with_pairs(packets: Sequence[str], inbox_names: Sequence[str]) -> list[str]:
    """Return the packets, and the other files of the inbox that may form a pair of PAR and REC with one of them."""
    stems = {pair_stem(name).casefold() for name in packets}  # also of other names: a PAR is recognised by its content
    return [name for name in inbox_names if name in packets or pair_stem(name).casefold() in stems]


def _sessions_of(settings: Settings, rows: "LogfileRows | None", packets: Sequence[str]) -> dict[str, str]:
    """Return the session ids of the packets that have one. Files are opened only if one is named as a PAR or a REC."""
    if settings.masterinbox is not None and any(map(has_paired_extension, packets)):
        written_folders = (settings.sessionsfolder, settings.archive_folder)
        judged = judge_entries(list_inbox(settings.masterinbox, written_folders, only_names=packets), settings, rows)
        sessions = {entry.path.name: entry.session for entry in judged}
    else:
        sessions = {packet: session_of(settings, rows, packet) for packet in packets}
    return {packet: session.id for packet, session in sessions.items() if session is not None}
