"""`qxbatch split`: a folder or archive of several patients or studies becomes one folder for each study.

The source is not changed. The new folders contain hard links to loose files if the file system has them, else copies, and the
unpacked members of archives. A table lists the new path of each member.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from qxbatch.commands.interruption import run_interruptible
from qxbatch.commands.option_values import is_yes, passwords_of, threads_of
from qxbatch.commands.reading_limits import reading_limits
from qxbatch.commands.split_plan import plan
from qxbatch.commands.split_refused import need_readable, print_nothing_to_split, print_refusal, print_unopened
from qxbatch.commands.split_report import print_split
from qxbatch.commands.split_result import MappingRow, missing_folders, move_to_output, prepared_root
from qxbatch.commands.split_staging import output_of, staging_in
from qxbatch.core import Monitor, Reading, ingest
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.settings.passwords import passwords_for_core
from qxbatch.settings.paths import absolute_form


def run(options: Mapping[str, object]) -> int:
    """Split the folder or archive; return the exit status. Raises UsageError."""
    source = absolute_form(str(options["<path>"]))
    need_readable(source)
    output = output_of(options["--output"], source)
    passwords = passwords_of(options)
    test, threads, limits = is_yes(options, "test"), threads_of(options["--n-procs"]), reading_limits("split", options)
    try:
        with staging_in(output) as staging:
            monitor = Monitor()
            read = partial(
                ingest,
                [(str(source), "")],
                str(staging / "read"),
                threads=threads,
                gunzip=False,
                hard_link=True,
                skip=[str(output)],
                passwords=passwords_for_core(passwords),
                monitor=monitor,
                **limits.for_core(),
            )
            reading = run_interruptible(read, monitor)
            if reading.damage():
                return print_refusal(source, reading, passwords, limits)
            status = _split(source, staging, reading, test=test, as_json=bool(options["--json"]))
            print_unopened(source, reading, limits)
            return status
    except OSError as error:
        raise UsageError(
            f"Cannot write {error_text(error, output)}.",
            "Name another --output.",
            ExitStatus.CANNOT_WRITE,
        ) from None


def _split(source: Path, staging: Path, reading: Reading, *, test: bool, as_json: bool) -> int:
    """Prepare the new folders, move them to the output unless `test`, and print the result; return the exit status."""
    output = staging.parent
    folders = plan(reading)
    if not folders:
        return print_nothing_to_split(source, reading)
    rows: list[MappingRow] = []
    for k, folder in enumerate(folders):
        # place_in_inbox moves the files to `<root>/inbox`, which becomes the new folder
        reading.place_in_inbox(str(prepared_root(staging, k)), [row for row in folder.rows if reading.staged_path(row)])
        rows += (MappingRow.of(reading.row(row), folder) for row in folder.rows)
    missing_folders(staging, folders, rows)  # with --test, too: it raises UsageError if names are in use
    mapping = None if test else move_to_output(staging, folders, rows)
    print_split(source, output, folders, rows, mapping=mapping, as_json=as_json)
    return int(ExitStatus.OK)
