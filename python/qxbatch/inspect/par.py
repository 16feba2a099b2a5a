"""Facts of a PAR/REC: its table lists the images, and its general lines contain the planned numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from qxbatch.acquisition import Acquisition, ImageKind, Orientation
from qxbatch.inspect.plausible import plausible_facts
from qxbatch.parrec.table import ParContent

_GROUP_COLUMNS = ("slice orientation", "echo number", "image_type_mr", "scanning sequence")
"""Columns of plane and contrast."""
_VOLUME_COLUMNS = (
    "dynamic scan number",
    "cardiac phase number",
    "diffusion b value number",
    "gradient orientation number",
    "label type",
)
"""Columns that number volumes."""
_OTHER_COLUMNS = (
    "slice number",
    "echo_time",
    "image_flip_angle",
    "dyn_scan_begin_time",
    "recon resolution",
    "pixel spacing",
    "slice thickness",
    "slice gap",
    "diffusion_b_factor",
    "diffusion",
)
"""The other columns from which facts are computed."""
_PLANES = {1: Orientation.AXIAL, 2: Orientation.SAGITTAL, 3: Orientation.CORONAL}
"""The plane for each value of the column slice orientation."""
_KINDS = {0: ImageKind.MAGNITUDE, 1: ImageKind.REAL, 2: ImageKind.IMAGINARY, 3: ImageKind.PHASE}
"""The kind for each value of the column image_type_mr."""
_ROW_DIRECTIONS = {
    Orientation.AXIAL: "right-left",
    Orientation.CORONAL: "right-left",
    Orientation.SAGITTAL: "anterior-posterior",
}
"""The direction along the rows of an image, in the words of the preparation direction."""

Numbers = tuple[float, ...]
"""Values of one image in one or several columns."""


class _Table(NamedTuple):
    """The image table of a PAR."""

    columns: Mapping[str, Sequence[Numbers]]
    """Values of each image by column; empty for a column that the PAR does not have."""
    groups: Sequence[Numbers]
    """Plane and contrast of each image: its values in _GROUP_COLUMNS."""
    volumes: Sequence[Numbers]
    """Key of the volume of each image: its values in those of _VOLUME_COLUMNS that exist.

    If the PAR does not number the directions of a diffusion scan, the b-value and a number of the direction follow.
    """
    slices: Sequence[float]
    """Slice number of each image."""

    def first(self, name: str) -> Numbers | None:
        """Return a column's value of the first image; None if the PAR does not have the column."""
        return next(iter(self.columns.get(name, ())), None)


def par_acquisition(header: ParContent) -> Acquisition | None:
    """Return the facts of a PAR; None if its table is empty or cannot be read."""
    try:
        table = _table(header)
        return _acquisition(header, table) if table.slices else None
    except ValueError:
        return None


def _acquisition(header: ParContent, table: _Table) -> Acquisition:
    acquisition = Acquisition(
        **_counts(header, table),
        **_times(header, table),
        **_sizes(header, table),
        tr_ms=_only(header.floats("repetition time")),
        te_ms=tuple(sorted({time for (time,) in table.columns["echo_time"] if time})) or None,
        flip_angle_deg=_only(angle for (angle,) in table.columns["image_flip_angle"]),
        sequence_name=header.text("technique") or None,
        **_diffusion(table),
        kinds=_kinds(table) or None,
    )
    return plausible_facts(acquisition)


def _only(values: Iterable[float]) -> float | None:
    """Return the value that all are equal to; None if there are several or none, or if it is 0, which means unknown."""
    different = set(values)
    return different.pop() or None if len(different) == 1 else None


def _table(header: ParContent) -> _Table:
    """Return the images of a PAR. Raises ValueError when a column cannot be read."""
    count = len(header.lines)
    columns = {name: header.column(name) for name in (*_GROUP_COLUMNS, *_VOLUME_COLUMNS, *_OTHER_COLUMNS)}

    def keys(names: Sequence[str]) -> list[Numbers]:
        existing = [columns[name] for name in names if columns.get(name)]
        return [tuple(column[row][0] for column in existing) for row in range(count)]

    numbers = [number for (number,) in columns.get("slice number") or []]
    groups, volumes = keys(_GROUP_COLUMNS), keys(_VOLUME_COLUMNS)
    b_values = columns.get("diffusion_b_factor") or []
    if any(map(any, b_values)) and not columns.get("gradient orientation number"):
        volumes = _with_direction_numbers(
            groups, [(*volume, *b_value) for volume, b_value in zip(volumes, b_values, strict=True)], numbers
        )
    return _Table(columns, groups, volumes, numbers)


def _with_direction_numbers(
    groups: Sequence[Numbers], volumes: Sequence[Numbers], slices: Sequence[float]
) -> list[Numbers]:
    """Return the volume keys, each with the number of earlier images of the same group, volume key and slice.

    Before version 4.1, a PAR does not number the directions of a b-value.
    """
    earlier: Counter[tuple[Numbers, Numbers, float]] = Counter()
    keys = []
    for image in zip(groups, volumes, slices, strict=True):
        keys.append((*image[1], earlier[image]))
        earlier[image] += 1
    return keys


def _counts(header: ParContent, table: _Table) -> dict[str, Any]:
    """Return the counts of volumes and slices of the contrast and plane with most images, as fields of `Acquisition`."""
    images = list(zip(table.groups, table.volumes, table.slices, strict=True))
    distinct_images = set(images)
    main = Counter(group for group, _, _ in distinct_images).most_common(1)[0][0]
    main_slices = [(volume, number) for group, volume, number in distinct_images if group == main]
    volumes = {volume for volume, _ in main_slices}
    slices_of = Counter(volume for volume, _ in main_slices)
    slices = len({number for _, number in main_slices})
    are_in_one_plane = len({group[:1] for group in table.groups}) == 1
    if are_in_one_plane:
        slices = max(slices, header.integer("max. number of slices/locations") or 0)
    last = max(volumes)
    return {
        "planned_volumes": _planned_volumes(header, len(volumes)),
        "acquired_volumes": len(volumes),
        "complete_volumes": sum(count >= slices for count in slices_of.values()),
        "partial_slices": slices_of[last] if slices_of[last] < slices else None,
        "slices_per_volume": slices,
        "missing_slices": sum(slices - count for count in slices_of.values()),
        "duplicate_slices": len(images) - len(distinct_images),
    }


def _planned_volumes(header: ParContent, acquired: int) -> int | None:
    """Return dynamics x phases x labels; None if not known, for a diffusion scan, and if more volumes were acquired."""
    dynamics = header.integer("max. number of dynamics")
    if not dynamics or (header.integer("diffusion") or 0):
        return None
    phases = header.integer("max. number of cardiac phases") or 1
    labels = header.integer("number of label types") or 1
    planned = dynamics * phases * labels
    return planned if planned >= acquired else None


def _times(header: ParContent, table: _Table) -> dict[str, Any]:
    """Return start (of the examination), duration, and the median interval of dynamic scans, as fields of `Acquisition`."""
    date, _, time_of_day = header.text("examination date/time").replace(".", "-").replace(" ", "").partition("/")
    started = "T".join(text for text in (date, time_of_day) if text)
    # the first number of a volume is that of its dynamic scan
    times = {volume[:1]: time for volume, (time,) in _values_of_first_slice(table, "dyn_scan_begin_time")}
    steps = sorted(after - before for before, after in pairwise(times[key] for key in sorted(times)))
    middle = steps[len(steps) // 2] if steps else 0.0
    duration = next(iter(header.floats("scan duration")), 0.0)
    return {
        "started": started if _is_date_and_time(started) else None,
        "duration_s": duration or None,
        "observed_tr_ms": round(middle * 1e3, 3) if middle > 0 else None,
    }


def _values_of_first_slice(table: _Table, name: str) -> list[tuple[Numbers, Numbers]]:
    """Return volume key and value of a column for each image with the slice number, the plane and the contrast of the first one."""
    first = (table.groups[0], table.slices[0])
    values = table.columns.get(name) or ()
    rows = zip(table.groups, table.slices, table.volumes, values, strict=False)
    return [(volume, value) for group, number, volume, value in rows if (group, number) == first]


def _is_date_and_time(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text)) and "T" in text
    except ValueError:
        return False


def _sizes(header: ParContent, table: _Table) -> dict[str, Any]:
    """Return sizes, plane and axis of phase encoding of the first image, as fields of `Acquisition`."""
    slices = _counts(header, table)["slices_per_volume"]
    size = table.first("recon resolution") or tuple(header.floats("recon resolution"))
    spacing = table.first("pixel spacing") or tuple(header.floats("pixel spacing"))
    thickness = (table.first("slice thickness") or tuple(header.floats("slice thickness")) or (None,))[0]
    gap = (table.first("slice gap") or tuple(header.floats("slice gap")) or (None,))[0]
    plane = _PLANES.get(int((table.first("slice orientation") or (0,))[0]))
    sizes: dict[str, Any] = {
        "slice_gap_mm": gap,
        "orientation": plane,
        "phase_encoding_axis": _phase_encoding_axis(header, plane),
    }
    if len(size) != 2:  # noqa: PLR2004 - columns, rows
        return sizes
    sizes["matrix"] = (int(size[0]), int(size[1]), slices)
    if len(spacing) == 2 and thickness is not None and gap is not None:  # noqa: PLR2004 - x, y
        depth = round(thickness + gap, 4)
        sizes["voxel_mm"] = (spacing[0], spacing[1], depth)
        extent = (size[0] * spacing[0], size[1] * spacing[1], slices * depth)
        sizes["fov_mm"] = tuple(round(side, 3) for side in extent)
    return sizes


def _phase_encoding_axis(header: ParContent, plane: Orientation | None) -> str | None:
    """Return `i` if the preparation direction is along the rows of an image, else `j`; None if it or the plane is unknown."""
    direction = header.text("preparation direction").strip().lower()
    if plane is None or not direction:
        return None
    return "i" if direction == _ROW_DIRECTIONS[plane] else "j"


def _diffusion(table: _Table) -> dict[str, Any]:
    """Return b-values and the number of directions, as fields of `Acquisition`; empty if all b-values are 0."""
    values = {volume: value[0] for volume, value in _values_of_first_slice(table, "diffusion_b_factor")}
    if not any(values.values()):
        return {}
    directions = {vector for _, vector in _values_of_first_slice(table, "diffusion") if any(vector)}
    return {"b_values": tuple(sorted(Counter(values.values()).items())), "directions": len(directions) or None}


def _kinds(table: _Table) -> tuple[ImageKind, ...]:
    types = {int(kind) for (kind,) in table.columns.get("image_type_mr") or ()}
    kinds = {_KINDS[kind] for kind in types if kind in _KINDS}
    if len(set(table.columns.get("slice orientation") or ())) > 1:
        kinds.add(ImageKind.LOCALIZER)
    return tuple(kind for kind in ImageKind if kind in kinds)
