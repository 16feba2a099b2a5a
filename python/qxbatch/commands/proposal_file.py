"""Writes the file of a proposal (rules, protocol), which the user then corrects."""

import os
from pathlib import Path
from typing import NamedTuple

from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replace_text
from qxbatch.report.output_files import check_output_files, default_study_paths, is_stream


class ProposalFile(NamedTuple):
    """The file that a proposal is written to."""

    option: str
    """The option that gives the path."""
    path: Path
    sessionsfolder: Path
    overwrite: bool

    def check(self) -> None:
        """Raise UsageError if the proposal may not be written.

        It may not be a stream such as /dev/stdout, nor replace something that is not a file or, without `overwrite`, any file.
        With `overwrite`, it may replace only a file of the kind that the option writes. A new file, too, may not be where an
        import would take, change or remove it: in a session, in a master inbox, or in the archive (`check_output_files`).
        """
        if is_stream(self.path):
            raise UsageError(
                f"{self.path} is a stream.", f"Name a file with {self.option}, or print the text with --test."
            )
        if os.path.lexists(self.path):
            if not self.path.is_file():
                hint = f"Name another file with {self.option}."
                raise UsageError(f"{self.path} is not a file.", hint, ExitStatus.CANNOT_WRITE)
            if not self.overwrite:
                raise _exists_error(self.path)
        check_output_files({self.option: self.path}, [default_study_paths(self.sessionsfolder)])

    def write(self, text: str) -> None:
        """Write the proposal. The path is checked again, also right before the file there is replaced.

        Raises UsageError as `check` does, and if the file cannot be written.
        """
        self.check()
        try:
            replace_text(self.path, text, os.urandom(8).hex(), is_new=not self.overwrite, before_rename=self.check)
        except FileExistsError:
            raise _exists_error(self.path) from None
        except OSError as error:
            reason = f"Cannot write {self.path}: {reason_text(error, self.path)}."
            hint = "Name a file in a folder that can be written."
            raise UsageError(reason, hint, ExitStatus.CANNOT_WRITE) from None


def _exists_error(path: Path) -> UsageError:
    return UsageError(f"{path} exists already; nothing was written.", "Name another file, or add --overwrite=yes.")
