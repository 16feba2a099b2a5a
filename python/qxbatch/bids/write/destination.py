"""Where an export goes."""

from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.planned_files import FileOptions
from qxbatch.bids.write.placing import LinkMode


class Destination(NamedTuple):
    """Where an export goes, and how."""

    dataset: Path
    sessionsfolder: Path
    link: LinkMode = LinkMode.AUTO
    options: FileOptions = FileOptions()
    all_sessions: bool = True
    """Whether the plans include all sessions of the study. If not, files that sessions share are not removed."""
    test: bool = False
    """Whether the changes are only computed, and nothing is written."""
