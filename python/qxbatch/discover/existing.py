"""Compares packets with the session folders that exist already."""

import os
from collections.abc import Sequence
from pathlib import Path

from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.packet_places import refuse_packet_places
from qxbatch.discover.plan import UnusableFolder, judge_existing, refuse_unusable
from qxbatch.discover.split_before import was_split
from qxbatch.session.contents import has_inbox_or_results, why_unreadable
from qxbatch.settings.model import OnMixed, Settings


def judge_by_session_folders(judged: Sequence[JudgedEntry], settings: Settings) -> list[JudgedEntry]:
    """Judge ready entries by the session folder that exists already.

    An entry is refused if what is in the place of the session folder cannot be opened, is not a folder, is a packet, or is or
    contains the master inbox or the archive. The others are judged by `judge_existing`.
    """
    ids = {entry.session.id for entry in judged if entry.is_ready and entry.session}
    unusable = {name: why for name in ids if (why := _why_unusable(settings.sessionsfolder / name))}
    judged = refuse_unusable(judged, unusable, settings)
    existing = {name: what for name in ids.difference(unusable) if (what := existing_clause(settings, name))}
    return refuse_packet_places(judge_existing(judged, existing, settings), settings)


def _why_unusable(folder: Path) -> UnusableFolder | None:
    """Return why no session can be in a folder; None if it is a folder that can be opened, or does not exist."""
    why = why_unreadable(folder)
    if why:
        hint = "Change the permissions of that folder, or move it away, and import it:"
        return UnusableFolder(f"its session folder {folder} cannot be opened: {why}.", hint)
    if not os.path.lexists(folder) or folder.is_dir():
        return None
    what = "a link to nothing" if folder.is_symlink() and not folder.exists() else "not a folder"
    return UnusableFolder(f"its session folder {folder} is {what}.", "Move it away, and import it:")


def existing_clause(settings: Settings, session: str) -> str:
    """Return a clause that names existing sessions made from the packet with this session id; empty if there are none.

    Sessions into which the packet was split count in folder mode, and with `--on-mixed=split`.
    """
    if has_inbox_or_results(settings.sessionsfolder / session):
        return f"session {session} exists"
    splits = settings.masterinbox is None or settings.on_mixed is OnMixed.SPLIT
    if splits and was_split(settings.sessionsfolder, session):
        return f"it was split into {session}-1 and others"
    return ""
