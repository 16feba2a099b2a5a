"""Facts and verdicts of a session: those in its summary, or those computed from its sorted DICOM."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from qxbatch.commands.inspect_headers import PacketHeaders, read_headers
from qxbatch.commands.inspect_resources import Resources
from qxbatch.commands.inspect_series import (
    InspectedSeries,
    InspectedSource,
    inspect_packet,
    series_number,
    series_of_number,
)
from qxbatch.convert.header_values import text
from qxbatch.core import CancelledError
from qxbatch.ingest.sources import sorted_sources
from qxbatch.model import Output
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.session.folder import SIDECARS, SessionFolder
from qxbatch.session.layout import LOG, PACKED_SUFFIX
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary_parts import SeriesSummary


def stored_series(folder: SessionFolder) -> InspectedSource | None:
    """Return the series in a session's summary; None if it has no facts. Raises SummaryError and OSError."""
    if not any(series.acquisition for series in folder.series):
        return None
    return InspectedSource(str(folder.path), tuple(map(_of_summary, folder.series)))


def _of_summary(series: SeriesSummary) -> InspectedSeries:
    header = series.header
    return InspectedSeries(
        series.n,
        series_number(header),
        header,
        text(header, "StudyInstanceUID"),
        next(iter(series.series_uids), "") or text(header, "SeriesInstanceUID"),
        series.files,
        series.size,
        series.verdict,
        series.acquisition,
    )


def sorted_series(
    session: Path, resources: Resources, outputs: Mapping[int, Sequence[Output]] | None = None
) -> InspectedSource:
    """Return the series that are sorted in a session, with facts computed from their DICOM and PAR/REC.

    `outputs` are the images of each series, by the n of `dicom/<n>`.

    Raises CancelledError when the monitor is cancelled, and OSError when the temporary folder cannot be written or a PAR cannot be
    read.
    """
    try:
        sources = sorted_sources(SessionPaths(session).dicom)
    except UsageError as error:  # the folder cannot be listed
        return InspectedSource(str(session), problems=(error.message.rstrip("."),))
    paths: dict[int, list[Path]] = defaultdict(list)
    for source in sources:
        name = source.path.name.removesuffix(PACKED_SUFFIX)
        if name != LOG:
            paths[int(name)].append(source.path)

    def of_number(n: int) -> InspectedSource:
        return _inspect_number(n, paths[n], resources, (outputs or {}).get(n, ()))

    with ThreadPoolExecutor(resources.threads) as pool:
        results = [*pool.map(of_number, sorted(paths))]
    series = tuple(series for each in results for series in each.series)
    return InspectedSource(str(session), series, tuple(problem for each in results for problem in each.problems))


def _inspect_number(n: int, paths: Sequence[Path], resources: Resources, outputs: Sequence[Output]) -> InspectedSource:
    if resources.monitor.cancelled:
        raise CancelledError("stopped")
    with resources.temporary_folder() as folder:
        headers: list[PacketHeaders] = []
        problems: list[str] = []
        for index, path in enumerate(paths):
            staging = Path(folder) / f"{index}"
            try:
                headers.append(_read_headers(path, staging, resources))
            except OSError as error:
                problems.append(error_text(error, path))
        packet = series_of_number(n, headers)
        headers.clear()
        result = inspect_packet("", packet, 1, resources.monitor, outputs)
        return replace(result, problems=(*problems, *result.problems))


def _read_headers(path: Path, staging: Path, resources: Resources) -> PacketHeaders:
    """Return the headers of a folder or archive in the `dicom` of a session. Raises OSError."""
    return read_headers(
        path,
        staging,
        source=path.parents[1],
        threads=1,
        passwords=resources.passwords,
        limits=resources.limits,
        monitor=resources.monitor,
    )


def images_by_series(folder: SessionFolder) -> dict[int, list[Output]]:
    """Return the images of each series, by the n of `dicom/<n>`, with the files beside them. Raises SummaryError and OSError.

    Facts are taken from the sidecars only. So, unlike elsewhere, an `Output` here may be a compressed image, and has no suffix.
    """
    outputs: dict[int, list[Output]] = defaultdict(list)
    for image in folder.images:
        beside = ((extension, folder.paths.image(image.number, extension)) for extension in SIDECARS)
        sidecars = {extension: path for extension, path in beside if path.is_file()}
        outputs[image.series].append(Output(folder.paths.image(image.number), "", sidecars))
    return outputs
