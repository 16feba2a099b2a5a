"""The table of all parameters: help texts, README, docs and defaults are made from it."""

from qxbatch.settings.of_cluster import OF_CLUSTER
from qxbatch.settings.of_qxbatch import OF_QXBATCH
from qxbatch.settings.of_reference import OF_REFERENCE

PARAMETERS = OF_REFERENCE + OF_QXBATCH + OF_CLUSTER
"""Parameters that the reference (QuNex `import_dicom`) has too, those that it does not have, and those of imports on a cluster."""
LIMIT_NAMES = ("max_expansion", "max_total", "max_members", "max_nesting")
"""The parameters that limit what is read from a packet. Commands that read packets without an import have them, too."""
JSON_FIELDS = ("TR", "PEDirection", "EchoSpacing", "DwellTime", "ReadoutDirection")
"""The fields that add_json_info may name, in the order of session.txt."""
MOST_USED = (
    "sessions",
    "nameformat",
    "logfile",
    "overwrite",
    "on_mixed",
    "archive",
    "test",
    "list_all",
    "quiet",
    "log_file",
)
"""The options used most, in the order of the short help and of README."""
