"""What `qxbatch inspect` may use: threads, passwords, a temporary folder. Ctrl-C ends its work early."""

import errno
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from qxbatch.commands.interruption import Result, run_interruptible
from qxbatch.commands.option_values import passwords_of, threads_of
from qxbatch.commands.reading_limits import ReadingLimits, reading_limits
from qxbatch.core import Monitor
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.settings.model import Passwords
from qxbatch.settings.paths import absolute_path
from qxbatch.visible import one_line

_PREFIX = "qxbatch-inspect-"


@dataclass(frozen=True)
class Resources:
    """What `qxbatch inspect` reads with."""

    threads: int
    monitor: Monitor
    limits: ReadingLimits
    work_dir: Path | None = None
    """The parent of temporary folders; None: TMPDIR."""
    passwords: Passwords | None = None
    join_series: bool = True
    """Whether the series of one scan are joined (--join-series)."""

    def temporary_folder(self) -> "TemporaryDirectory[str]":
        """Return a folder for headers of archives, which is removed at the end. Raises OSError."""
        return TemporaryDirectory(prefix=_PREFIX, dir=self.work_dir)

    def run_interruptible(self, work: Callable[[], Result]) -> Result:
        """Return what `work`, which uses these resources, returns. Ctrl-C cancels the work."""
        return run_interruptible(work, self.monitor)


def resources_of(options: Mapping[str, object]) -> Resources:
    """Return the resources that the options name. Raises UsageError."""
    value = options["--work-dir"]
    work_dir = absolute_path("--work-dir", str(value)) if value else None
    if work_dir is not None:
        _need_folder(work_dir)
    join = str(options["--join-series"] or "auto").casefold()
    if join not in ("auto", "never"):
        raise UsageError(f"--join-series={join} is not one of: auto, never.", "Write --join-series=never.")
    threads, limits = threads_of(options["--n-procs"]), reading_limits("inspect", options)
    return Resources(threads, Monitor(), limits, work_dir, passwords_of(options), join == "auto")


def _need_folder(work_dir: Path) -> None:
    """Raise UsageError if no folder can be created in `work_dir`. No folder is created to test this: Ctrl-C could leave it."""
    error: OSError | None = None
    try:
        (work_dir / ".").stat()  # fails, too, if it is not a folder or may not be entered
        if not os.access(work_dir, os.W_OK | os.X_OK):
            error = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(work_dir))
    except OSError as refused:
        error = refused
    if error is not None:
        message = f"--work-dir={work_dir} cannot be used: {reason_text(error, work_dir)}."
        raise UsageError(message, "Name a folder that can be written.", ExitStatus.CANNOT_WRITE)


def print_problems(problems: Iterable[str]) -> None:
    """Print problems on standard error."""
    for problem in problems:
        print(f"qxbatch: {one_line(problem)}", file=sys.stderr)
