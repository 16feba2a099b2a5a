"""The planned files of one session, with their contents. This module writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.files.sources import Source, SourceError, Sources
from qxbatch.bids.model import ExportPlan, PlacedImage
from qxbatch.bids.schema.image_path import SCANS_SUFFIX, ImagePath, session_prefix
from qxbatch.bids.sidecars.asl import asl_paths_of_m0, context_bytes, context_problem, volume_types
from qxbatch.bids.sidecars.fieldmaps import INTENDED_FOR, field_map_links
from qxbatch.bids.sidecars.intended_for import IntendedForFormat
from qxbatch.bids.sidecars.sidecar_fields import bids_sidecars, sidecar_bytes
from qxbatch.bids.tables.rows import scans_table
from qxbatch.bids.tables.shifts import DateShifts
from qxbatch.bids.tables.table_text import Table
from qxbatch.os_error import reason_text
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import IMAGE_SUFFIX, image_file
from qxbatch.session.paths import SessionPaths

SOURCEDATA = "sourcedata"
_GRADIENT_EXTENSIONS = ("bval", "bvec")
_MAX_B0 = 50.0
"""Largest b-value in s/mm2 that counts as 0."""


class Owner(NamedTuple):
    """What a file belongs to: session id, number of the image, and `as` of the rule; empty or 0 if it belongs to none."""

    session: str = ""
    image: int = 0
    rule: str = ""
    subject_name: str = ""
    """As in the export plan; empty for files other than scans.tsv."""


class ColumnDescriptions(NamedTuple):
    """Content that is not known yet: descriptions of the columns of a table, which depend on how the table is merged."""

    table: str
    """The path of the table in the data set."""


@dataclass(frozen=True)
class PlannedFile:
    """A planned file of the data set."""

    path: str
    """Relative to the data set."""
    owner: Owner
    content: Source | bytes | Table | ColumnDescriptions
    """A file of the session, bytes, a table that is merged with the existing one, or descriptions of the columns of a table.

    The table is planned before its descriptions.
    """
    is_editable: bool = False
    """Whether users are meant to edit the file: an edited one is not changed and not reported."""


class FileOptions(NamedTuple):
    """Options for the planned files of a session."""

    intended_for: IntendedForFormat = IntendedForFormat.URI
    """How the field IntendedFor names images."""
    keep_identifying: bool = False
    """Whether sidecars keep fields that identify a person or an examination."""
    sourcedata: bool = False
    """Whether the sorted files (DICOM, PAR/REC) of the exported series are exported, too."""
    shifts: DateShifts | None = None
    """None: dates are not shifted."""


class PlannedSessionFiles(NamedTuple):
    """The files of the data set that are planned for one session."""

    files: tuple[PlannedFile, ...]
    warnings: tuple[str, ...]


def planned_session_files(plan: ExportPlan, options: FileOptions, sources: Sources) -> PlannedSessionFiles:
    """Return the planned files of a session, and warnings about them. Raises SourceError."""
    links = field_map_links(plan.placed_images, options.intended_for)
    m0 = _m0_links(plan.placed_images, options.intended_for)
    link_fields = {path: {**links.fields.get(path, {}), **m0.get(path, {})} for path in {*links.fields, *m0}}
    sidecars = bids_sidecars(plan.placed_images, link_fields, keep_identifying=options.keep_identifying)
    files: list[PlannedFile] = []
    for placed in plan.placed_images:
        files += _image_files(placed, sidecars.fields[placed.path], sources)
    if plan.placed_images:
        folder, start = session_prefix(plan.subject_label, plan.session_label)
        owner = Owner(plan.session.id, subject_name=plan.subject_name)
        files.append(PlannedFile(f"{folder}/{start}{SCANS_SUFFIX}", owner, scans_table(plan, options.shifts)))
        if options.sourcedata:
            files += _sourcedata(plan, folder, sources)
    problems = [text for placed in plan.placed_images if (text := context_problem(placed))]
    return PlannedSessionFiles(tuple(files), (*links.warnings, *sidecars.warnings, *problems))


def _m0_links(images: Sequence[PlacedImage], form: IntendedForFormat) -> Mapping[str, Mapping[str, Any]]:
    """Return the sidecar fields that link M0 scans to their ASL images, by the path of the M0 scan."""
    names = {image.path: ImagePath.of(image.path) for image in images}
    is_m0 = {path: name.datatype == "perf" and name.suffix == "m0scan" for path, name in names.items()}
    targets_by_path = {image.path: asl_paths_of_m0(image, images) for image in images if is_m0[image.path]}
    return {
        path: {INTENDED_FOR: [form.reference_to(target) for target in targets]}
        for path, targets in targets_by_path.items()
        if targets
    }


def _image_files(placed: PlacedImage, fields: Mapping[str, Any], sources: Sources) -> Iterator[PlannedFile]:
    image, name = placed.image, ImagePath.of(placed.path)
    owner = Owner(image.session.id, image.number, placed.rule.target)
    sidecar = f"{placed.path}.json"
    yield PlannedFile(sidecar, owner, sidecar_bytes(fields))
    if name.suffix == "dwi" or (name.datatype == "fmap" and name.suffix == "epi"):
        yield from _gradients(placed, owner, sources)
    types = volume_types(placed) if name.suffix == "asl" else None
    if types is not None:
        yield PlannedFile(f"{placed.path.removesuffix('_asl')}_aslcontext.tsv", owner, context_bytes(types))
    path = f"{placed.path}{IMAGE_SUFFIX}"
    yield PlannedFile(path, owner, sources.of_image(image, image_file(image.number), path))


def _gradients(placed: PlacedImage, owner: Owner, sources: Sources) -> Iterator[PlannedFile]:
    """Yield bval and bvec. An image in `dwi` without them gets zeros if all b-values of its headers count as 0."""
    image = placed.image
    for extension in _GRADIENT_EXTENSIONS:
        file = image_file(image.number, extension)
        path = f"{placed.path}.{extension}"
        if file in image.summary.files:
            yield PlannedFile(path, owner, sources.of_image(image, file, path))
        elif ImagePath.of(placed.path).datatype == "dwi" and _has_only_b0(placed):
            volumes = image.summary.shape[3] if len(image.summary.shape) > 3 else 1  # noqa: PLR2004 - the fourth axis
            line = " ".join(["0"] * volumes)
            yield PlannedFile(path, owner, f"{line}\n".encode() * (1 if extension == "bval" else 3))


def _has_only_b0(placed: PlacedImage) -> bool:
    facts = placed.image.series.acquisition
    return bool(facts and facts.b_values and all(value <= _MAX_B0 for value, _count in facts.b_values))


def _sourcedata(plan: ExportPlan, folder: str, sources: Sources) -> Iterator[PlannedFile]:
    """Yield the sorted DICOM or PAR/REC files of the series that have exported images."""
    paths = SessionPaths(plan.session.path)
    for n in sorted({placed.image.series.n for placed in plan.placed_images}):
        for path in series_files(plan.session, n):
            inside = path.relative_to(paths.dicom).as_posix()
            yield PlannedFile(f"{SOURCEDATA}/{folder}/{inside}", Owner(plan.session.id), sources.of_file(path))


def series_files(session: SessionFolder, n: int) -> list[Path]:
    """Return the archive of a series, or its files if it is not packed; empty if it has none. Raises SourceError."""
    packed, folder = session.paths.packed_series(n), session.paths.series(n)
    try:
        if packed.is_file():
            return [packed]
        return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {reason_text(error, folder)}") from None
