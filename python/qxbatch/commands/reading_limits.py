"""The limits with which a command reads a packet, and the command that raises the limits that the packet exceeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from qxbatch.core import Reading
from qxbatch.ingest.left_out import UNPACK_ARCHIVES, Cause
from qxbatch.ingest.limits import exceeded_parameters, larger_limits
from qxbatch.settings.parameters import LIMIT_NAMES
from qxbatch.settings.values import Values
from qxbatch.visible import shell_word

_MAX_LISTED = 20
"""Unopened archives that are listed; further ones are only counted."""


class CoreLimits(TypedDict):
    """The limits as arguments of `ingest`."""

    max_ratio: int
    max_bytes: int
    max_members: int
    max_nesting: int


@dataclass(frozen=True)
class ReadingLimits:
    """The limits of one command, and what is needed to write this command again."""

    max_expansion: int
    """Ratio of unpacked to packed bytes."""
    max_total: int
    """Unpacked bytes of the packet."""
    max_members: int
    max_nesting: int
    """Levels of archives inside archives."""
    name: str
    """The name of the command."""
    options: Mapping[str, str]
    """The options that were given, with their values; the value of a switch is empty."""

    def for_core(self) -> CoreLimits:
        """Return the limits as arguments of `ingest`."""
        return CoreLimits(
            max_ratio=self.max_expansion,
            max_bytes=self.max_total,
            max_members=self.max_members,
            max_nesting=self.max_nesting,
        )

    def hint(self, path: str, reasons: Sequence[str]) -> str:
        """Return a sentence with the command that raises the limits; empty if the reasons name none of these limits.

        If none of the limits can be larger, the sentence says to unpack the archives.
        """
        exceeded = exceeded_parameters(reasons)
        raised = larger_limits(exceeded, self)
        if not raised:
            return UNPACK_ARCHIVES if exceeded else ""
        options = {**self.options, **{_option(name): value for name, value in raised.items()}}
        words = [option if value == "" else f"{option}={value}" for option, value in options.items()]
        command = " ".join(map(shell_word, ("qxbatch", self.name, path, *words)))
        return f"If it is meant to be so large, raise the limit: {command}"


def reading_limits(name: str, options: Mapping[str, object]) -> ReadingLimits:
    """Return the limits of a command: those that were given, else those of an import. Raises UsageError."""
    given_options = {option: value for option, value in options.items() if option.startswith("--") and value}
    values = Values(
        {limit: str(given_options[_option(limit)]) for limit in LIMIT_NAMES if _option(limit) in given_options}
    )
    return ReadingLimits(
        max_expansion=values.integer("max_expansion", 1),
        max_total=values.size("max_total"),
        max_members=values.integer("max_members", 1),
        max_nesting=values.integer("max_nesting", 0, 20),
        name=name,
        options={option: "" if value is True else str(value) for option, value in given_options.items()},
    )


def unopened_archives(reading: Reading) -> list[str]:
    """Return the archives inside a packet that were not opened because of a limit: path and reason, and how many more.

    Empty if the packet as a whole exceeds a limit: the reason of the packet is enough.
    """
    if exceeded_parameters(reading.damage()):
        return []
    rows = [reading.row(index) for index, cause in reading.left_out() if cause == Cause.LIMITED_ARCHIVE]
    more = [f"and {len(rows) - _MAX_LISTED} more archives above a limit"] if len(rows) > _MAX_LISTED else []
    return [*(f"{row.path}: {row.reason}" for row in rows[:_MAX_LISTED]), *more]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
