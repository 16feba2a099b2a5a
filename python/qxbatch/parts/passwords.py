"""The passwords that a part may try."""

from collections.abc import Mapping

from qxbatch.settings.model import Passwords
from qxbatch.settings.passwords import read_passwords


def passwords_of(options: Mapping[str, object]) -> Passwords | None:
    """Return the passwords of the file of --password-file; None when it is not given. Raises UsageError."""
    given = options["--password-file"]
    return read_passwords(str(given)) if given else None
