"""Compares packets with the session folders that exist already."""

from collections.abc import Sequence

from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.plan import judge_existing, refuse_unreadable
from qxbatch.discover.split_before import was_split
from qxbatch.session.contents import has_session, why_unreadable
from qxbatch.settings.model import OnMixed, Settings


def compare_existing(judged: Sequence[JudgedEntry], settings: Settings) -> list[JudgedEntry]:
    """Refuse ready entries whose session folder cannot be opened; judge those whose session exists (see `judge_existing`)."""
    named = {entry.session.id for entry in judged if entry.ready and entry.session}
    folders = {name: settings.sessionsfolder / name for name in named}
    unreadable = {
        name: f"its session folder {folder} cannot be opened: {why}."
        for name, folder in folders.items()
        if (why := why_unreadable(folder))
    }
    judged = refuse_unreadable(judged, unreadable, settings)
    existing = {name for name in named.difference(unreadable) if _exists(settings, name)}
    return judge_existing(judged, existing, settings)


def _exists(settings: Settings, session: str) -> bool:
    if has_session(settings.sessionsfolder / session):
        return True
    return settings.on_mixed is OnMixed.SPLIT and was_split(settings.sessionsfolder, session)
