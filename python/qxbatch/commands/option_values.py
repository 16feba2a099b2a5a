"""The values of options that several commands have, read as an import reads them, and a check of named paths.

Each function raises UsageError.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from qxbatch.os_error import access_hint, reason_text
from qxbatch.problems import UsageError
from qxbatch.settings import cpus
from qxbatch.settings.model import Passwords
from qxbatch.settings.passwords import read_passwords
from qxbatch.settings.values import Values


def threads_of(text: object) -> int:
    """Return the number of threads that --n-procs gives; for `all` and None, the number of CPUs that this process may use.

    It is at most MAX_PROCESSES.
    """
    number = Values({} if text is None else {"n_procs": str(text)}).integer_or_all("n_procs")
    return min(number or cpus.usable_cpus(), cpus.MAX_PROCESSES)


def passwords_of(options: Mapping[str, object]) -> Passwords | None:
    """Return the passwords of the file of --password-file; None when it is not given."""
    path = options["--password-file"]
    return read_passwords(str(path)) if path else None


def is_yes(options: Mapping[str, object], name: str) -> bool:
    """Return whether --test or --overwrite is on; it is off when it is not given."""
    value = options[f"--{name}"]
    return Values({} if value is None else {name: str(value)}).is_yes(name)


def need_existing(path: Path | str, hint: str) -> None:
    """Raise UsageError if a path does not exist (then with the hint), or cannot be examined. A broken link exists."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{path} does not exist.", hint) from None
    except OSError as error:
        advice = access_hint(Path(path)) if isinstance(error, PermissionError) else hint
        raise UsageError(f"{path} cannot be read: {reason_text(error, path)}.", advice) from None
