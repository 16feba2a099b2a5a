"""Inspects a path: a session, a folder of sessions, or a packet."""

import os
from pathlib import Path

from qxbatch.commands.inspect_headers import read_headers, why_unopened
from qxbatch.commands.inspect_resources import Resources
from qxbatch.commands.inspect_series import InspectedSource, PacketSeries, inspect_packet, packet_series
from qxbatch.commands.inspect_session import sorted_series, stored_series
from qxbatch.ingest.sources import sorted_sources
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_session, why_unreadable
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import MASTER_INBOX
from qxbatch.session.summary import SummaryError
from qxbatch.study.sessions import sessions_in


def inspect_path(path: Path, resources: Resources) -> list[InspectedSource]:
    """Return the series in a path: of a session, of each session in a folder, or of a packet."""
    if _is_session(path):
        return [_session(path, resources)]
    if os.path.isdir(path):  # noqa: PTH112 - False if it cannot be read
        sessions = [session for session in sessions_in(path) if _is_session(session)]
        # If no session can be entered, `path` may be a packet with such folders, unless it is a sessions folder.
        if not all(map(why_unreadable, sessions)) or (sessions and (path / MASTER_INBOX).is_dir()):
            return [_session(session, resources) for session in sessions]
    return [_packet(path, resources)]


def _is_session(path: Path) -> bool:
    """Return whether a folder is a session with a summary or sorted series: a packet may have a folder `dicom`, too.

    A folder in which these cannot be looked for counts as one: reading it reports the reason.
    """
    if not os.path.isdir(path) or not is_session(path):  # noqa: PTH112 - False if it cannot be read
        return False
    if why_unreadable(path):
        return True
    folder = SessionFolder(path)
    try:
        return folder.paths.summary.is_file() or bool(sorted_sources(folder.paths.dicom))
    except (UsageError, OSError):
        return True


def _session(path: Path, resources: Resources) -> InspectedSource:
    try:
        return stored_series(SessionFolder(path)) or sorted_series(path, resources)
    except (SummaryError, OSError) as error:
        return InspectedSource(str(path), problems=(error_text(error, path),))


def _packet(path: Path, resources: Resources) -> InspectedSource:
    try:
        refusal = why_unopened(path)
        if refusal:
            return InspectedSource(str(path), problems=(refusal,))
        with resources.temporary_folder() as folder:
            series = _packet_series(path, Path(folder) / "read", resources)
            return inspect_packet(str(path), series, resources.threads, resources.monitor)
    except OSError as error:
        return InspectedSource(str(path), problems=(error_text(error, path),))


def _packet_series(path: Path, staging: Path, resources: Resources) -> PacketSeries:
    """Return the series of a packet. The headers of all its files are freed on return."""
    headers = read_headers(
        path,
        staging,
        source=path,
        threads=resources.threads,
        passwords=resources.passwords,
        limits=resources.limits,
        monitor=resources.monitor,
    )
    return packet_series(headers, join=resources.join_series)
