"""Finds and imports units (each the packets of one session) by name, without the other packets of an inbox."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from qxbatch.discover.candidates import candidates, logfile_rows
from qxbatch.discover.listing import names_in
from qxbatch.discover.plan import session_of
from qxbatch.discover.units import Unit, units_of
from qxbatch.events import Observer, PacketFound
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.pipeline.batch import importing
from qxbatch.pipeline.interrupted import finish_interrupted, judge_again, recovery_reports
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.plain_files import is_plain_name
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line

PAIRED_EXTENSIONS = (".par", ".rec")
"""A PAR and its REC are one packet, whose name is their stem."""


CheckReady = Callable[[Settings, Sequence[Candidate]], None]
"""Raises UsageError if the ready packets cannot be imported."""


class NameMatch(NamedTuple):
    """The sessions and packets that a name matches."""

    units: tuple[str, ...]
    """Ids of the sessions that the name may mean."""
    packets: tuple[str, ...]
    """Names of the packets of these sessions in the inbox; in folder mode (`--masterinbox=none`), names of session folders."""


def match_name(settings: Settings, name: str) -> NameMatch:
    """Return the match of a packet's name, or of a session id if no packet has this name. Raises UsageError, also for a path."""
    if not is_plain_name(name):
        hint = "Write the name that the packet has in its inbox, or its session id."
        raise UsageError(f"{one_line(name)} is a path, and not the name of a packet.", hint)
    if settings.masterinbox is None:
        return NameMatch((name,), (name,))
    # the table of --logfile, which maps names of packets to sessions; None without a table
    rows = logfile_rows(settings)

    def ids(packet: str) -> set[str]:
        path = PurePath(packet)
        possible_names = (packet, path.stem) if path.suffix.casefold() in PAIRED_EXTENSIONS else (packet,)
        return {session.id for text in possible_names if (session := session_of(settings, rows, text)) is not None}

    inbox_names = names_in(settings.masterinbox)
    session_ids = ids(name) if name in inbox_names else {name}
    packets = [packet for packet in inbox_names if session_ids & ids(packet)]
    if name in inbox_names:
        return NameMatch(tuple(sorted(session_ids)), tuple(dict.fromkeys((*packets, name))))
    return NameMatch(tuple(sorted(session_ids if packets else {name, *ids(name)})), tuple(packets))


def named_unit(settings: Settings, name: str) -> Unit:
    """Return the ready unit of this session id or packet.

    Raises UsageError if none is ready, with the verdict on each candidate.
    """
    match = match_name(settings, name)
    all_candidates = candidates(settings, only=match.packets)
    ready = _ready_candidates(all_candidates)
    if not ready:
        notes = (
            "; ".join(f"{candidate.path.name}: {candidate.verdict}" for candidate in all_candidates)
            or "no packet matches it"
        )
        raise UsageError(
            f"Session {name} is not ready to be imported ({notes}).", "List what is ready with --test=yes."
        )
    units = units_of(ready, folder_mode=settings.masterinbox is None)
    return next(
        (unit for unit in units if name in (unit.name, *(packet.path.name for packet in unit.packets))), units[0]
    )


def ready_packets(settings: Settings, packets: Collection[str]) -> list[Candidate]:
    """Return those of the packets with these names that are ready to be imported. Raises UsageError."""
    return _ready_candidates(candidates(settings, only=packets))


def import_named(
    settings: Settings,
    packets_of_units: Mapping[str, Collection[str]],
    observer: Observer,
    open_locks: Callable[[Workspace], Locks],
    check_ready: CheckReady | None = None,
) -> Report:
    """Import the packets of these units; first, finish what a killed run left of the units.

    `packets_of_units` maps the session id of each unit to the names of its packets. A packet that has another session now is
    refused: only the packets of these units are known, so that session may be the one of another packet.

    The study level is not written. `check_ready` is called before the import. Raises UsageError, and KeyboardInterrupt when the
    run is stopped.
    """
    workspace = Workspace(settings.sessionsfolder, settings.work_dir, settings.masterinbox)
    locks = open_locks(workspace)
    recovery = finish_interrupted(workspace, locks, settings, packets_of_units)
    packets = {packet for names in packets_of_units.values() for packet in names}
    all_candidates = [
        judge_again(candidate, recovery, packets_of_units) for candidate in candidates(settings, only=packets)
    ]
    for candidate in all_candidates:
        observer.notify(PacketFound(candidate))
    report = Report(tuple(all_candidates), tuple(recovery_reports(recovery, all_candidates)))
    ready = _ready_candidates(all_candidates)
    if ready:
        if check_ready is not None:
            workspace.tidy()
            check_ready(settings, ready)
        with importing(settings, workspace, locks, ready, report, observer) as report:
            pass  # only the report is needed
    else:
        locks.sweep()  # a run can be killed after its last step, before it has released its locks
        workspace.tidy()
    return report


def _ready_candidates(all_candidates: Iterable[Candidate]) -> list[Candidate]:
    return [candidate for candidate in all_candidates if candidate.verdict is Verdict.READY]
