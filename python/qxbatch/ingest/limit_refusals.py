"""Refuses packets that are not read although they are undamaged: a part of a split archive, or a packet above a limit."""

from collections.abc import Sequence
from functools import partial

from qxbatch.discover.units import Unit
from qxbatch.discover.unsupported_archives import SPLIT_HINT
from qxbatch.ingest.limits import exceeded_parameters, larger_limits
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings

LIMIT_PHRASE = "(limit"
"""Part of each reason of the core that names a limit."""
REPACK_PHRASE = "; repack it"
"""Part of the reasons that name a memory limit; the command that repacks the archive follows it."""


def refuse_limited_or_split(damage: Sequence[str], unit: Unit, settings: Settings) -> None:
    """Raise PacketError if one of the core's reasons names a split archive, or if all name limits: such a packet is not damaged.

    `damage` has the reasons and is not empty.
    """
    label, import_command = unit.label, partial(command_for, settings, [unit.session.id])
    if any("one part of a split archive" in text or "one part of an archive in several" in text for text in damage):
        message = "is one part of a split archive, which qxbatch does not open. Nothing was imported."
        raise PacketError(Problem(Code.UNOPENED, label, message, SPLIT_HINT, command=import_command()))
    if not all(LIMIT_PHRASE in text for text in damage):
        return
    reasons = damage[0] + (f"; and {len(damage) - 1} more" if len(damage) > 1 else "")
    parameters = exceeded_parameters(damage)
    code, hint = Code.DAMAGED, "If it is meant to be so large, raise the limit:"
    larger = larger_limits(parameters, settings)
    command = import_command(larger)
    if not larger:
        hint = "No option raises this limit. Replace the packet by its unpacked folder; then import it:"
    if all(REPACK_PHRASE in text for text in damage):
        code, hint, command = (
            Code.UNOPENED,
            "Repack it with that command, or replace it by its unpacked folder; then import it:",
            import_command(),
        )
    message = f"cannot be opened, though it may be sound: {reasons}. Nothing was imported."
    raise PacketError(Problem(code, label, message, hint, command=command))
