"""The command that gives a packet or session folder a name that a session may have."""

from pathlib import PurePath

from qxbatch.resolve.names import FORBIDDEN, fault
from qxbatch.visible import shell_word


def rename_command(path: PurePath) -> str:
    """Return the command that renames it; empty where its own name is not at fault, or no other is like it."""
    other = cleaned(path.name)
    if not other or other == path.name:
        return ""
    return f"mv -- {shell_word(str(path))} {shell_word(str(path.with_name(other)))}"


def cleaned(name: str) -> str:
    """Return a name like this one that a session may have; empty where there is none.

    >>> cleaned("A\\nB:1")
    'A_B_1'
    """
    wanted = "".join(each if each.isprintable() and each not in FORBIDDEN else "_" for each in name).strip()
    wanted = wanted.lstrip("-_.")
    return "" if fault(wanted) else wanted
