"""The parameters `sessions`, `participant_label` and `session_label`."""

import re
from collections.abc import Collection, Iterable, Sequence
from fnmatch import translate
from functools import cache

from qxbatch.model import SessionId
from qxbatch.settings.command import as_regex
from qxbatch.settings.lists import expand_braces
from qxbatch.settings.model import Settings


def exact_expressions(settings: Settings, sessions: Iterable[SessionId]) -> frozenset[str]:
    """Return the expressions of --sessions that name one of `sessions` exactly: its id, or its id escaped by `as_regex`.

    The commands in messages select a session by the escaped id.
    """
    wanted = frozenset(settings.sessions)
    ids = (session.id for session in sessions) if wanted else ()
    return frozenset(text for session_id in ids for text in (session_id, as_regex(session_id)) if text in wanted)


def filter_reason(
    settings: Settings, name: str, session: SessionId | None, exact: Collection[str] = frozenset()
) -> str:
    """Return why a packet is filtered out; empty if it is selected.

    The whole session id or the whole packet name must match one of the expressions. An expression in `exact` (`exact_expressions`)
    names a session: it does not select a packet of another session that has this name. Labels do not filter out a packet whose
    session is unknown: it gets the verdict that says why.
    """
    if settings.sessions and not any(
        (session is not None and re.fullmatch(expression, session.id))
        or ((session is None or expression not in exact) and re.fullmatch(expression, name))
        for expression in settings.sessions
    ):
        return "--sessions does not name it"
    return "" if session is None else label_reason(settings, session)


def label_reason(settings: Settings, session: SessionId) -> str:
    """Return why the labels exclude a session; empty if they do not."""
    if settings.participant_labels and session.subject.removeprefix("sub-") not in settings.participant_labels:
        return "--participant-label does not name its subject"
    if settings.session_labels and (session.session or "").removeprefix("ses-") not in settings.session_labels:
        return "--session-label does not name its session"
    return ""


def matches_glob(name: str, globs: Sequence[str]) -> bool:
    """Return whether a session folder's name matches one of the glob patterns (case-sensitive; `{a,b}` matches either)."""
    return any(expression.fullmatch(name) for glob in globs for expression in _expressions_of(glob))


@cache
def _expressions_of(glob: str) -> Sequence[re.Pattern[str]]:
    return [re.compile(translate(pattern)) for pattern in expand_braces(glob)]
