"""Facts in the records of a session: its summary, its report, and a new summary where another program made the session."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from qxbatch.core import VERSION
from qxbatch.model import SeriesKind, State
from qxbatch.parts.inspect_series import InspectedSeries
from qxbatch.record.dicom_report import refreshed_report
from qxbatch.record.summary import recorded_fields
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import Summary, with_facts
from qxbatch.session.summary_parts import LedgerCounts, SeriesSummary, SessionIdentity
from qxbatch.textfile import read_text


def changed_texts(folder: SessionFolder, series: Sequence[InspectedSeries]) -> dict[Path, str]:
    """Return the files that have to change, with their new text: the summary, and the report where it is ours."""
    paths = folder.paths
    if folder.summary is None:
        return {paths.summary: new_summary(folder, series).to_json()}
    before = read_text(paths.summary, "strict")
    known = {each.n: (each.acquisition, each.verdict) for each in series if each.acquisition and each.verdict}
    after = with_facts(before, known)
    if after == before:
        return {}
    texts = {paths.summary: after}
    try:
        report = read_text(paths.dicom_report)
    except OSError:
        return texts
    refreshed = refreshed_report(report, Summary.from_json(after, paths.summary))
    return texts if refreshed is None else {**texts, paths.dicom_report: refreshed}


def new_summary(folder: SessionFolder, series: Sequence[InspectedSeries]) -> Summary:
    """Return a summary without packets and ledger rows: nobody knows what the session was made of."""
    images: dict[int, list[int]] = defaultdict(list)
    for image in folder.images:
        images[image.series].append(image.number)
    return Summary(
        qxbatch=VERSION,
        session=SessionIdentity(folder.id, folder.subject or folder.id),
        packets=(),
        series=tuple(_series(each, images[each.n]) for each in series),
        images=folder.images,
        ledger=LedgerCounts(0),
    )


def _series(series: InspectedSeries, images: Sequence[int]) -> SeriesSummary:
    return SeriesSummary(
        n=series.n,
        kind=SeriesKind.DICOM if series.series_uid else SeriesKind.PARREC,
        files=series.files,
        size=series.size,
        header=recorded_fields(series.header),
        state=State.CONVERTED if images else State.NOT_ASKED,
        tool="",
        images=tuple(images),
        verdict=series.verdict,
        acquisition=series.acquisition,
    )
