"""Draft rules from the images of a study: similar series share a rule."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qxbatch.acquisition import ImageKind, SeriesVerdict
from qxbatch.bids.decide.task_names import has_direction, task_label
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.propose.recognise import CONDITIONS, GUESS, Recognised, recognise
from qxbatch.bids.schema.names import Schema
from qxbatch.convert.values import text
from qxbatch.protocol.rules import literal

_FEW = 6
"""So many tasks get a rule each; more share one."""
_TASK = "task-{task}"
_NAMED = 3
"""So many series names are in a comment."""
_DIFFUSION = {"dwi/dwi": "dwi/dir-{dir}_dwi", "dwi/sbref": "dwi/dir-{dir}_sbref"}
"""Targets of diffusion scans, and what tells their polarities apart."""
_EACH_OTHER = {"write": ["B0FieldIdentifier"]}
"""`serves` of scans that correct each other: the field is estimated from their b0 volumes."""
_SCANNER_MAPS = re.compile(r"anat/(?:UNIT1|T1map)|fmap/.*")
"""Guesses of what the scanner computes and BIDS has a place for; field maps in Hz are among them."""


@dataclass(frozen=True)
class Draft:
    """A rule to be written."""

    match: tuple[tuple[str, Any], ...]
    target: str
    ignore: str
    comment: str
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def options(self) -> Mapping[str, Any]:
        """Return what stands below `as`."""
        return dict(self.extra)

    def with_options(self, options: Mapping[str, Any]) -> "Draft":
        """Return the rule with further options."""
        return replace(self, extra=(*self.extra, *options.items()))


def drafts_of(facts: Sequence[ImageFacts], schema: Schema) -> list[Draft]:
    """Return rules that decide all images, in their order."""
    remaining = list(facts)
    drafts: list[Draft] = []
    for draft, concerns in _general(facts):
        own = [each for each in remaining if concerns(each)]
        if own:
            drafts.append(replace(draft, comment=_counted(own)))
            remaining = [each for each in remaining if not concerns(each)]
    peers: dict[tuple[str, str], list[ImageFacts]] = {}
    for each in remaining:
        peers.setdefault(_key(each), []).append(each)
    recognised = [(each, recognise(each, peers[_key(each)], schema)) for each in remaining]
    maps = [(each, found) for each, found in recognised if each.kind == ImageKind.DERIVED]
    others = [(each, found) for each, found in recognised if each.kind != ImageKind.DERIVED]
    computed = [draft for draft in drafts if dict(draft.match).get("kind") == ImageKind.DERIVED]
    before = [draft for draft in drafts if draft not in computed]
    of_maps = [*_targets(maps)]
    known = [(draft.match, draft.target) for draft in of_maps]
    of_others = [draft for draft in _targets(others) if (draft.match, draft.target) not in known]
    return [*before, *of_maps, *computed, *_ignored(others), *of_others, *_unrecognised(others)]


def _key(facts: ImageFacts) -> tuple[str, str]:
    return facts.image.session.id, facts.name


def _general(facts: Iterable[ImageFacts]) -> Iterator[tuple[Draft, Callable[[ImageFacts], bool]]]:
    """Yield rules that ignore what is no image of a raw data set, and which images they concern."""
    modalities = sorted({_modality(each) for each in facts} - {"MR", ""})
    if modalities:
        yield _ignore({"modality": modalities}, "not MR"), lambda each: _modality(each) in modalities
    no_images = "localizer, saved screen, report or spectroscopy"
    not_evaluable = SeriesVerdict.NOT_EVALUABLE
    yield _ignore({"verdict": str(not_evaluable)}, no_images), lambda each: each.verdict is not_evaluable
    twice = sorted({each.image.session.id for each in facts if _is_twice(each)})
    yield (
        _ignore({"source": "parrec", "session": [*map(literal, twice)]}, "the same scans exist as DICOM"),
        lambda each: each.is_par and each.image.session.id in twice,
    )
    yield (
        _ignore({"kind": str(ImageKind.DERIVED)}, "computed by the scanner"),
        lambda each: each.kind == ImageKind.DERIVED and not _SCANNER_MAPS.fullmatch(each.guess),
    )


def _modality(facts: ImageFacts) -> str:
    return text(facts.image.series.header, "Modality")


def _is_twice(facts: ImageFacts) -> bool:
    """Return whether a PAR/REC has the number of a DICOM series of its session."""
    others = (each for each in facts.image.session.series if each.kind is not facts.image.series.kind)
    return facts.is_par and any(text(each.header, "SeriesNumber") == str(facts.number) for each in others)


def _ignore(match: Mapping[str, Any], reason: str) -> Draft:
    return Draft(tuple(match.items()), "", reason, "")


Pairs = Sequence[tuple[ImageFacts, Recognised]]


def _ignored(pairs: Pairs) -> Iterator[Draft]:
    """Yield rules for images that cannot be exported as they are; their names may be those of other images, too."""
    groups: dict[tuple[str, str], list[ImageFacts]] = {}
    good = {(each.name, each.guess) for each, found in pairs if found.target}
    for each, found in pairs:
        if found.ignore and found.source != "none":
            key = "" if each.volumes == 1 and each.guess == "func/bold" else each.name
            groups.setdefault((found.ignore, key), []).append(each)
    merged: dict[tuple[str, bool], list[ImageFacts]] = {}
    for (reason, name), own in groups.items():
        merged.setdefault((reason, bool(name)), []).extend(own)
    for (reason, by_name), own in merged.items():
        match: dict[str, Any] = {"name": _names(own)} if by_name else {"guess": "func/bold", "volumes": 1}
        if by_name and any((each.name, each.guess) in good for each in own):
            match["session"] = sorted({literal(each.image.session.id) for each in own})
        yield replace(_ignore(match, reason), comment=_counted(own))


def _unrecognised(pairs: Pairs) -> Iterator[Draft]:
    own = [each for each, found in pairs if found.source == "none"]
    if own:
        yield replace(_ignore({"name": _names(own)}, "not recognised: say what it is"), comment=_counted(own))


def _targets(pairs: Pairs) -> Iterator[Draft]:
    """Yield rules for what is exported."""
    groups: dict[tuple[str, str], list[ImageFacts]] = {}
    tells_directions = _tells_directions(each for each, found in pairs if _TASK in found.target)
    is_reversed = _is_reversed([each for each, found in pairs if found.target in _DIFFUSION])
    for each, found in pairs:
        target = found.target.replace(_TASK, f"{_TASK}_dir-{{dir}}") if tells_directions else found.target
        target = _DIFFUSION.get(target, target) if is_reversed else target
        if target:
            groups.setdefault((target, found.source), []).append(each)
    targets: dict[str, set[str]] = {}
    for (target, _source), own in groups.items():
        for each in own:
            targets.setdefault(each.guess, set()).add(target)
    shared = {guess for guess, several in targets.items() if len(several) > 1}
    for (target, source), own in groups.items():
        made = _of_tasks(target, source, own) if _TASK in target else [_draft(target, source, own)]
        by_name = source == GUESS and any(each.guess in shared for each in own)
        yield from (_named(draft, own) for draft in made) if by_name else made


def _named(draft: Draft, own: Iterable[ImageFacts]) -> Draft:
    """Return a rule that also asks for the name, since other images have the same guess."""
    return replace(draft, match=tuple({"name": _names(own), **dict(draft.match)}.items()))


def _tells_directions(own: Iterable[ImageFacts]) -> bool:
    """Return whether runs differ in polarity, by their names, and all headers have it."""
    runs = list(own)
    return any(has_direction(each.name) for each in runs) and all(each.direction for each in runs)


def _is_reversed(own: Sequence[ImageFacts]) -> bool:
    """Return whether a session has diffusion scans of two polarities, and all headers have theirs."""
    polarities = {(each.image.session.id, each.direction) for each in own}
    return all(each.direction for each in own) and len(polarities) > len({session for session, _ in polarities})


def _of_tasks(target: str, source: str, own: list[ImageFacts]) -> Iterator[Draft]:
    tasks: dict[str, list[ImageFacts]] = {}
    for each in own:
        tasks.setdefault(task_label(each.name), []).append(each)
    if len(tasks) > _FEW or "" in tasks:
        yield _draft(target, source, own)
        return
    for task, images in tasks.items():
        yield _named(_draft(target.replace("{task}", task), source, images), images)


def _draft(target: str, source: str, own: list[ImageFacts]) -> Draft:
    guesses = sorted({each.guess for each in own})
    match: dict[str, Any] = {"guess": _one(guesses)} if source == GUESS else {"name": _names(own)}
    comment = f"{source}; {_counted(own)}"
    extra = (("serves", _EACH_OTHER),) if target == _DIFFUSION["dwi/dwi"] else ()
    return Draft((*match.items(), *CONDITIONS.get(source, {}).items()), target, "", comment, extra)


def _names(own: Iterable[ImageFacts]) -> Any:
    return _one(sorted({literal(each.name) for each in own}))


def _one(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values


def _counted(own: Sequence[ImageFacts]) -> str:
    """Return `12 series in 4 sessions: rest, nback`."""
    series = {(each.image.session.id, each.image.series.n) for each in own}
    sessions = {session for session, _n in series}
    names = sorted({each.name for each in own})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    where = f"{len(sessions)} session{'s' * (len(sessions) != 1)}"
    return f"{len(series)} series in {where}: {', '.join(names[:_NAMED])}{more}"
