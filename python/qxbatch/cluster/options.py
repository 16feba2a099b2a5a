"""Parses the settings of a submission again, in its tasks and when it is resumed."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from qxbatch.cluster.submission import Submission
from qxbatch.os_error import error_text, reason_text
from qxbatch.problems import UsageError
from qxbatch.session.contents import why_unreadable
from qxbatch.session.layout import ARCHIVED_PACKETS
from qxbatch.settings.folders import find_folders
from qxbatch.settings.model import Settings
from qxbatch.settings.parse import parse
from qxbatch.settings.paths import NoWorkingFolderError
from qxbatch.settings.values import Values
from qxbatch.visible import shell_word


def restore_settings(submission: Submission) -> Settings:
    """Return the settings of a submission.

    Relative paths in its options begin in the folder in which the user submitted. The sessions folder is the one that contains the
    submission, since the study may have been moved. It contains the archive and, without --masterinbox, the inbox.

    Raises UsageError, also if the study is a copy of the one that was submitted, and for a relative path if the folder in which
    the user submitted is missing or cannot be entered.
    """
    refuse_copy(submission)
    folder = submission.sessionsfolder
    options = {**submission.options, "sessionsfolder": str(folder)}
    with _in_submit_folder(submission):
        settings = parse(
            options,
            bids_app=bool(submission.record["bids_app"]),
            on_command_line=_command_line_options(submission, options),
        ).settings
    return replace(settings, sessionsfolder=folder, archive_folder=folder / ARCHIVED_PACKETS)


@contextlib.contextmanager
def _in_submit_folder(submission: Submission) -> Iterator[None]:
    """Change to the folder in which the user submitted, and back at the end.

    If that folder is missing or cannot be entered, change to a new folder and remove it: then a relative path raises UsageError
    (`absolute_form`). In any other folder, it could lead to packets of another study.
    """
    before = os.open(".", os.O_PATH | os.O_CLOEXEC)
    folder = str(submission.record["cwd"])
    reason = ""
    try:
        try:
            os.chdir(folder)
        except OSError as error:
            reason = reason_text(error)
            with tempfile.TemporaryDirectory(dir=submission.folder) as removed:
                os.chdir(removed)
        yield
    except NoWorkingFolderError as error:
        raise UsageError(
            f"{error.name} begins in {folder}, where submission {submission.id} was made, "
            f"and that folder cannot be used: {reason or 'it was removed'}.",
            "Restore that folder or the permission to enter it, or submit the packets again.",
        ) from None
    finally:
        with contextlib.suppress(PermissionError):  # a process may run in a folder that it may not enter
            os.fchdir(before)
        os.close(before)


def refuse_copy(submission: Submission) -> None:
    """Raise UsageError if the sessions folder that the options name exists, and is not the one that contains the submission now.

    Then this study is a copy: the jobs, and the paths in the options, are those of the original. UsageError is also raised if
    that sessions folder cannot be read.
    """
    folder = submission.sessionsfolder
    advice = f"remove the submission (`rm -r -- {shell_word(str(submission.folder))}`), and submit the packets of this folder."
    try:
        original = _original(submission)
        is_copy = original is not None and not original.samefile(folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return
        raise UsageError(
            f"Submission {submission.id} was made in a folder that cannot be read: {error_text(error)}. "
            f"So {folder} may be a copy of it.",
            f"Nothing was changed. Try again when that folder can be read, or {advice}",
        ) from None
    if is_copy:
        raise UsageError(
            f"Submission {submission.id} was made in {original}, and {folder} is another folder, perhaps a copy of it.",
            f"Nothing was changed. {advice[:1].upper()}{advice[1:]}",
        )


def _original(submission: Submission) -> Path | None:
    """Return the sessions folder that the options name; None if a file has that path now, or the path is not valid here (`~user`).

    Raises OSError, also for a folder that cannot be used.
    """
    text = submission.options.get("sessionsfolder", "")
    path = text if text.startswith("~") else os.path.join(str(submission.record["cwd"]), text)  # noqa: PTH118 - as text
    try:
        return find_folders(Values({"sessionsfolder": path})).sessionsfolder
    except UsageError:
        try:
            folder = Path(path).expanduser()
            is_folder = stat.S_ISDIR(folder.stat().st_mode)
        except (RuntimeError, ValueError):  # an unknown `~user`, or a null character
            return None
        if is_folder:
            raise OSError(errno.EACCES, why_unreadable(folder) or "it is no sessions folder now", str(folder)) from None
        return None


def _command_line_options(submission: Submission, options: dict[str, str]) -> dict[str, str]:
    """Return the options that were given on the command line, and not in a config file."""
    typed = submission.record.get("typed", {})
    return {key: value for key, value in options.items() if key in typed}
