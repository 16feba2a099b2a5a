"""The summary of a session that another program made: what is known of it, with the facts of its series."""

from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version

from qxbatch.model import SeriesKind, State
from qxbatch.parts.inspect_series import InspectedSeries
from qxbatch.record.summary import told_fields
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import LedgerCounts, SeriesSummary, SessionIdentity


def new_summary(folder: SessionFolder, series: Sequence[InspectedSeries]) -> Summary:
    """Return a summary without packets and ledger rows: nobody knows what the session was made of."""
    images: dict[int, list[int]] = defaultdict(list)
    for image in folder.images:
        images[image.series].append(image.number)
    return Summary(
        qxbatch=version("qxbatch"),
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
        header=told_fields(series.header),
        state=State.CONVERTED if images else State.NOT_ASKED,
        tool="",
        images=tuple(images),
        verdict=series.verdict,
        acquisition=series.acquisition,
    )
