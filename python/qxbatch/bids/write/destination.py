"""Where an export goes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.planned_files import FileOptions
from qxbatch.bids.write.placing import LinkMode
from qxbatch.bids.write.request import no_subject_label


class Destination(NamedTuple):
    """The data set of an export, and how its files are written. Its options have the shifts of dates, if there are any; an
    `ExportRequest` has only the path of their table."""

    dataset: Path
    sessionsfolder: Path
    link_mode: LinkMode = LinkMode.AUTO
    options: FileOptions = FileOptions()
    includes_all_sessions: bool = True
    """Whether the plans include all sessions of the study. If not, files that sessions share are not removed."""
    subject_label_of: Callable[[str], str] = no_subject_label
    """As in ExportRequest."""
    test: bool = False
    """Whether the changes are only computed, and nothing is written."""

    @property
    def shift_table(self) -> str:
        """Return the path of the table of date shifts, relative to the data set; empty if dates are not shifted."""
        return os.path.relpath(self.options.shifts.path, self.dataset) if self.options.shifts else ""
