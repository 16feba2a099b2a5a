"""The regular expressions that find the names of packets, subjects and sessions, or choose sessions."""

import re
from collections.abc import Sequence

from qxbatch.problems import UsageError
from qxbatch.settings.lists import regex_of_glob
from qxbatch.settings.parameter import find
from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.values import Values, compiled_regex
from qxbatch.visible import shell_word


def named_pattern(values: Values, name: str, group: str, older: str = "") -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return a parameter's expression, and notes for the user.

    Raises UsageError if it is not valid, or contains neither `group` nor its older name, `older`.
    """
    option = find(PARAMETERS, name).option
    expression = values.regex(name)
    if group in expression.groupindex:
        return expression, ()
    if older and older in expression.groupindex:
        return expression, (f"{option}: the group {older} is the older name of {group}; it is used as {group}.",)
    raise UsageError(
        f"{option} lacks the group {group}: {expression.pattern}",
        f"Put (?P<{group}>...) around the part that is the {group.replace('_', ' ')}.",
    )


def session_patterns(sessions: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Compile the regular expressions of the sessions filter. Raises UsageError; its hint for a glob is the right expression."""
    try:
        return tuple(compiled_regex("--sessions", expression) for expression in sessions)
    except UsageError as error:
        if not any(wildcard in text for text in sessions for wildcard in "*?"):
            raise
        expressions = ",".join(map(_expression, sessions))
        raise UsageError(
            error.message, f"For the names that a glob matches, write: --sessions={shell_word(expressions)}"
        ) from None


def _expression(item: str) -> str:
    """Return an item, or its expression if it is a glob and not an expression."""
    try:
        re.compile(item)
    except re.error:
        return regex_of_glob(item)
    return item
