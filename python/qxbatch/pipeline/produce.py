"""Makes one session's folder in staging, complete but for its publication."""

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from qxbatch.cells import unescaped
from qxbatch.conceal import Hide, hidden_problem
from qxbatch.core import Reading
from qxbatch.ingest.assemble import Part
from qxbatch.ingest.remarks import duplicates, joined_series, several_studies
from qxbatch.model import Conversion, Packet, SeriesKind
from qxbatch.pack.series import Stored, bring, stored_at
from qxbatch.page.session import write_page
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.earlier import Earlier, with_earlier
from qxbatch.pipeline.rest import bring_rest, conceal_rest
from qxbatch.pipeline.series import make_series, picture_of
from qxbatch.problems import Problem
from qxbatch.publish.durable import created
from qxbatch.record.dicom_report import dicom_report
from qxbatch.record.files import hide_in_sidecars, write_images, write_logs
from qxbatch.record.images import Placement, place_images
from qxbatch.record.ledger import joined_notes, ledger_row, second_copy
from qxbatch.record.session_txt import session_text
from qxbatch.record.summary import PacketInfo, summary
from qxbatch.record.sums import sums_of
from qxbatch.session.layout import FOLDERS, KEPT_AT, picture_file
from qxbatch.session.ledger import LedgerRow, write_ledger
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary_parts import Split
from qxbatch.settings.model import Stages


@dataclass(frozen=True)
class Product:
    """A session that is ready to be verified and published."""

    part: Part
    build: Path
    images: int
    problems: tuple[Problem, ...]
    syncing: Sequence[Future[None]] = ()
    """What is being brought to disk already."""


@dataclass(frozen=True)
class Origin:
    """Where a session's data come from, and what was said of them so far."""

    unit: str
    packets: tuple[Packet, ...]
    problems: tuple[Problem, ...]
    inbox: Path | None = None
    """Folder mode: the session's own inbox, whose names are taken."""
    earlier: Earlier = field(default_factory=Earlier)
    """Folder mode: what the session said of itself before."""
    parted: Mapping[str, str] = field(default_factory=dict)
    """Session id to patient id (empty where it is concealed), where one packet was parted into several sessions."""


def produce(context: Context, part: Part, reading: Reading, origin: Origin, root: Path) -> Product:
    """Convert, store and record a part whose files lie below `root`, into the unit's build folder.

    Raises OSError when the disk is full or cannot be written, and CancelledError.
    """
    started = time.monotonic()
    session, settings = part.session, context.settings
    build = context.workspace.build(origin.unit, session.id)
    paths = SessionPaths(build)
    for name in FOLDERS:
        (build / name).mkdir(parents=True)
    final = context.workspace.sessionsfolder / session.id
    context.progress.stage(origin.unit, "converting")
    work = root.with_name(f"{root.name}.convert")
    made = make_series(context, part, reading, build, work, final, splice=origin.inbox is None)
    context.progress.stage(origin.unit, "recording")
    replaced = settings.conceal or origin.earlier.concealed
    conversions = [_concealed(one.conversion, part.hide) for one in made]
    placement = place_images(
        conversions,
        [series.n for series in part.series],
        add_image_type=settings.add_image_type,
        add_json_info=settings.add_json_info,
        shape=made[0].shapes.__getitem__ if made else Path.stat,  # type: ignore[arg-type]
    )
    hidden = conceal_rest(root, part.hide)
    moved = bring_rest(root, build, None if origin.inbox is None else SessionPaths(final).inbox)
    found = (*several_studies(reading.groups(), part), *joined_series(part), *duplicates(reading, part))
    told = (*origin.problems, *part.problems, *found)
    problems = tuple(hidden_problem(problem, part.hide) for problem in told)
    write_images(placement, build, _no_gzip)
    hide_in_sidecars(paths.nii, part.hide)
    if settings.stages is not Stages.SORT:
        write_logs(conversions, placement, build)
    pictures = _bring_pictures(placement, build)
    patient = "" if replaced else _patient(part)
    with created(paths.dicom_report) as file:
        file.write(dicom_report(session.id, patient or session.id, conversions))
    stored = {one.conversion.series.n: one.stored for one in made}
    with created(paths.ledger) as file:
        stays = origin.inbox is not None and not origin.parted
        rows = _rows(reading, part, stored, moved, hidden, stays=stays)
        fates = write_ledger(file, rows if origin.inbox is None else with_earlier(rows, origin.earlier, final))
    about = summary(
        session,
        [PacketInfo(packet, part.hide(packet.path.name)) for packet in origin.packets],
        conversions,
        placement,
        version=version("qxbatch"),
        converters=context.tools.versions(),
        fates=fates,
        sums=sums_of(placement, build, made[0].sums if made else {}),
        problems=problems,
        patient=patient,
        concealed=replaced,
        split=Split(origin.unit, dict(origin.parted)) if origin.parted else None,
        earlier_packets=origin.earlier.packets,
        times={"seconds": round(time.monotonic() - started, 3)},
        host={"name": platform.node(), "system": platform.system()},
    )
    with created(paths.summary) as file:
        file.write(about.to_json())
    write_page(paths.page, about, pictures)
    if settings.stages is not Stages.SORT:
        _write_session_txt(context, build, final, part, placement)
    said = (*problems, *placement.problems, *(p for c in conversions for p in c.problems))
    return Product(part, build, len(placement.images), tuple(dict.fromkeys(said)), made[0].syncing if made else ())


def _write_session_txt(context: Context, build: Path, final: Path, part: Part, placement: Placement) -> None:
    with created(SessionPaths(build).session_txt) as file:
        file.write(
            session_text(
                part.session,
                final,
                placement.images,
                part.series,
                version=version("qxbatch"),
                made=datetime.now(),
                path_map=context.settings.path_map,
            )
        )


def _patient(part: Part) -> str:
    """The patient id as the first series with one has it."""
    ids = (str(series.header.get("PatientID") or "") for series in part.series if series.kind is SeriesKind.DICOM)
    return next((text for text in ids if text), "")


def _concealed(conversion: Conversion, hide: Hide) -> Conversion:
    """Where the session id stands in place of the patient's, it does so in what converters said."""
    return replace(
        conversion,
        log=hide(conversion.log),
        problems=tuple(hidden_problem(problem, hide) for problem in conversion.problems),
    )


def _bring_pictures(placement: Placement, build: Path) -> dict[int, str]:
    """Bring the pictures of images to their folder; return their paths for the page."""
    found = {}
    paths = SessionPaths(build)
    for placed in placement.placed:
        picture = picture_of(placed.output.nifti)
        if picture.exists():
            number = placed.image.number
            paths.pictures.mkdir(exist_ok=True)
            bring(picture, paths.picture(number))
            found[number] = picture_file(number)
    return found


def _rows(
    reading: Reading,
    part: Part,
    stored: Mapping[int, Stored],
    moved: Mapping[str, str],
    hidden: Mapping[str, str],
    *,
    stays: bool,
) -> Iterator[LedgerRow]:
    notes = joined_notes(part.series)
    for index in part.rows:
        if index in part.copies:
            first = reading.row(part.copies[index])
            at = stored_at(first.at, first.series, stored[first.series])
            yield second_copy(reading.row(index), first, at)
            continue
        row = reading.row(index)
        if stays and row.fate == "kept" and row.at == f"{KEPT_AT}{row.path}":
            # it stays where it is, under the very name that the core has escaped for the ledger
            yield ledger_row(row, unescaped(row.at), part.hide(row.reason))
            continue
        at = stored_at(row.at, row.series, stored[row.series]) if row.series in stored else row.at
        at = hidden.get(at, at)
        top = "/".join(at.split("/")[:2])
        if top in moved:
            at = moved[top] + at.removeprefix(top)
        note = part.hide(notes.get(row.group, "")) if row.fate == "sorted" else ""
        yield ledger_row(row, at, part.hide(row.reason), note)


def _no_gzip(nifti: Path, out: Path) -> None:
    """Every image is compressed as soon as it is converted."""
    raise AssertionError(f"{nifti} was not compressed to {out}")
