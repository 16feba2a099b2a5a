"""Verifies the sessions of a unit (packets that are imported together), writes the journal, publishes and archives."""

from collections.abc import Callable, Sequence

from qxbatch.events import Stage, StageStarted
from qxbatch.model import SessionReport
from qxbatch.pipeline.check_build import sync_and_check_build
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.delivery_warnings import archiving_warnings, replaced_patient_warnings, stale_session_warnings
from qxbatch.pipeline.finish import finish
from qxbatch.pipeline.import_again import with_import_command
from qxbatch.pipeline.journaling import archiving_facts, write_unit_journal
from qxbatch.pipeline.linked_inboxes import refuse_immovable_kept_files
from qxbatch.pipeline.produce import Product
from qxbatch.pipeline.refuse import need_writable_sessions
from qxbatch.record.job import Job


def deliver(
    context: Context, job: Job, products: Sequence[Product], check_lock: Callable[[], None]
) -> list[SessionReport]:
    """Publish the finished sessions of a unit; return a report for each.

    Raises PacketError if the sessions must not be published, for example because the files on disk differ from the packet or a
    session appeared meanwhile, or if another run took over the unit's lock (raised by `check_lock`). Raises OSError if the unit
    cannot be published, UsageError if the sessions folder cannot be listed, and CancelledError when the run is stopped.
    """
    unit, workspace = job.unit, context.workspace
    context.observer.notify(StageStarted(unit.name, Stage.VERIFYING))
    facts = archiving_facts(context, job, products)
    for product in products:
        refuse_immovable_kept_files(unit, product.build, linked=facts.is_behind_link)
        sync_and_check_build(context, job, product)
    context.observer.notify(StageStarted(unit.name, Stage.PUBLISHING))
    need_writable_sessions(context, unit, [product.sorted_session.session for product in products])
    patient_warnings = replaced_patient_warnings(workspace.sessionsfolder, job, products)
    stale_warnings = stale_session_warnings(workspace.sessionsfolder, job, products)
    journal, removal_list_content = write_unit_journal(context, job, products, facts, check_lock)
    result = finish(
        journal, workspace, context.locks, check_lock, context.settings, removal_list_content, monitor=context.monitor
    )
    sessions = [product.sorted_session.session.id for product in products]
    if not unit.folder_mode or job.is_split:
        context.published_sessions.update(sessions)
    return [
        SessionReport(
            unit.label,
            product.sorted_session.session,
            workspace.sessionsfolder / product.sorted_session.session.id,
            (
                *with_import_command(
                    product.all_problems.problems,
                    product.all_problems.left_out,
                    job,
                    context.settings,
                    result.paths_after_archiving,
                ),
                *((*stale_warnings, *archiving_warnings(facts, unit)) if k == 0 else ()),
                *([patient_warnings[sessions[k]]] if sessions[k] in patient_warnings else []),
                *result.problems_of(sessions[k], sessions),
            ),
            len(product.sorted_session.series),
            product.image_count,
            archived=result.first_path_after_archiving,
            labels=product.session_images.labels(product.sorted_session.series, job.redact),
        )
        for k, product in enumerate(products)
    ]
