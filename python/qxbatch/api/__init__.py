"""The public functions and classes of qxbatch (docs/python-api.md), loaded when one of them is first used."""

from qxbatch.api.packets import ImportResult, import_packets
from qxbatch.api.scanned import ScannedPath, ScannedSeries, scan
from qxbatch.api.sessions import open_session, verify
from qxbatch.commands.verify import Verified
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.session.folder import SessionFolder
from qxbatch.settings.import_parameters import ImportParameters

__all__ = [
    "ExitStatus",
    "ImportParameters",
    "ImportResult",
    "ScannedPath",
    "ScannedSeries",
    "SessionFolder",
    "UsageError",
    "Verified",
    "import_packets",
    "open_session",
    "scan",
    "verify",
]
