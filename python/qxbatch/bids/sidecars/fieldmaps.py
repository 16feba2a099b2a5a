"""Which images of a session each field map corrects, and the sidecar fields that say so.

A field map consists of all images of one estimate of the field: both directions of a pair, a scan of one direction without a
partner, or magnitude, phase and fieldmap images whose names differ only in the suffix.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from qxbatch.bids.model import PlacedImage
from qxbatch.bids.schema.image_path import ImagePath
from qxbatch.bids.sidecars.estimates import FieldMap, FieldMapKind, Run, field_maps, runs_of
from qxbatch.bids.sidecars.intended_for import IntendedForFormat

IDENTIFIER, SOURCE, INTENDED_FOR = "B0FieldIdentifier", "B0FieldSource", "IntendedFor"


class FieldMapLinks(NamedTuple):
    """The sidecar fields of field maps and of the images that they correct."""

    fields: Mapping[str, Mapping[str, Any]]
    """Fields and their values, by the path of the image without extension."""
    warnings: tuple[str, ...]


def field_map_links(images: Sequence[PlacedImage], form: IntendedForFormat = IntendedForFormat.URI) -> FieldMapLinks:
    """Return the sidecar fields that link field maps to the images that they correct, in one session."""
    all_maps, runs = field_maps(images), runs_of(images)
    maps_of_run = {run.key: _maps_of_run(all_maps, run) for run in runs}
    runs_of_map: dict[str, list[Run]] = {field_map.identifier: [] for field_map in all_maps}
    for run in runs:
        for field_map in maps_of_run[run.key]:
            runs_of_map[field_map.identifier].append(run)
    fields = _fields(all_maps, runs_of_map, form)
    warnings = [_unused_warning(field_map, runs) for field_map in all_maps if not runs_of_map[field_map.identifier]]
    warnings += _missing_field_map_warnings([run for run in runs if not maps_of_run[run.key]], all_maps)
    return FieldMapLinks({path: dict(values) for path, values in fields.items()}, tuple(warnings))


def _maps_of_run(all_maps: Sequence[FieldMap], run: Run) -> list[FieldMap]:
    """Return the field maps of a run: of each kind, those that remain after all criteria."""
    best = []
    for kind in FieldMapKind:
        candidates = [candidate for candidate in all_maps if candidate.kind is kind and candidate.can_correct(run)]
        best += _apply_criteria(candidates, run)
    return best


def _apply_criteria(candidates: list[FieldMap], run: Run) -> list[FieldMap]:
    """Return the candidates that remain after all criteria. A criterion applies only to field maps whose rule has it."""
    criteria = dict.fromkeys(criterion for each in candidates for criterion in each.field_map_options.criteria)
    for criterion in criteria:
        affected = [each for each in candidates if criterion in each.field_map_options.criteria]
        best = _CRITERIA[criterion](affected, run)
        candidates = [each for each in candidates if each in best or each not in affected]
    return candidates


def _keep_same_shim(candidates: list[FieldMap], run: Run) -> list[FieldMap]:
    """Drop field maps with another shim, since the shim changes the field. The same shim is better than an unknown shim."""
    possible = [each for each in candidates if each.shim == run.shim or each.shim is None or run.shim is None]
    same = [each for each in possible if each.shim is not None and each.shim == run.shim]
    return same or possible


def _keep_most_similar(candidates: list[FieldMap], run: Run) -> list[FieldMap]:
    """Keep the field maps with the most similar geometry: first by orientation, then by field of view, then by matrix.

    Scans of one direction, which need an image of the run to estimate the field (`is_complete` is False), are used only if no
    complete field map is equally similar.
    """
    best = max((each.geometry_similarity(run) for each in candidates), default=())
    alike = [each for each in candidates if each.geometry_similarity(run) == best]
    return [each for each in alike if each.is_complete] or alike


def _keep_nearest(candidates: list[FieldMap], run: Run) -> list[FieldMap]:
    """Keep the field map whose farthest scan is nearest in time to the run; of equal ones the earlier."""
    ordered = sorted(candidates, key=lambda each: (each.largest_gap(run), each.rank_in_time))
    return ordered[:1]


_CRITERIA = {"shim": _keep_same_shim, "geometry": _keep_most_similar, "nearest-time": _keep_nearest}


def _fields(
    all_maps: Iterable[FieldMap], runs_of_map: Mapping[str, Sequence[Run]], form: IntendedForFormat
) -> Mapping[str, Mapping[str, Any]]:
    """Return the sidecar fields of field maps and corrected images, by the path of the image.

    One image of each run (`Run.path_for_estimation`) completes a field map that is not complete.
    """
    identifiers: dict[str, list[str]] = defaultdict(list)
    sources: dict[str, list[str]] = defaultdict(list)
    fields: dict[str, dict[str, Any]] = defaultdict(dict)
    for field_map in all_maps:
        runs = runs_of_map[field_map.identifier]
        targets = [placed.path for run in runs for placed in run.images]
        if INTENDED_FOR in field_map.field_map_options.fields and targets:
            for placed in field_map.images:
                if ImagePath.of(placed.path).datatype == "fmap":
                    fields[placed.path][INTENDED_FOR] = [form.reference_to(path) for path in targets]
        if IDENTIFIER not in field_map.field_map_options.fields:
            continue
        paths_for_estimation = [] if field_map.is_complete else [run.path_for_estimation for run in runs]
        for path in [*(placed.path for placed in field_map.images), *paths_for_estimation]:
            identifiers[path].append(field_map.identifier)
        for path in targets:
            sources[path].append(field_map.identifier)
    for key, table in ((IDENTIFIER, identifiers), (SOURCE, sources)):
        for path, names in table.items():
            fields[path][key] = names[0] if len(names) == 1 else names
    return fields


def _unused_warning(field_map: FieldMap, runs: Sequence[Run]) -> str:
    """Return the warning about a field map that corrects no image, with the reason."""
    start = f"{field_map.images[0].path}: this field map corrects nothing"
    if not runs:
        return f"{start}, since the session has no functional, diffusion or perfusion image."
    if field_map.kind is None:
        return f"{start}: it has no phase image. Export it with its phase images."
    if all(field_map.is_of_other_dicom_study(run) for run in runs):
        return f"{start}: all images have another StudyInstanceUID, and none is known to have its shim."
    possible_runs = [run for run in runs if field_map.can_correct(run)]
    if not possible_runs:
        lacking = (
            "image has its phase encoding axis"
            if field_map.is_complete
            else "scan has the opposite phase encoding direction"
        )
        return f"{start}: no {lacking}."
    if "shim" in field_map.field_map_options.criteria and not any(
        _keep_same_shim([field_map], run) for run in possible_runs
    ):
        return f"{start}: all images were acquired with another shim."
    criteria = ", ".join(field_map.field_map_options.criteria)
    return (
        f"{start}: for each image, another field map was selected by {criteria}. To leave it out, write `ignore` in its rule; "
        "to use it, change `serves`."
    )


def _missing_field_map_warnings(runs: Sequence[Run], all_maps: Sequence[FieldMap]) -> list[str]:
    """Return a warning for runs that have no field map only because of the shim; empty if there are no such runs."""
    uncorrected = [
        run
        for run in runs
        if run.shim is not None
        and any("shim" in each.field_map_options.criteria and each.can_correct(run) for each in all_maps)
    ]
    if not uncorrected:
        return []
    others = len(uncorrected) - 1
    more = (
        f" and {others} other run{'s' * (others != 1)}: no field map has their" if others else ": no field map has its"
    )
    return [
        f"{uncorrected[0].path_for_estimation}{more} shim, so none is used. To use a field map of another shim, write "
        'serves = { by = ["geometry", "nearest-time"] } in the rule of the field map.'
    ]
