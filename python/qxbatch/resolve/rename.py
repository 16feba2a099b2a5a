"""The command that renames a packet or session folder to a valid name."""

from collections.abc import Callable, Iterable
from pathlib import PurePath

from qxbatch.model import SessionId
from qxbatch.resolve.names import FORBIDDEN, fault
from qxbatch.visible import shell_word

Named = Callable[[str], SessionId | None]
"""Returns the session of a name; None if the name has none."""


def rename_command(path: PurePath, named: Named, name: str = "", beside: Iterable[str] = ()) -> tuple[str, str]:
    """Return the command that renames it, and the id of its session then; empty if there is no similar valid name.

    `name` is the part of its name that names the session, `beside` the content of its folder: each entry gets a different
    name.
    """
    own = path.name
    tries = (cleaned(own), own.replace(name, f"{name}-1", 1) if name else "", cleaned(f"S-{own}"))
    names = frozenset(beside)
    for other in (_free(each, own, names) for each in tries):
        session = named(other) if other and other != own else None
        if session is not None and not fault(session.id):
            return f"mv -n -- {shell_word(str(path))} {shell_word(str(path.with_name(other)))}", session.id
    return "", ""


def _free(wanted: str, own: str, names: frozenset[str]) -> str:
    """Return the name, with a number if it is in use, or if others get the same one.

    >>> _free("a_b.zip", "a:b.zip", frozenset({"a#b.zip", "a:b.zip"}))
    'a_b-2.zip'
    """
    alike = [wanted] if wanted in names and wanted != own else []
    alike += sorted(name for name in {*names, own} if name not in alike and cleaned(name) == wanted)
    k = alike.index(own) if own in alike else len(alike)
    stem, dot, ending = wanted.partition(".")
    return f"{stem}-{k + 1}{dot}{ending}" if wanted and k else wanted


def cleaned(name: str) -> str:
    """Return a similar name that a session may have; empty if there is none.

    >>> cleaned("A\\nB:1")
    'A_B_1'
    """
    wanted = "".join(each if each.isprintable() and each not in FORBIDDEN else "_" for each in name).strip()
    wanted = wanted.lstrip("-_.")
    return "" if fault(wanted) else wanted
