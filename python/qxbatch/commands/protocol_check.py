"""`qxbatch protocol check`: sessions compared with a protocol. Nothing is written."""

import json as to_json

from qxbatch.commands.scanned_sessions import scanned_sessions
from qxbatch.exits import ExitStatus
from qxbatch.protocol.file import read_protocol
from qxbatch.report.differences import comparison_text, comparison_value
from qxbatch.settings.paths import absolute_path
from qxbatch.study.comparison import compare


def check(folder: str, protocol: str, *, json: bool) -> ExitStatus:
    """Print what differs; return FAILED if something does, or if a session cannot be checked. Raises UsageError."""
    rules = read_protocol(absolute_path("--protocol", protocol))
    comparison = compare(scanned_sessions(folder), rules)
    if json:
        print(to_json.dumps(comparison_value(comparison), indent=1))
    else:
        print(comparison_text(comparison))
    differs = any(session.differences or session.problem for session in comparison.sessions)
    return ExitStatus.FAILED if differs else ExitStatus.OK
