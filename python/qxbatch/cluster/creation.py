"""Creates a submission from units (the packets of one session each) that a run found and that do not wait or run already."""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence

from qxbatch.cluster.new_submission import new_submission, remove_unfinished
from qxbatch.cluster.record import first_state, record_of, refused_state
from qxbatch.cluster.state import ImportState
from qxbatch.cluster.status import query_status
from qxbatch.cluster.submission import Submission, read_submissions
from qxbatch.counted import counted
from qxbatch.discover.units import Unit
from qxbatch.model import Report, Verdict
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line, shell_word

SUBMIT_LOCK = "submit"
"""Name of the lock of a run that submits: two runs must not submit the same packet."""


def make_submission(
    settings: Settings, options: Mapping[str, str], units: Sequence[Unit], report: Report
) -> Submission | None:
    """Return a new submission of the units whose packets exist and do not wait or run already; None if there are none.

    `options` are all given options of the run. Refused candidates become failed units of the submission. Units that are left out
    are counted in a printed message. Submissions of this user whose units are all done are removed, and so is what killed runs left
    of incomplete ones. Raises UsageError, OSError.
    """
    folder = settings.sessionsfolder
    remove_unfinished(folder)
    previous = read_submissions(folder, lambda error: print(one_line(str(error))))
    submitted = _waiting_or_running(previous)
    present = [unit for unit in units if all(os.path.lexists(packet.path) for packet in unit.packets)]
    if len(present) < len(units):
        missing = len(units) - len(present)
        print(f"Packets of {missing} of {counted(len(units), 'session')} are no longer in the inbox.")
    new = [unit for unit in present if submitted.isdisjoint(packet_names(unit))]
    if len(new) < len(present):
        number, command = len(present) - len(new), f"qxbatch jobs {shell_word(str(folder))}"
        print(f"Packets of {number} of {counted(len(units), 'session')} are submitted already. To list them: {command}")
    if not new:
        return None
    refused = [candidate for candidate in report.candidates if candidate.verdict is Verdict.REFUSED]
    states = [first_state(k, unit, packet_names(unit)) for k, unit in enumerate(new)]
    states += [refused_state(len(states) + k, candidate) for k, candidate in enumerate(refused)]
    _remove_done(previous)
    return new_submission(folder, record_of(settings, options, report), states)


def packet_names(unit: Unit) -> tuple[str, ...]:
    """Return the names that identify the packets of a unit; in folder mode (`--masterinbox=none`), the name of its session."""
    return (unit.name,) if unit.folder_mode else tuple(packet.path.name for packet in unit.packets)


def _waiting_or_running(previous: Sequence[Submission]) -> set[str]:
    """Return the names of packets that wait or run; as last recorded, if a queue does not answer."""
    status = query_status(previous)
    for reason in status.unreadable:
        print(one_line(reason))
    rows = status.rows_in_state(ImportState.WAITING, ImportState.RUNNING)
    return {packet for row in rows for packet in row.unit.packets}


def _remove_done(previous: Iterable[Submission]) -> None:
    """Remove this user's submissions whose units are all done."""
    for submission in previous:
        states = list(submission.all_states())
        done = len(states) == submission.unit_count and all(state.state is ImportState.DONE for state in states)
        if done and submission.owner_id == os.geteuid():
            with contextlib.suppress(OSError):
                submission.remove()


def choose_archive_numbers(settings: Settings, workspace: Workspace, locks: Locks, units: Sequence[Unit]) -> None:
    """In folder mode (`--masterinbox=none`), choose and store the numbers of the archives whose names are not unique.

    They are chosen before the tasks run, so that they do not depend on the order of tasks. Raises OSError, KeyboardInterrupt.
    """
    inboxes = [unit.session_inbox for unit in units if unit.session_inbox is not None]
    if inboxes:
        from qxbatch.core import Monitor
        from qxbatch.pipeline.archive_numbers import store_archive_numbers

        store_archive_numbers(inboxes, settings, workspace, locks, Monitor())
