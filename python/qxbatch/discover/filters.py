"""The parameters `sessions`, `participant_label` and `session_label`."""

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import cache

from qxbatch.model import SessionId
from qxbatch.settings.lists import expand_braces
from qxbatch.settings.model import Settings


def filter_reason(settings: Settings, name: str, session: SessionId | None) -> str:
    """Return why a packet is filtered out; empty if it is selected.

    The whole session id or the whole packet name must match one of the expressions. Labels do not filter out a packet whose
    session is unknown: it gets the verdict that says why.
    """
    texts = [name] if session is None else [session.id, name]
    if settings.sessions and not any(
        re.fullmatch(expression, text) for expression in settings.sessions for text in texts
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
