"""One export, from the plans to the result, under the lock of the data set."""

from collections.abc import Sequence

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.export_cache import read_cache
from qxbatch.bids.files.planned_files import FileOptions
from qxbatch.bids.files.record import read_record
from qxbatch.bids.files.shared import SharedFileOptions, shared_files
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.write.dataset import check_dataset, one_export_at_a_time
from qxbatch.bids.write.date_shifts import prepare_date_shifts
from qxbatch.bids.write.export import Exporter
from qxbatch.bids.write.export_options import ExportOptions
from qxbatch.bids.write.journal import refuse_omitted_interrupted_sessions
from qxbatch.bids.write.request import ExportRequest
from qxbatch.bids.write.result import ExportResult


def run_export(request: ExportRequest, plans: Sequence[ExportPlan]) -> ExportResult:
    """Export sessions. Raises UsageError, LinkRefusedError, and OSError where the data set cannot be written."""
    check_dataset(request.dataset, request.sessionsfolder)
    if request.test:
        return _export(request, plans)
    request.dataset.mkdir(parents=True, exist_ok=True)
    with one_export_at_a_time(request.dataset):
        return _export(request, plans)


def _export(request: ExportRequest, plans: Sequence[ExportPlan]) -> ExportResult:
    cache = read_cache(request.sessionsfolder, request.dataset)
    dataset_folder = DatasetFolder(request.dataset, cache)
    record = read_record(request.dataset)
    if not request.includes_all_sessions:
        refuse_omitted_interrupted_sessions(request.dataset, record, [plan.session.id for plan in plans])
    shifts = prepare_date_shifts(request, plans, record)
    file_options = FileOptions(request.intended_for, request.keep_identifying, request.sourcedata, shifts)
    options = ExportOptions(
        request.dataset,
        request.sessionsfolder,
        request.link_mode,
        file_options,
        request.includes_all_sessions,
        request.subject_label_of,
        request.test,
    )
    shared_options = SharedFileOptions(
        request.dataset,
        request.sessionsfolder,
        request.description_fields,
        request.logfile_table,
        shifts,
        request.sourcedata,
    )
    exporter = Exporter(options, dataset_folder, record, cache)
    export = exporter.export(plans, lambda exported: shared_files(exported, shared_options, cache))
    if exporter.tables_have_failed_sessions:
        # the shared files were left out, since their tables have rows of sessions whose files could not be placed: a second export
        # without these sessions writes them
        failed = {session.session for session in export.not_exported}
        exported_plans = [plan for plan in plans if plan.session.id not in failed]
        again = Exporter(options, dataset_folder, read_record(request.dataset), cache)
        second = again.export(exported_plans, lambda exported: shared_files(exported, shared_options, cache))
        of_sessions = [change for change in export.changes if change.session]
        export = export._replace(changes=(*of_sessions, *(change for change in second.changes if not change.session)))
    if not request.test:
        cache.write()
    return export
