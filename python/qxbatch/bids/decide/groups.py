"""Groups the images of one session into runs; decides by `repeat` and `copies` which are exported, and adds entities."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from qxbatch.acquisition import SeriesVerdict
from qxbatch.bids.decide.acquisitions import (
    AcquiredImages,
    Copy,
    MatchedImage,
    acquisition_sets,
    acquisitions,
    distinction,
    groups_of_copies,
)
from qxbatch.bids.decide.entities import NamedImage, named_images
from qxbatch.bids.decide.families import (
    Family,
    family_of,
    is_companion,
    is_scanned_as_set,
    max_echoes,
    run_of_companion,
)
from qxbatch.bids.decide.texts import series_number_text, series_text
from qxbatch.bids.schema.names import Schema
from qxbatch.counted import counted


@dataclass
class Groups:
    """The images of a session after grouping."""

    images: list[NamedImage] = field(default_factory=list)
    """The images that are neither excluded nor orphans, with their targets."""
    excluded: list[tuple[MatchedImage, str]] = field(default_factory=list)
    """Images that `repeat` or `copies` excludes, and why."""
    orphans: list[tuple[MatchedImage, str, str]] = field(default_factory=list)
    """Companions, such as an SBRef, that belong to no run: each with the reason and the beginning of the hint."""
    remarks: list[str] = field(default_factory=list)
    """What the user should check."""


def group_images(matched_images: Iterable[MatchedImage], schema: Schema) -> Groups:
    """Group the images of one session by family and run."""
    families: dict[Family, list[MatchedImage]] = {}
    for matched in matched_images:
        families.setdefault(family_of(matched), []).append(matched)
    result = Groups()
    for family, members in families.items():
        _add_family(family, members, schema, result)
    return result


def _add_family(family: Family, members: list[MatchedImage], schema: Schema, result: Groups) -> None:
    """Add the images of one family to the result, with run numbers if several runs remain."""
    companions = [member for member in members if is_companion(member)]
    mains = [member for member in members if not is_companion(member)]
    if not mains:
        mains, companions = companions, []
    runs = acquisitions(mains)
    has_times = any(run.start for run in runs)  # without times, only `distinction` shows which images are of one run
    if is_scanned_as_set(family, schema) or not has_times:
        runs = acquisition_sets(runs, max_echoes(family))
    for run in runs:
        _exclude_copies(run, result)
    companions_of_run = _companions_by_run(companions, runs, result)
    kept_runs = [run for run in runs if _is_kept(run, runs, result, companions_of_run.get(id(run), []))]
    is_numbered = len(kept_runs) > 1 and "run" not in dict(family.entities)
    for k, run in enumerate(kept_runs, 1):
        run_with_companions = AcquiredImages([*run.members, *companions_of_run.get(id(run), [])])
        note = f"run-{k}: number {k} of {len(kept_runs)} by {_order_text(run)}"
        for image in named_images(run_with_companions, schema):
            result.images.append(_with_run_number(image, k, note, schema) if is_numbered else image)


def _with_run_number(image: NamedImage, k: int, note: str, schema: Schema) -> NamedImage:
    """Return an image with `run-<k>` in its name and a note about it; unchanged if its suffix cannot have a run number.

    An image with a problem is returned unchanged, too: its suffix may not exist, such as that of a third echo of a field map.
    """
    if image.problem or "run" not in schema.entities(image.target.datatype, image.target.suffix):
        return image
    return replace(image, target=image.target.with_entities(schema, {"run": str(k)}), notes=(note, *image.notes))


def _order_text(run: AcquiredImages) -> str:
    """Return what decides the place of a run among those of its family: its acquisition time, else series numbers."""
    start = run.start
    if start is None:
        return "series number, because no time is known"
    return f"acquisition time ({start.isoformat(sep=' ', timespec='seconds')})"


def _exclude_copies(run: AcquiredImages, result: Groups) -> None:
    """Exclude all but one copy of each scan that exists more than once, if `copies` or `repeat` of its rule selects one."""
    for copies in groups_of_copies(run):
        rule = copies[-1][-1].match.rule
        option, choice = ("copies", rule.copies) if rule.copies else ("repeat", rule.repeat)
        if choice == "all":
            continue
        best = _best_copy(copies, choice)
        reason = f"{option} = {choice}: {series_number_text(best[0].facts)} is the same acquisition"
        for member in (member for copy in copies if copy is not best for member in copy):
            run.members.remove(member)
            result.excluded.append((member, reason))
        complete = next(filter(_is_whole, reversed(copies)), None)
        if complete and not _is_complete(best[0]):
            result.remarks.append(
                f"{option} = {choice} exports {series_text(best[0].facts)}, which is incomplete, and not its complete copy "
                f'{series_text(complete[0].facts)}. To export the complete one, write copies = "complete" into the rule.'
            )


def _best_copy(copies: list[Copy], choice: str) -> Copy:
    """Return the copy that is exported; the last one of equal copies."""
    if choice == "longest":
        volumes = [max(member.facts.volumes for member in copy) for copy in copies]
        return max(zip(volumes, count(), copies, strict=False))[2]
    if choice == "complete":
        return max(zip(map(_is_whole, copies), count(), copies, strict=False))[2]
    return copies[-1]


def _is_whole(copy: Copy) -> bool:
    """Return whether a copy is one complete image. Several images that nothing distinguishes are parts of a copy."""
    return len(copy) == 1 and _is_complete(copy[0])


def _is_complete(member: MatchedImage) -> bool:
    """Return False for an image of an incomplete series. Any other verdict, and an unknown one, counts as complete."""
    return member.facts.verdict is not SeriesVerdict.INCOMPLETE


def _is_kept(run: AcquiredImages, runs: list[AcquiredImages], result: Groups, companions: list[MatchedImage]) -> bool:
    """Return whether `repeat` keeps a run. If not, its images and companions are added to `result.excluded`."""
    reason = _why_excluded(run, runs)
    if reason:
        result.excluded += [(member, reason) for member in (*run.members, *companions)]
    return not reason


def _why_excluded(run: AcquiredImages, runs: list[AcquiredImages]) -> str:
    """Return why `repeat` excludes a run of `runs`, which are in order of time; empty if it does not."""
    repeat = run.members[0].match.rule.repeat
    if repeat == "complete" and not all(map(_is_complete, run.members)):
        return "repeat = complete: it is incomplete"
    best = runs[-1]
    if repeat == "longest":
        best = max(enumerate(runs), key=lambda pair: (pair[1].volumes, pair[0]))[1]
    if repeat not in ("last", "longest") or run is best:
        return ""
    if repeat == "last":
        what = "was scanned later"
    elif best.volumes > run.volumes:
        what = f"has {counted(best.volumes, 'volume')}, this run has {run.volumes}"
    else:
        what = "has as many volumes and was scanned later"
    return f"repeat = {repeat}: {series_number_text(best.members[0].facts)} {what}"


def _companions_by_run(
    companions: list[MatchedImage], runs: list[AcquiredImages], result: Groups
) -> dict[int, list[MatchedImage]]:
    """Return the companions of each run, by the `id()` of the run.

    A companion has no run if `run_of_companion` returns None, or if its run already has a later companion with the same
    `distinction`. It is then added to the result by `_add_orphan`.
    """
    companions_of_run: dict[int, list[MatchedImage]] = {}
    for companion in reversed(acquisitions(companions)):
        _exclude_copies(companion, result)
        run = run_of_companion(companion, runs)
        used_distinctions = {distinction(member) for member in companions_of_run.get(id(run), [])}
        members = [member for member in companion.members if distinction(member) not in used_distinctions]
        if run is not None:
            companions_of_run.setdefault(id(run), []).extend(members)
        for member in (
            companion.members if run is None else [other for other in companion.members if other not in members]
        ):
            _add_orphan(member, run, result)
    return companions_of_run


def _add_orphan(member: MatchedImage, run: AcquiredImages | None, result: Groups) -> None:
    """Add a companion without a run to the excluded images if `repeat` of its rule is not `all`, else to the orphans.

    `run` is the run that has a later companion instead; None if `run_of_companion` found none.
    """
    why = f"{series_number_text(run.members[0].facts)} has a later one" if run else "no run was scanned after it"
    if member.match.rule.repeat != "all":
        result.excluded.append((member, f"repeat = {member.match.rule.repeat}: {why}"))
        return
    hint = 'Write repeat = "last" into its rule, or'
    result.orphans.append((member, f"it is the {member.target.suffix} of no run: {why}", hint))
