"""Imports one unit, the packets of one session, from reading to the archive. Its problems become reports."""

import logging
import time
import traceback
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from qxbatch.core import CancelledError
from qxbatch.deidentify import Redact, no_redaction
from qxbatch.discover.units import Unit
from qxbatch.events import ProblemFound, Stage, StageStarted, UnitCancelled, UnitFinished, UnitSorted, UnitStarted
from qxbatch.model import SessionReport
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.deliver import deliver
from qxbatch.pipeline.prepare import place_files, plan_job, read_job
from qxbatch.pipeline.produce import produce
from qxbatch.pipeline.recover import clear_own_staging, recover_unit
from qxbatch.pipeline.refuse import (
    machine_problem,
    need_writable_sessions,
    refuse_imported_meanwhile,
    refuse_too_large,
)
from qxbatch.pipeline.remedy import redacted_with_commands, refused_report
from qxbatch.pipeline.unit_locks import UnitLocks
from qxbatch.problems import Code, PacketError, Problem, UsageError

log = logging.getLogger("qxbatch")


class UnitResult(NamedTuple):
    """The result of a unit."""

    unit: Unit
    reports: tuple[SessionReport, ...]
    """One for each of its sessions, or one if it was not imported; without identities of patients if logs are de-identified."""
    redact: Redact
    """Redacts the identities of the unit's patients in a text, as in the reports; changes nothing if logs are not de-identified."""


def import_unit(context: Context, unit: Unit) -> UnitResult:
    """Import one unit: read, sort, convert, record, verify, publish, archive.

    A problem with the unit's data is in the reports. None of its sessions is published before all are verified. Other runs may
    work in the same folders: locks decide which run imports a unit.

    Raises CancelledError when the run is stopped.
    """
    began = time.monotonic()
    context.observer.notify(UnitStarted(unit.name, unit.size))
    work = _Import(context, unit)
    try:
        reports = work.run()
    except CancelledError:
        context.observer.notify(UnitCancelled(unit.name))
        raise
    seconds = time.monotonic() - began
    reports = [
        redacted_with_commands(replace(report, seconds=seconds, unit=unit.name), unit, context.settings, work.redact)
        for report in reports
    ]
    for problem in dict.fromkeys(problem for report in reports for problem in report.problems):
        context.observer.notify(ProblemFound(unit.name, problem))
    context.observer.notify(UnitFinished(unit.name, tuple(reports)))
    return UnitResult(unit, tuple(reports), work.redact)


class _Import:
    """The import of one unit, and its state."""

    def __init__(self, context: Context, unit: Unit) -> None:
        self.context = context
        self.unit = unit
        self.locks = UnitLocks(context.locks, unit)
        self.redact: Redact = no_redaction
        """Redacts the identities of the unit's patients in a text, if logs are de-identified. Known once the headers are read."""
        self.redact_member_paths: Redact = no_redaction
        """Leaves the paths of members out of a text, if logs are de-identified. Known once the members are read."""

    def run(self) -> list[SessionReport]:
        """Import; a problem becomes a report. Raises CancelledError."""
        unit, workspace = self.unit, self.context.workspace
        try:
            self.locks.take_own()
            if workspace.has_journal(unit.name):
                check_lock = self.locks.refuse_lost
                own = self.locks.own_lock_names
                recovery = recover_unit(
                    workspace,
                    self.context.locks,
                    unit.name,
                    check_lock,
                    self.context.settings,
                    own,
                    self.context.monitor,
                )
                return list(recovery.reports)
            return self._stages()
        except PacketError as error:
            problem = error.problem
        except CancelledError:
            raise
        except UsageError as error:  # a folder cannot be listed, such as an inbox that is a link to itself
            problem = Problem(Code.UNREADABLE, unit.label, error.message, error.hint)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a bug (or a panic of the core) ends one packet, not the batch
            has_journal = partial(workspace.has_journal, unit.name)
            problem = machine_problem(unit, error, self.locks.refuse_lost, has_journal) or self._internal_problem(error)
        finally:
            if self.locks.holds_own:
                clear_own_staging(workspace, unit.name)
            self.locks.release()
        return [refused_report(unit, problem, self.redact_member_paths)]

    def _stages(self) -> list[SessionReport]:
        """Import the unit, whose locks are held; return a report for each of its sessions.

        Raises PacketError, UsageError, OSError and CancelledError.
        """
        context, unit = self.context, self.unit
        need_writable_sessions(context, unit, [unit.session])
        refuse_imported_meanwhile(context, unit)
        scratch = context.workspace.clear_and_make_scratch(unit.name)
        refuse_too_large(context, unit, scratch)
        context.observer.notify(StageStarted(unit.name, Stage.READING))
        job = read_job(context, unit, scratch)
        self.redact = job.redact
        self.redact_member_paths = job.redact_member_paths
        job, plans = plan_job(context, job)
        if job.is_split:
            sessions = [plan.session for plan in plans]
            self.locks.take_split([session.id for session in sessions if session != unit.session])
            need_writable_sessions(context, unit, sessions)
        job, sessions_with_folders = place_files(context, job, plans, scratch)
        series = [series for sorted_session, _ in sessions_with_folders for series in sorted_session.series]
        context.observer.notify(UnitSorted(unit.name, len(series), sum(item.size for item in series)))
        products = [
            produce(context, job, sorted_session, files_folder)
            for sorted_session, files_folder in sessions_with_folders
        ]
        return deliver(context, job, products, self.locks.refuse_lost)

    def _internal_problem(self, error: BaseException) -> Problem:
        """Log the traceback of a bug, and return its problem."""
        trace = self.redact_member_paths(self.redact("".join(traceback.format_exception(error))))
        log.error("%s: internal error\n%s", self.unit.name, trace)
        message = f"internal error: {type(error).__name__}: {error}."
        return Problem(Code.INTERNAL, self.unit.label, message, "Please report this with the log (--log-file).")
