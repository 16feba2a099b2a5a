"""Merges commands that differ only in their sessions."""

from collections.abc import Sequence

_SESSIONS = "--sessions="
Words = tuple[str, ...]
"""The words of a command, without the quotes of a shell."""


def merged_commands(commands: Sequence[str]) -> list[str]:
    """Return the commands in order, once each; those that differ only in `--sessions` are merged into one for all their sessions.

    >>> merged_commands(["qxbatch /s --sessions=A --overwrite=yes", "qxbatch /s '--sessions=B 2' --overwrite=yes"])
    ["qxbatch /s '--sessions=A,B 2' --overwrite=yes"]
    """
    groups: dict[object, list[Words]] = {}
    for command in dict.fromkeys(command for command in commands if command):
        words = split_command(command)
        groups.setdefault(command if words is None else without_sessions(words), []).append(words or (command,))
    return [_merge(group) for group in groups.values()]


def split_command(command: str) -> Words | None:
    """Return the words of a call of qxbatch that names sessions; None for all others, such as two commands in one."""
    import shlex

    if not command.startswith("qxbatch ") or _SESSIONS not in command:
        return None
    try:
        words = tuple(shlex.split(command))
    except ValueError:
        return None
    return words if shlex.join(words) == command else None


def without_sessions(words: Words) -> Words:
    """Return the words of a command, with `--sessions=` in place of `--sessions=NAMES`."""
    return tuple(_SESSIONS if word.startswith(_SESSIONS) else word for word in words)


def _merge(group: Sequence[Words]) -> str:
    import shlex

    if len(group[0]) == 1:  # a command that `split_command` did not split
        return group[0][0]
    sessions = dict.fromkeys(
        word.removeprefix(_SESSIONS) for words in group for word in words if word.startswith(_SESSIONS)
    )
    value = _SESSIONS + ",".join(sessions)
    return shlex.join([value if word.startswith(_SESSIONS) else word for word in group[0]])
