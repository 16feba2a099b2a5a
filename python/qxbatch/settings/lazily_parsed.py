"""Passwords, protocol and scheduler of a run, parsed if their option is given; else None.

The parsers of protocol and scheduler are imported only then.
"""

from typing import TYPE_CHECKING

from qxbatch.settings.model import Passwords
from qxbatch.settings.passwords import read_passwords
from qxbatch.settings.paths import absolute_path
from qxbatch.settings.values import Values

if TYPE_CHECKING:
    from qxbatch.protocol.model import Protocol
    from qxbatch.settings.scheduler import SchedulerSpec


def passwords_of(values: Values) -> Passwords | None:
    """Return the passwords in the file of --password-file. Raises UsageError."""
    return read_passwords(values.text("password_file")) if values.is_given("password_file") else None


def protocol_of(values: Values) -> "Protocol | None":
    """Return the protocol in the file of --protocol. Raises UsageError."""
    if not values.is_given("protocol"):
        return None
    from qxbatch.protocol.file import read_protocol

    return read_protocol(absolute_path("--protocol", values.text("protocol")))


def scheduler_of(values: Values) -> "SchedulerSpec | None":
    """Return the request of --scheduler. Raises UsageError."""
    if not values.is_given("scheduler"):
        return None
    from qxbatch.settings.scheduler import scheduler_spec

    return scheduler_spec(values.text("scheduler"))
