"""Files of a header scan that are damaged or cannot be read."""

from qxbatch.core import Scan


def faults(files: Scan) -> list[str]:
    """Return the path of each damaged or unreadable file, with the reason."""
    faulty = (row for row in range(len(files)) if files.content(row) in ("damaged", "unreadable"))
    return [f"{files.path(row)}: {files.problem(row)}" for row in faulty]
