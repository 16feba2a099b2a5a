"""The files that describe a data set as a whole: dataset_description.json, README, CHANGES, .bidsignore."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qxbatch.bids.files.planned_files import SOURCEDATA, Owner, PlannedFile
from qxbatch.bids.files.record import RECORD
from qxbatch.core import VERSION

BIDS_VERSION = "1.10.0"
DATASET_DESCRIPTION = "dataset_description.json"


def description_files(
    dataset: Path, sessionsfolder: Path, rule_fields: Mapping[str, Any], *, sourcedata: bool
) -> list[PlannedFile]:
    """Return the files that describe the data set as a whole. Users may edit them; edited files are not changed.

    `rule_fields` are the fields of dataset_description.json in the rule file; `sourcedata` is whether the data set has the
    sorted files (DICOM, PAR/REC), too.
    """
    name = str(rule_fields.get("Name") or dataset.name)
    source = f"bids::{SOURCEDATA}/" if sourcedata else Path(os.path.relpath(sessionsfolder, dataset)).as_posix()
    description = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "qxbatch", "Version": VERSION, **_container(os.environ)}],
        "SourceDatasets": [{"URL": source}],
        **rule_fields,
    }
    texts = {
        DATASET_DESCRIPTION: json.dumps(description, indent=2, ensure_ascii=False) + "\n",
        "README": _README.format(name=name, version=VERSION, record=RECORD),
        "CHANGES": f"1.0.0\n  - Exported by qxbatch {VERSION}.\n",
        ".bidsignore": "# Files that the BIDS validator leaves out, one pattern in each line.\n",
    }
    if any((dataset / f"README{extension}").exists() for extension in _OTHER_READMES):
        del texts["README"]  # a data set has only one README
    return [
        PlannedFile(path, Owner(), text.encode("utf-8", "backslashreplace"), is_editable=True)
        for path, text in texts.items()
    ]


_OTHER_READMES = (".md", ".rst", ".txt")
_README = """\
{name}

qxbatch {version} exported this data set from imported sessions. The images are those of the sessions.
The sidecars are those of the sessions, with the fields that BIDS needs. {record}
lists each file with its session, image and rule.

Describe here what the study is about, who was scanned, and how. Later exports do not change a file
that was edited.
"""


def _container(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the field Container if this program is known to run in a container; else empty."""
    if any(environment.get(name) for name in ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")):
        return {"Container": {"Type": "singularity"}}
    return {"Container": {"Type": "docker"}} if Path("/.dockerenv").exists() else {}
