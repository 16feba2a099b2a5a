"""How many threads a command may use."""

from qxbatch.problems import UsageError
from qxbatch.settings import cpus


def threads_of(text: object) -> int:
    """Return what --n-procs says; all that this process may use when it is not given. Raises UsageError."""
    if text is None or text == "all":
        return cpus.usable()
    if not (isinstance(text, str) and text.isascii() and text.isdecimal() and int(text)):
        raise UsageError(f"--n-procs={text} is neither a number nor all.", "Give a number from 1 up, or all.")
    return int(text)
