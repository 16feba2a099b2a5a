"""Draft rules from the images of a study: similar series share a rule."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qxbatch.acquisition import ImageKind, SeriesVerdict
from qxbatch.bids.decide.task_names import names_polarity, task_label
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.propose.recognise import BIDS_GUESS, MATCH_BY_SOURCE, NOT_RECOGNISED, Recognition, recognise
from qxbatch.bids.schema.names import Schema
from qxbatch.convert.header_values import text
from qxbatch.counted import counted
from qxbatch.protocol.model import literal_glob

_MAX_TASK_RULES = 6
"""Largest number of tasks for which each task gets a rule; more tasks share one rule."""
_TASK = "task-{task}"
_MAX_NAMES = 3
"""Largest number of series names in a comment."""
_DIFFUSION = {"dwi/dwi": "dwi/dir-{dir}_dwi", "dwi/sbref": "dwi/dir-{dir}_sbref"}
"""Targets of diffusion scans, without and with their polarity."""
_SERVES_EACH_OTHER = {"write": ["B0FieldIdentifier"]}
"""`serves` of scans that correct each other; the field is estimated from their b0 volumes."""
_SCANNER_MAPS = re.compile(r"anat/(?:UNIT1|T1map)|fmap/.*")
"""Guesses of computed images for which BIDS has names, such as field maps in Hz."""


@dataclass(frozen=True)
class Draft:
    """A proposed rule."""

    match: tuple[tuple[str, Any], ...]
    """Keys and values of `match`."""
    target: str
    """`as` of the rule; empty if it ignores its images."""
    ignore: str
    """The reason in `ignore`; empty if the rule has a target."""
    comment: str
    """What the rule file says about the rule in a comment."""
    option_pairs: tuple[tuple[str, Any], ...] = ()
    """Name and value of each option besides `match`, `as` and `ignore`."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the values of `option_pairs` by name."""
        return dict(self.option_pairs)

    def with_options(self, options: Mapping[str, Any]) -> "Draft":
        """Return the rule with further options; those that it has keep their values."""
        return replace(self, option_pairs=tuple({**self.options, **options, **self.options}.items()))


def drafts_of(facts: Sequence[ImageFacts], schema: Schema) -> list[Draft]:
    """Return rules for all images, in the order of the rule file."""
    remaining = list(facts)
    drafts: list[Draft] = []
    for draft, concerns in _general_drafts(facts):
        draft_images = [image for image in remaining if concerns(image)]
        if draft_images:
            drafts.append(replace(draft, comment=_series_summary(draft_images)))
            remaining = [image for image in remaining if not concerns(image)]
    peers: dict[tuple[str, str], list[ImageFacts]] = {}
    for image in remaining:
        peers.setdefault(_peer_key(image), []).append(image)
    pairs = [(image, recognise(image, peers[_peer_key(image)], schema)) for image in remaining]
    # computed images for which BIDS has names, such as T1 maps: their rules precede the one that ignores computed images
    map_pairs = [(image, result) for image, result in pairs if image.kind == ImageKind.DERIVED]
    other_pairs = [(image, result) for image, result in pairs if image.kind != ImageKind.DERIVED]
    derived_drafts = [draft for draft in drafts if dict(draft.match).get("kind") == ImageKind.DERIVED]
    general_drafts = [draft for draft in drafts if draft not in derived_drafts]
    map_drafts = [*_target_drafts(map_pairs)]
    map_rules = [(draft.match, draft.target) for draft in map_drafts]
    other_drafts = [draft for draft in _target_drafts(other_pairs) if (draft.match, draft.target) not in map_rules]
    return [
        *general_drafts,
        *map(_for_computed_images, _ignore_drafts(map_pairs)),
        *map_drafts,
        *derived_drafts,
        *_ignore_drafts(other_pairs),
        *other_drafts,
        *_unrecognised_drafts(pairs),
    ]


def _peer_key(facts: ImageFacts) -> tuple[str, str]:
    """Return session id and name, which the peers of an image have in common (`recognise`)."""
    return facts.image.session.id, facts.name


def _general_drafts(facts: Sequence[ImageFacts]) -> Iterator[tuple[Draft, Callable[[ImageFacts], bool]]]:
    """Yield rules that ignore images that do not belong in a raw data set, each with a test for the images that it concerns."""
    modalities = sorted({_modality(image) for image in facts} - {"MR", ""})
    if modalities:
        yield _ignore({"modality": modalities}, "not MR"), lambda image: _modality(image) in modalities
    reason = "localizer, saved screen, report or spectroscopy"
    not_evaluable = SeriesVerdict.NOT_EVALUABLE
    yield _ignore({"verdict": str(not_evaluable)}, reason), lambda image: image.verdict is not_evaluable
    sessions_with_both = sorted({image.image.session.id for image in facts if _exists_as_dicom(image)})
    yield (
        _ignore(
            {"source": "parrec", "session": [*map(literal_glob, sessions_with_both)]}, "the same scans exist as DICOM"
        ),
        lambda image: image.is_par and image.image.session.id in sessions_with_both,
    )
    yield (
        _ignore({"kind": str(ImageKind.DERIVED)}, "computed by the scanner"),
        lambda image: image.kind == ImageKind.DERIVED and not _SCANNER_MAPS.fullmatch(image.guess),
    )


def _modality(facts: ImageFacts) -> str:
    return text(facts.image.series.header, "Modality")


def _exists_as_dicom(facts: ImageFacts) -> bool:
    """Return whether an image is of a PAR/REC with the series number of a DICOM series of its session."""
    others = (other for other in facts.image.session.series if other.kind is not facts.image.series.kind)
    return facts.is_par and any(text(other.header, "SeriesNumber") == str(facts.series_number) for other in others)


def _ignore(match: Mapping[str, Any], reason: str) -> Draft:
    return Draft(tuple(match.items()), "", reason, "")


def _for_computed_images(draft: Draft) -> Draft:
    """Return a rule that also requires that the scanner computed the image."""
    return replace(draft, match=(*draft.match, ("kind", str(ImageKind.DERIVED))))


Pairs = Sequence[tuple[ImageFacts, Recognition]]
"""Images, each with what `recognise` returns for it."""


def _ignore_drafts(pairs: Pairs) -> Iterator[Draft]:
    """Yield rules that ignore images that cannot be exported: by name, single volumes by `guess` (`func/bold`).

    A rule by name also requires the sessions of its images if an exported image has the name and guess of one of them.
    """
    groups: dict[tuple[str, str], list[ImageFacts]] = {}
    exported_keys = {(image.name, image.guess) for image, result in pairs if result.target}
    for image, result in pairs:
        if result.ignore and result.source != NOT_RECOGNISED:
            key = "" if image.volumes == 1 and image.guess == "func/bold" else image.name
            groups.setdefault((result.ignore, key), []).append(image)
    images_by_reason: dict[tuple[str, bool], list[ImageFacts]] = {}
    for (reason, name), images in groups.items():
        images_by_reason.setdefault((reason, bool(name)), []).extend(images)
    for (reason, by_name), images in images_by_reason.items():
        match: dict[str, Any] = {"name": _names(images)} if by_name else {"guess": "func/bold", "volumes": 1}
        if by_name and any((image.name, image.guess) in exported_keys for image in images):
            match["session"] = sorted({literal_glob(image.image.session.id) for image in images})
        yield replace(_ignore(match, reason), comment=_series_summary(images))


def _unrecognised_drafts(pairs: Pairs) -> Iterator[Draft]:
    images = [image for image, result in pairs if result.source == NOT_RECOGNISED]
    if images:
        yield replace(
            _ignore({"name": _names(images)}, "not recognised: say what it is"), comment=_series_summary(images)
        )


def _target_drafts(pairs: Pairs) -> Iterator[Draft]:
    """Yield the rules of images that have a target.

    If images with one BidsGuess have different targets, their rules by BidsGuess also require the names.
    """
    groups: dict[tuple[str, str], list[ImageFacts]] = {}
    has_polarities = _have_polarities(image for image, result in pairs if _TASK in result.target)
    has_two_polarities = _have_two_polarities([image for image, result in pairs if result.target in _DIFFUSION])
    for image, result in pairs:
        target = result.target.replace(_TASK, f"{_TASK}_dir-{{dir}}") if has_polarities else result.target
        target = _DIFFUSION.get(target, target) if has_two_polarities else target
        if target:
            groups.setdefault((target, result.source), []).append(image)
    targets: dict[str, set[str]] = {}
    for (target, _source), images in groups.items():
        for image in images:
            targets.setdefault(image.guess, set()).add(target)
    shared_guesses = {guess for guess, several in targets.items() if len(several) > 1}
    for (target, source), images in groups.items():
        drafts = _task_drafts(target, source, images) if _TASK in target else [_draft(target, source, images)]
        by_name = source == BIDS_GUESS and any(image.guess in shared_guesses for image in images)
        yield from (_with_names(draft, images) for draft in drafts) if by_name else drafts


def _with_names(draft: Draft, images: Iterable[ImageFacts]) -> Draft:
    """Return a rule that also requires the names of the images."""
    return replace(draft, match=tuple({"name": _names(images), **dict(draft.match)}.items()))


def _have_polarities(images: Iterable[ImageFacts]) -> bool:
    """Return whether a polarity of phase encoding is known for all images, and at least one has it in its name."""
    runs = list(images)
    return any(names_polarity(image.name) for image in runs) and all(image.polarity for image in runs)


def _have_two_polarities(images: Sequence[ImageFacts]) -> bool:
    """Return whether a polarity is known for all of these diffusion images, and at least one session has two polarities."""
    polarities = {(image.image.session.id, image.polarity) for image in images}
    return all(image.polarity for image in images) and len(polarities) > len({session for session, _ in polarities})


def _task_drafts(target: str, source: str, images: list[ImageFacts]) -> Iterator[Draft]:
    tasks: dict[str, list[ImageFacts]] = {}
    for image in images:
        tasks.setdefault(task_label(image.name), []).append(image)
    if len(tasks) > _MAX_TASK_RULES or "" in tasks:
        yield _draft(target, source, images)
        return
    for task, task_images in tasks.items():
        yield _with_names(_draft(target.replace("{task}", task), source, task_images), task_images)


def _draft(target: str, source: str, images: list[ImageFacts]) -> Draft:
    guesses = sorted({image.guess for image in images})
    match: dict[str, Any] = {"guess": _single_or_list(guesses)} if source == BIDS_GUESS else {"name": _names(images)}
    comment = f"{source}; {_series_summary(images)}"
    option_pairs = (("serves", _SERVES_EACH_OTHER),) if target == _DIFFUSION["dwi/dwi"] else ()
    return Draft((*match.items(), *MATCH_BY_SOURCE.get(source, {}).items()), target, "", comment, option_pairs)


def _names(images: Iterable[ImageFacts]) -> Any:
    return _single_or_list(sorted({literal_glob(image.name) for image in images}))


def _single_or_list(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values


def _series_summary(images: Sequence[ImageFacts]) -> str:
    """Return how many series and sessions the images are of, and names: `12 series in 4 sessions: rest, nback`."""
    series = {(image.image.session.id, image.image.series.n) for image in images}
    sessions = {session for session, _n in series}
    names = sorted({image.name for image in images})
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"{len(series)} series in {counted(len(sessions), 'session')}: {', '.join(names[:_MAX_NAMES])}{more}"
