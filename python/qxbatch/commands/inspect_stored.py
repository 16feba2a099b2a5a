"""The texts of the summary and DICOM-Report.txt of a session with new facts. A session without a summary gets one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qxbatch.acquisition import FREE_TEXTS, Acquisition
from qxbatch.commands.inspect_series import InspectedSeries
from qxbatch.core import VERSION
from qxbatch.model import SeriesKind, State
from qxbatch.record.dicom_report import refreshed_report
from qxbatch.record.summary import recorded_fields
from qxbatch.session.folder import SessionFolder
from qxbatch.session.sorted_sums import updated_sums
from qxbatch.session.summary import Summary, SummaryError, repeated_key, with_facts
from qxbatch.session.summary_parts import LedgerCounts, SeriesSummary, SessionIdentity
from qxbatch.textfile import read_text


def changed_texts(folder: SessionFolder, series: Sequence[InspectedSeries]) -> dict[Path, str]:
    """Return the files to change with their new text: the summary, DICOM-Report.txt if nobody edited it, and the list of checksums.

    Only a session that is sorted and not converted has that list. Raises SummaryError if the summary changes, but an object in it
    has a key twice.
    """
    texts = _summary_and_report(folder, series)
    return {**texts, **updated_sums(folder.paths, texts)}


def _summary_and_report(folder: SessionFolder, series: Sequence[InspectedSeries]) -> dict[Path, str]:
    paths = folder.paths
    if folder.summary is None:
        return {paths.summary: new_summary(folder, series).to_json()}
    old_text = read_text(paths.summary, "strict")
    facts = {item.n: (item.acquisition, item.verdict) for item in series if item.acquisition and item.verdict}
    if folder.summary.session.deidentified:
        stored = {item.n: item.acquisition or Acquisition() for item in folder.summary.series}
        facts = {n: (_with_texts_of(stored.get(n, Acquisition()), new), verdict) for n, (new, verdict) in facts.items()}
    new_text = with_facts(old_text, facts)
    if new_text == old_text:
        return {}
    if key := repeated_key(old_text):
        advice = "An update would remove one of them. Remove it, or give it another name."
        raise SummaryError(f"{paths.summary}: an object has the key {key!r} twice. {advice}")
    texts = {paths.summary: new_text}
    try:
        report = read_text(paths.dicom_report)
    except OSError:
        return texts
    refreshed = refreshed_report(report, folder.summary, Summary.from_json(new_text, paths.summary))
    return texts if refreshed is None else {**texts, paths.dicom_report: refreshed}


def _with_texts_of(stored: Acquisition, facts: Acquisition) -> Acquisition:
    """Return facts with the stored free texts: in a de-identified session, the texts of the headers can name the patient."""
    return replace(facts, **{name: getattr(stored, name) for name in FREE_TEXTS})


def new_summary(folder: SessionFolder, series: Sequence[InspectedSeries]) -> Summary:
    """Return a summary without packets and ledger rows: the sources of the session are unknown."""
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
        state=State.CONVERTED if images else State.NOT_REQUESTED,
        tool="",
        images=tuple(images),
        verdict=series.verdict,
        acquisition=series.acquisition,
    )
