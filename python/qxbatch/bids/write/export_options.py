"""The options of an export, as its parts use them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.planned_files import FileOptions
from qxbatch.bids.write.placing import LinkMode
from qxbatch.bids.write.request import no_subject_label


class ExportOptions(NamedTuple):
    """The folders and options of an export, made from an `ExportRequest` by `run_export`.

    `file_options` has the shifts of dates themselves; the request has only the path of their table.
    """

    dataset: Path
    sessionsfolder: Path
    link_mode: LinkMode = LinkMode.AUTO
    file_options: FileOptions = FileOptions()
    includes_all_sessions: bool = True
    """Whether the plans include all sessions of the study. If not, a session without a plan can still exist in the study."""
    subject_label_of: Callable[[str], str] = no_subject_label
    """As in ExportRequest."""
    test: bool = False
    """Whether the changes are only computed, and nothing is written."""

    @property
    def shift_table(self) -> str:
        """Return the path of the table of date shifts, relative to the data set; empty if dates are not shifted."""
        shifts = self.file_options.shifts
        return os.path.relpath(shifts.path, self.dataset) if shifts else ""

    @property
    def compares_new_images(self) -> bool:
        """Return whether images that are placed are compared with their hash, which is not done with symbolic links."""
        return self.link_mode is not LinkMode.SYMLINK
