"""Units by their names, without a look at the other packets of an inbox: as a job of a cluster imports them."""

from collections.abc import Callable, Collection
from pathlib import PurePath
from typing import NamedTuple

from qxbatch.discover.candidates import candidates, log_of
from qxbatch.discover.listing import names_in
from qxbatch.discover.plan import session_of
from qxbatch.discover.units import Unit, units_of
from qxbatch.events import Observer, PacketFound
from qxbatch.model import Report, Verdict
from qxbatch.pipeline.batch import imported
from qxbatch.pipeline.left import finish_left, without_finished
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings

PAIRED = (".par", ".rec")
"""A PAR and its REC are one packet, whose name is their stem."""


class Named(NamedTuple):
    """What a name stands for."""

    units: tuple[str, ...]
    """Ids of the sessions that it may be."""
    packets: tuple[str, ...]
    """Names in the inbox (in folder mode, of session folders) of the packets of these sessions."""


def named(settings: Settings, name: str) -> Named:
    """Return what a packet's name, or a session id where no packet has that name, stands for. Raises UsageError."""
    if settings.masterinbox is None:
        return Named((name,), (name,))
    log = log_of(settings)

    def ids(packet: str) -> set[str]:
        path = PurePath(packet)
        names = (packet, path.stem) if path.suffix.casefold() in PAIRED else (packet,)
        return {session.id for each in names if (session := session_of(settings, log, each)) is not None}

    there = names_in(settings.masterinbox)
    wanted = ids(name) if name in there else {name}
    packets = [each for each in there if wanted & ids(each)]
    if name in there:
        return Named(tuple(sorted(wanted)), tuple(dict.fromkeys((*packets, name))))
    return Named(tuple(sorted(wanted if packets else {name, *ids(name)})), tuple(packets))


def named_unit(settings: Settings, name: str) -> Unit:
    """Return the unit that is ready for the session of this id, or of this packet.

    Raises UsageError when nothing is, with the verdict of what was found for it.
    """
    meant = named(settings, name)
    found = candidates(settings, only=meant.packets)
    ready = [each for each in found if each.verdict is Verdict.READY]
    if not ready:
        notes = "; ".join(f"{each.path.name}: {each.verdict}" for each in found) or "nothing was found for it"
        raise UsageError(
            f"Session {name} is not ready to be imported ({notes}).", "List what is ready with --test=yes."
        )
    units = units_of(ready, folder_mode=settings.masterinbox is None)
    return next((unit for unit in units if name in (unit.name, *(p.path.name for p in unit.packets))), units[0])


def import_named(
    settings: Settings,
    packets: Collection[str],
    units: Collection[str],
    observer: Observer,
    locks: Callable[[Workspace], Locks],
) -> Report:
    """Import the packets of these names; first, finish what a killed run left of these units.

    The study level is not written. Raises UsageError and KeyboardInterrupt as `qxbatch.pipeline.opened.opened_context`.
    """
    workspace = Workspace(settings.sessionsfolder, settings.work_dir, settings.masterinbox)
    held = locks(workspace)
    recovered = finish_left(workspace, held, units)
    found = [without_finished(each, recovered) for each in candidates(settings, only=packets)]
    for candidate in found:
        observer.notify(PacketFound(candidate))
    report = Report(tuple(found), tuple(recovered))
    ready = [each for each in found if each.verdict is Verdict.READY]
    if ready:
        with imported(settings, workspace, held, ready, report, observer) as report:
            pass
    else:
        workspace.tidy()
    return report
