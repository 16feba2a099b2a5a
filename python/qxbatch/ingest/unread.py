"""Packets that are sound and not read: of a kind that is not opened, or above a limit."""

from collections.abc import Sequence

from qxbatch.discover.unopened import SPLIT
from qxbatch.problems import Code, PacketError, Problem

LIMIT = "(limit"
"""Stands in each reason of the core about a limit."""
REPACK = "; repack it"
"""Stands in those where the limit is one of memory, with the command."""


def refuse_sound(damage: Sequence[str], names: str) -> None:
    """Raise PacketError where what the core says is no damage. `damage` is not empty."""
    if any("one part of a split archive" in text or "one part of an archive in several" in text for text in damage):
        message = "is one part of a split archive, which qxbatch does not open. Nothing was imported."
        raise PacketError(Problem(Code.UNOPENED, names, message, SPLIT))
    if not all(LIMIT in text for text in damage):
        return
    shown = damage[0] + (f"; and {len(damage) - 1} more" if len(damage) > 1 else "")
    code, hint = (
        Code.DAMAGED,
        "If it is meant to be so large, raise the limit: --max-expansion, --max-total or --max-members.",
    )
    if all(REPACK in text for text in damage):
        code, hint = Code.UNOPENED, "Unpacked, as a folder, it can be imported as it is."
    message = f"cannot be opened, though it may be sound: {shown}. Nothing was imported."
    raise PacketError(Problem(code, names, message, hint))
