"""`qxbatch resume`: submits lost packets again, and on request failed ones."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

from qxbatch.cluster.new_submission import remove_unfinished
from qxbatch.cluster.options import restore_settings
from qxbatch.cluster.outcome import submitted_text
from qxbatch.cluster.resubmit import prepare_resubmission, resubmit, submittable_units
from qxbatch.cluster.state import ImportState, UnitState
from qxbatch.cluster.status import Status, StatusRow, assignments_of, query_status
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit_lock import submit_lock
from qxbatch.commands.submitted import print_not_resubmitted, print_refused, print_warnings, submissions_in
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import merged_scheduler_text, scheduler_spec


def run(options: Mapping[str, object]) -> int:
    """Submit lost and, with --failed, failed packets again; return the exit status. Raises UsageError."""
    write_script = sys.stdout.write
    # With --print-script, standard output gets only the script: a shell would run a message with the name of a packet.
    with redirect_stdout(sys.stderr) if options["--print-script"] else nullcontext():
        folder, submissions = submissions_in(options["<sessionsfolder>"])
        ids = []
        with submit_lock(folder):
            remove_unfinished(folder)
            chosen = _units_to_submit(query_status(submissions), options)
            for submission, units in chosen:
                submission.need_own()
                if _submit(submission, units, options, write_script):
                    ids.append(submission.id)
        if not ids and not options["--quiet"]:
            print("There is nothing to resume.")
    if ids and options["--wait"] and not options["--print-script"]:
        return _follow(folder, submissions, ids)
    return int(ExitStatus.OK)


def _units_to_submit(status: Status, options: Mapping[str, object]) -> list[tuple[Submission, list[UnitState]]]:
    """Return the units to submit, by submission. Raises UsageError if the queue does not answer."""
    if status.why_no_answer:
        raise UsageError(
            f"The queue does not answer: {status.why_no_answer}. So it is not known what was lost.",
            "Nothing was submitted; try again when it answers.",
            ExitStatus.UNAVAILABLE,
        )
    print_warnings(status.unreadable)
    rows = status.rows_in_state(ImportState.LOST)
    if options["--failed"]:
        failed = status.rows_in_state(ImportState.FAILED)
        rows += [row for row in failed if _can_be_resumed(row)]
        print_not_resubmitted([row.unit.name for row in failed if not _can_be_resumed(row)])
    by_id: dict[str, tuple[Submission, list[UnitState]]] = {}
    for row in rows:
        by_id.setdefault(row.submission.id, (row.submission, []))[1].append(row.unit)
    return list(by_id.values())


def _can_be_resumed(row: StatusRow) -> bool:
    """Return whether another import can succeed: a published session is only replaced with --overwrite."""
    return not row.unit.published or row.submission.options.get("overwrite", "no").casefold() in ("yes", "true")


def _submit(
    submission: Submission,
    units: list[UnitState],
    options: Mapping[str, object],
    write_script: Callable[[str], object],
) -> bool:
    """Submit those of the units that are not refused, or write the script that does; return whether there are any.

    Raises UsageError.
    """
    assignments_of(submission)  # raises if the assignments of units cannot be read: their jobs may wait or run
    text = str(submission.record["scheduler"])
    if options["--scheduler"]:
        text = merged_scheduler_text(text, str(options["--scheduler"]))
    spec = scheduler_spec(text)
    if spec.name != submission.scheduler.name.casefold():
        raise UsageError(
            f"Submission {submission.id} is of {submission.scheduler.name}.",
            "Name the same scheduler in --scheduler.",
        )
    ready = submittable_units(submission, units)
    print_refused([unit.name for unit in units if unit not in ready])
    if options["--print-script"] and ready:
        write_script(prepare_resubmission(submission, ready, spec))
        return True
    submitted = resubmit(submission, ready, spec)
    if submitted is not None and not options["--quiet"]:
        print(submitted_text(submission, len(ready), submitted))
    return submitted is not None


def _follow(folder: Path, submissions: Sequence[Submission], ids: Sequence[str]) -> int:
    from dataclasses import replace

    from qxbatch.cluster.follow import follow

    settings = restore_settings(next(submission for submission in submissions if submission.id in ids))
    return follow(replace(settings, sessionsfolder=folder), ids)
