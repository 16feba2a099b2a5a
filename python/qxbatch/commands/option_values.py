"""The values of options that several commands have, read as an import reads them. Each function raises UsageError."""

from collections.abc import Mapping

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
