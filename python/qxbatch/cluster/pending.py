"""What a run found becomes the states of a new submission, without what an earlier one is to import."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence

from qxbatch.cluster.record import record_of, refused_state, unit_state
from qxbatch.cluster.state import State
from qxbatch.cluster.status import status_of
from qxbatch.cluster.submission import Submission, new_submission, submissions
from qxbatch.discover.units import Unit
from qxbatch.model import Report, Verdict
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings


def make_submission(
    settings: Settings, given: Mapping[str, str], units: Sequence[Unit], report: Report
) -> Submission | None:
    """Write the states of what no other submission is to import; None where all is."""
    folder = settings.sessionsfolder
    earlier = submissions(folder)
    pending = _pending(earlier)
    free = [unit for unit in units if pending.isdisjoint(packet_names(unit))]
    if len(free) < len(units):
        print(f"{len(units) - len(free)} of {len(units)} are submitted already: `qxbatch jobs {folder}` shows them.")
    if not free:
        return None
    refused = [each for each in report.candidates if each.verdict is Verdict.REFUSED]
    states = [unit_state(k, unit, packet_names(unit)) for k, unit in enumerate(free)]
    states += [refused_state(len(states) + k, each) for k, each in enumerate(refused)]
    _remove_done(earlier)
    return new_submission(folder, record_of(settings, given, report), states)


def packet_names(unit: Unit) -> tuple[str, ...]:
    """Return the names under which a unit's packets are found again."""
    return (unit.name,) if unit.inbox is not None else tuple(packet.path.name for packet in unit.packets)


def _pending(earlier: Sequence[Submission]) -> set[str]:
    """Return the packets that jobs are to import. Where a queue does not answer, those that were to be."""
    rows = status_of(earlier).of_state(State.WAITING, State.RUNNING)
    return {packet for row in rows for packet in row.unit.packets}


def _remove_done(earlier: Iterable[Submission]) -> None:
    """Remove the submissions of which all units are done."""
    for submission in earlier:
        states = list(submission.all_states())
        done = len(states) == submission.size and all(each.state is State.DONE for each in states)
        if done and submission.user == os.geteuid():
            shutil.rmtree(submission.folder, ignore_errors=True)


def choose_archive_numbers(settings: Settings, workspace: Workspace, locks: Locks, units: Sequence[Unit]) -> None:
    """Folder mode: archives of one name get their numbers now, so that the order of the tasks does not matter."""
    inboxes = [unit.inbox for unit in units if unit.inbox is not None]
    if inboxes:
        from qxbatch.core import Monitor
        from qxbatch.pipeline.archive_numbers import numbers_of

        numbers_of(inboxes, settings, workspace, locks, Monitor())
