"""What the user asks of an export."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.files.shared import LogfileTable
from qxbatch.bids.sidecars.intended_for import IntendedForFormat
from qxbatch.bids.write.placing import LinkMode


def no_subject_label(_session: str) -> str:
    """Return an empty text: no label is known."""
    return ""


class ExportRequest(NamedTuple):
    """What the user asks of an export: where it goes, and its options."""

    sessionsfolder: Path
    dataset: Path
    description_fields: Mapping[str, Any] = {}
    """Fields of dataset_description.json in the rule file."""
    logfile_table: LogfileTable = LogfileTable()
    """Columns of the table of --logfile, for participants.tsv."""
    link_mode: LinkMode = LinkMode.AUTO
    intended_for: IntendedForFormat = IntendedForFormat.URI
    shift_table: Path | None = None
    """None: dates are not shifted."""
    sourcedata: bool = False
    """Whether the sorted files (DICOM, PAR/REC) of the exported series are exported, too."""
    keep_identifying: bool = False
    """Whether sidecars keep fields that identify a person or an examination."""
    includes_all_sessions: bool = True
    """Whether the plans include all sessions of the study."""
    subject_label_of: Callable[[str], str] = no_subject_label
    """Returns the label of the subject of a session, by its id; empty if the study has no such session, or no label is known."""
    test: bool = False
    """Whether the changes are only computed, and nothing is written."""
