"""The command that renames a packet or session folder to a valid name."""

from collections.abc import Callable, Iterable
from itertools import count, islice
from pathlib import PurePath

from qxbatch.model import SessionId
from qxbatch.resolve.names import FORBIDDEN_CHARACTERS, invalid_name_reason
from qxbatch.visible import shell_word

FindSession = Callable[[str], SessionId | None]
"""Returns the session of a packet by its file name, or of a session folder by its name; None if it has none."""


def rename_command(
    path: PurePath, find_session: FindSession, name: str = "", beside: Iterable[str] = ()
) -> tuple[str, str]:
    """Return the command that renames a path, and the session id of the new name; both are empty if there is no similar valid name.

    `name` is the part of the file name that names the session. `beside` are the names in its folder: no two entries get the
    same name.
    """
    current = path.name
    candidates = (
        clean_name(current),
        current.replace(name, f"{name}-1", 1) if name else "",
        _prefixed_name(current),
    )
    names = frozenset(beside)
    for new_name in (_unused_name(candidate, current, names) for candidate in candidates):
        session = find_session(new_name) if new_name and new_name != current else None
        if session is not None and not invalid_name_reason(session.id):
            return f"mv -n -- {shell_word(str(path))} {shell_word(str(path.with_name(new_name)))}", session.id
    return "", ""


def _unused_name(name: str, current: str, names: frozenset[str]) -> str:
    """Return a name that `current` can be renamed to: `name`, or if that is used, `name` with a number; empty if `name` is.

    `names` are the names in the folder. If `clean_name` or `_prefixed_name` returns `name` for several of them, each gets another
    number, in sorted order.

    >>> _unused_name("a_b.zip", "a:b.zip", frozenset({"a#b.zip", "a:b.zip"}))
    'a_b-2.zip'
    """
    alike = [name] if name in names and name != current else []
    alike += sorted(
        other
        for other in {*names, current}
        if other not in alike and name in (clean_name(other), _prefixed_name(other))
    )
    position = alike.index(current) if current in alike else len(alike)
    if not name or not position:
        return name
    stem, dot, ending = name.partition(".")
    numbered = (f"{stem}-{number}{dot}{ending}" for number in count(2))
    return next(islice((unused for unused in numbered if unused not in names), position - 1, None))


def _prefixed_name(name: str) -> str:
    """Return a similar name that begins with `S-` and that a session may have; empty if there is none."""
    return clean_name(f"S-{name}")


def clean_name(name: str) -> str:
    """Return a similar name that a session may have; empty if there is none.

    >>> clean_name("A\\nB:1")
    'A_B_1'
    """
    similar = "".join(
        character if character.isprintable() and character not in FORBIDDEN_CHARACTERS else "_" for character in name
    ).strip()
    similar = similar.lstrip("-_.")
    return "" if invalid_name_reason(similar) else similar
