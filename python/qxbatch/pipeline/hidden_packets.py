"""Reports packets of the master inbox that a killed run renamed to a hidden name, if the journal and staging of that run are gone.

As long as these exist, the next run finishes the import instead.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from qxbatch.discover.listing import names_in
from qxbatch.discover.own_names import HiddenKind, hidden_name, is_shortened, parse_hidden_name
from qxbatch.model import SessionReport
from qxbatch.pipeline.removed_packet import compare_with_sessions
from qxbatch.problems import Code, Problem
from qxbatch.publish.durable import NO_RUN
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings
from qxbatch.settings.paths import outside_path
from qxbatch.visible import shell_word

_AT_WORK_SECONDS = 120
"""A name in a shared inbox that changed in the last 120 s may be in use by a run of another study, which this run cannot see."""
_GIVE_BACK = "If no other run uses this inbox, give the packet its name back:"
_STATES = {
    HiddenKind.ASIDE: ("it was renamed to be archived", _GIVE_BACK),
    HiddenKind.PART: ("some of its files were moved here", _GIVE_BACK),
    HiddenKind.GONE: ("it was being removed", _GIVE_BACK),
}
"""Maps the kind of a hidden name to what the run did with the packet, as a part of the message, and to the hint."""
_COPY_BACK = (
    "If no other run uses this inbox, copy them back. Then compare both folders, and remove the hidden one. To copy:"
)
"""The hint for `HiddenKind.PART` if the folder that has the other files still exists."""
_REMOVE = "If you do not need the packet, remove it:"


def hidden_packet_reports(settings: Settings, workspace: Workspace) -> list[SessionReport]:
    """Return a report for each file or folder in the master inbox that has a hidden name of no known run.

    In an inbox outside of the sessions folder, only for those that did not change in the last _AT_WORK_SECONDS seconds. Empty if a
    journal or staging cannot be read, because its run is not known then. Raises UsageError.
    """
    inbox = settings.masterinbox
    if inbox is None:  # folder mode
        return []
    names = names_in(inbox)
    entries = [(name, *parts) for name in names if (parts := parse_hidden_name(name)) and parts[0] in _STATES]
    if not entries:
        return []
    try:
        # read after the names: a run creates its staging before it renames a packet
        # NO_RUN is in hidden names of tables and pages, not of packets
        known_tags = {NO_RUN, *_tags(workspace)}
    except OSError:  # a packet may be of a journal or staging that cannot be read; the recovery reports those
        return []
    latest_change = math.inf if inbox.is_relative_to(workspace.sessionsfolder) else time.time() - _AT_WORK_SECONDS
    return [
        SessionReport(original, None, None, (_problem(inbox / name, kind, original, settings),))
        for name, kind, tag, shortened in entries
        for original in [_original_name(name, kind, tag, names) or shortened]
        if tag not in known_tags and _is_unchanged_since(inbox / name, latest_change)
    ]


def _original_name(hidden: str, kind: HiddenKind, tag: str, names: Sequence[str]) -> str:
    """Return the name in the inbox that was shortened to this hidden name; empty if there is none."""
    if not is_shortened(hidden):
        return ""
    return next((name for name in names if hidden_name(kind, tag, name) == hidden), "")


def _tags(workspace: Workspace) -> Iterator[str]:
    """Yield the tags in hidden names of all runs with staging or a journal. Raises OSError if one of these cannot be read."""
    from qxbatch.publish.journal import run_of_journal  # a run without packets does not load it

    for unit in workspace.units():
        for run in workspace.runs(unit):
            yield workspace.of_run(run).hidden_name_tag(unit)
    for unit in workspace.units_with_journal():
        yield workspace.of_run(run_of_journal(workspace.journal_path(unit))).hidden_name_tag(unit)


def _is_unchanged_since(path: Path, moment: float) -> bool:
    """Return whether a path got its name, or was last changed, at `moment` (seconds since 1970) or before; False if missing."""
    try:
        return path.lstat().st_ctime <= moment
    except OSError:
        return False


def _problem(path: Path, kind: HiddenKind, original: str, settings: Settings) -> Problem:
    """Return the problem of a packet with a hidden name; its command restores the packet named `original`, or removes it."""
    state, hint = _STATES[kind]
    can_be_removed = False
    if kind is HiddenKind.GONE:
        can_be_removed, text = compare_with_sessions(path, original, settings)
        hint = f"{text} {_REMOVE if can_be_removed else hint}"
    if is_shortened(path.name) and path.name.endswith(original):
        hint = f"The name of the packet was longer: correct it after the command. {hint}"
    message = f"belongs to {original} and is not imported: {state} by an interrupted run whose journal is missing."
    # in a container, the paths in the command are those outside of it
    hidden, restored = (
        shell_word(str(outside_path(each, settings.path_map))) for each in (path, _restored(path, original, kind))
    )
    command = f"rm -r -- {hidden}" if can_be_removed else f"mv -nT -- {hidden} {restored}"
    if kind is HiddenKind.PART and os.path.lexists(path.with_name(original)):
        hint, command = _COPY_BACK, f"cp -an -- {hidden}/. {restored}/"
    return Problem(Code.RECOVERED, str(path), message, hint, command=command)


def _restored(path: Path, original: str, kind: HiddenKind) -> Path:
    """Return the path that a packet gets back; a numbered one if another packet has the name, except for `HiddenKind.PART`."""
    from qxbatch.archive.names import kth_name

    k = 1
    while kind is not HiddenKind.PART and os.path.lexists(path.with_name(kth_name(original, k))):
        k += 1
    return path.with_name(kth_name(original, k))
