"""`qxbatch jobs`: prints the state of submitted packets."""

from collections.abc import Mapping

from qxbatch.cluster.state import ImportState
from qxbatch.cluster.status import query_status
from qxbatch.cluster.table import as_json, as_text
from qxbatch.commands.submitted import print_warnings, submissions_in
from qxbatch.exits import ExitStatus


def run(options: Mapping[str, object]) -> int:
    """Print the states as a table or JSON; return 1 if a packet failed or is lost. Raises UsageError."""
    _, submissions = submissions_in(options["<sessionsfolder>"])
    status = query_status(submissions)
    print_warnings(status.unreadable)
    print(as_json(status) if options["--json"] else as_text(status, list_all=bool(options["--list-all"])), end="")
    return int(ExitStatus.FAILED if status.rows_in_state(ImportState.FAILED, ImportState.LOST) else ExitStatus.OK)
