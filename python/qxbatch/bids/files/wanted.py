"""The files of a data set as they should be: where each comes from, and its size and hash. Nothing is written here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.files.sources import Source, Sources
from qxbatch.bids.model import Placed, SessionPlan
from qxbatch.bids.schema.placed_name import PlacedName, session_prefix
from qxbatch.bids.sidecars.asl import context_problem, context_text, m0_targets, volume_types
from qxbatch.bids.sidecars.completed import complete, sidecar_text
from qxbatch.bids.sidecars.fieldmaps import INTENDED_FOR, link
from qxbatch.bids.sidecars.intended_for import IntendedFor
from qxbatch.bids.tables.rows import scans_table
from qxbatch.bids.tables.shifts import Shifts
from qxbatch.bids.tables.table_text import Table
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import IMAGE, image_file
from qxbatch.session.paths import SessionPaths

SOURCEDATA = "sourcedata"
_GRADIENTS = ("bval", "bvec")
_FEW_DIFFUSION = 50.0
"""Largest b-value in s/mm2 that counts as 0."""


class ImageSource(NamedTuple):
    """Why a file is in the data set."""

    session: str = ""
    image: int = 0
    rule: str = ""


@dataclass(frozen=True)
class Wanted:
    """A file as it should be; a file of the session, or bytes, or a table that is merged with the existing one."""

    path: str
    source: ImageSource
    content: Source | bytes | Table
    users: bool = False
    """People are meant to edit it: it is left alone once they did, and that is no news."""


class Form(NamedTuple):
    """How a session is written."""

    intended_for: IntendedFor = IntendedFor.URI
    keep_identifying: bool = False
    sourcedata: bool = False
    shifts: Shifts | None = None


class SessionFiles(NamedTuple):
    """The files of one session."""

    files: tuple[Wanted, ...]
    warnings: tuple[str, ...]


def session_files(plan: SessionPlan, form: Form, sources: Sources) -> SessionFiles:
    """Return the files of a session. Raises SourceError where one of its files cannot be read."""
    links = link(plan.placed, form.intended_for)
    m0 = _m0_links(plan.placed, form.intended_for)
    both = {path: {**links.fields.get(path, {}), **m0.get(path, {})} for path in {*links.fields, *m0}}
    completed = complete(plan.placed, both, keep_identifying=form.keep_identifying)
    wanted: list[Wanted] = []
    for placed in plan.placed:
        wanted += _image_files(placed, completed.fields[placed.path], sources)
    if plan.placed:
        folder, start = session_prefix(plan.subject, plan.label)
        scans = Wanted(f"{folder}/{start}_scans.tsv", ImageSource(plan.session.id), scans_table(plan, form.shifts))
        wanted.append(scans)
        if form.sourcedata:
            wanted += _sourcedata(plan, folder, sources)
    problems = [text for placed in plan.placed if (text := context_problem(placed))]
    return SessionFiles(tuple(wanted), (*links.warnings, *completed.warnings, *problems))


def _m0_links(placed: Sequence[Placed], form: IntendedFor) -> Mapping[str, Mapping[str, Any]]:
    scans = [each for each in placed if PlacedName.of(each.path)[::2] == ("perf", "m0scan")]
    found = {each.path: m0_targets(each, placed) for each in scans}
    return {path: {INTENDED_FOR: [form.to(target) for target in targets]} for path, targets in found.items() if targets}


def _image_files(placed: Placed, fields: Mapping[str, Any], sources: Sources) -> Iterator[Wanted]:
    image, name = placed.image, PlacedName.of(placed.path)
    source = ImageSource(image.session.id, image.number, placed.rule.target)
    sidecar = f"{placed.path}.json"
    yield Wanted(sidecar, source, sidecar_text(fields))
    if name.suffix == "dwi" or (name.datatype == "fmap" and name.suffix == "epi"):
        yield from _gradients(placed, source, sources)
    types = volume_types(placed) if name.suffix == "asl" else None
    if types is not None:
        yield Wanted(f"{placed.path.removesuffix('_asl')}_aslcontext.tsv", source, context_text(types))
    yield Wanted(f"{placed.path}{IMAGE}", source, sources.of_image(image, image_file(image.number)))


def _gradients(placed: Placed, source: ImageSource, sources: Sources) -> Iterator[Wanted]:
    """Yield bval and bvec. A diffusion image that has none gets zeros where its headers say that it has no diffusion."""
    image = placed.image
    for extension in _GRADIENTS:
        file = image_file(image.number, extension)
        path = f"{placed.path}.{extension}"
        if file in image.image.files:
            yield Wanted(path, source, sources.of_image(image, file))
        elif PlacedName.of(placed.path).datatype == "dwi" and _is_without_diffusion(placed):
            volumes = image.image.shape[3] if len(image.image.shape) > 3 else 1  # noqa: PLR2004 - the fourth axis
            line = " ".join(["0"] * volumes)
            yield Wanted(path, source, f"{line}\n".encode() * (1 if extension == "bval" else 3))


def _is_without_diffusion(placed: Placed) -> bool:
    facts = placed.image.series.acquisition
    return bool(facts and facts.b_values and all(value <= _FEW_DIFFUSION for value, _count in facts.b_values))


def _sourcedata(plan: SessionPlan, folder: str, sources: Sources) -> Iterator[Wanted]:
    """Yield the sorted DICOM of the series that are exported."""
    paths = SessionPaths(plan.session.path)
    for n in sorted({placed.image.series.n for placed in plan.placed}):
        for path in series_files(plan.session, n):
            inside = path.relative_to(paths.dicom).as_posix()
            yield Wanted(f"{SOURCEDATA}/{folder}/{inside}", ImageSource(plan.session.id), sources.of_file(path))


def series_files(session: SessionFolder, n: int) -> list[Path]:
    """Return the archive of a series, or its files where it is not packed."""
    packed, folder = session.paths.packed(n), session.paths.series(n)
    if packed.is_file():
        return [packed]
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
