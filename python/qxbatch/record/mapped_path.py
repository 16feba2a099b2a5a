"""Paths for readers of session.txt (`--path-map`)."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.record.names import session_txt_field
from qxbatch.settings.paths import outside_path


def checked_outside_path(folder: Path, path_map: Sequence[tuple[Path, Path]] = ()) -> Path:
    """Check that the readers of session.txt can read the path of a session folder; return this path, mapped by `path_map`.

    Raises UsageError if they cannot: they split lines at `:`, cut lines at `#`, and remove spaces at the end. Characters that
    cannot be printed are refused too: some of them end a line.
    """
    outside = outside_path(folder, path_map)
    text = str(outside)
    if text == session_txt_field(text) and text.isprintable():
        return outside
    raise UsageError(
        f"{text}: later commands cannot read this path from session.txt (it contains `:`, `#` or a character that "
        "cannot be printed, or ends with a space).",
        "Use another folder, or map the path with `--path-map=HERE=OUTSIDE`.",
        ExitStatus.USAGE,
    )
