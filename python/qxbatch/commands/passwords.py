"""The passwords of the commands that read packets."""

from collections.abc import Mapping

from qxbatch.settings.model import Passwords
from qxbatch.settings.passwords import read_passwords


def passwords_of(options: Mapping[str, object]) -> Passwords | None:
    """Return the passwords of the file of --password-file; None when it is not given. Raises UsageError."""
    path = options["--password-file"]
    return read_passwords(str(path)) if path else None
