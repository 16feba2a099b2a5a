"""Guesses what an image is: the target that a proposed rule gives it, and the source of the guess."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from qxbatch.acquisition import ImageKind
from qxbatch.bids.decide.families import FIELD_MAP_SUFFIXES
from qxbatch.bids.images.facts import FIELD_MAP_IN_HZ, ImageFacts
from qxbatch.bids.schema.names import Schema
from qxbatch.bids.schema.required import missing_fields
from qxbatch.bids.schema.target import TargetError, read_target

_NOT_PROPOSED = ("discard", "derived", "mrs")
"""Data types of BidsGuess that are never a target: two that BIDS does not have, and spectroscopy."""
_REPROIN = re.compile(r"(?:WIP[ _])?(anat|func|fmap|dwi|perf)(?:-([A-Za-z0-9]+))?((?:_[a-z]+-[A-Za-z0-9]+)*)", re.ASCII)
_USUAL_SUFFIXES = {"func": "bold", "dwi": "dwi", "perf": "asl", "anat": "T1w", "fmap": "epi"}
"""Suffix of each data type if the name has none."""
_OMITTED_ENTITIES = ("sub", "ses", "run", "echo", "part", "inv", "flip", "mt")
"""Entities that the session or the export gives, and not the rule."""
_NAME_PATTERNS = (
    ("func/task-{task}_sbref", r"sbref"),
    ("fmap/phasediff", r"field_?map(?!.*(?:_|-)(?:ap|pa|lr|rl))"),
    ("anat/FLAIR", r"flair|tirm|darkfluid"),
    ("anat/T1w", r"mp-?rage|bravo|t1"),
    ("anat/T2w", r"t2(?!\*|star)|space|cube"),
    ("anat/T2starw", r"t2\*|t2star|swi|gre"),
)
"""Targets, each with a pattern for the names of its series. `fmap/phasediff` is the target of all images of a field map: the export
gives each its suffix by its kind and echo (qxbatch.bids.decide.families)."""
_LOCALIZER = re.compile(
    r"(?<![a-z])(?:localizer|localiser|scout|survey|pilot|3-?plane|plan_?scan)(?![a-z])", re.IGNORECASE
)
BIDS_GUESS = "BidsGuess"
SEVERAL_VOLUMES, SHORT_TE_AND_TR, LONG_TE = "several volumes", "short TE and TR", "long TE"
NOT_RECOGNISED = "none"
"""Some of the sources of a guess (`Recognition.source`); NOT_RECOGNISED if there is no guess."""
_SHORT_TR, _SHORT_TE, _LONG_TE = 20.0, 8.0, 60.0
"""In ms."""
MATCH_BY_SOURCE: Mapping[str, Mapping[str, Any]] = {
    SEVERAL_VOLUMES: {"volumes": ">1"},
    SHORT_TE_AND_TR: {"te_ms": f"<{_SHORT_TE:g}", "tr_ms": f"<{_SHORT_TR:g}"},
    LONG_TE: {"te_ms": f">={_LONG_TE:g}"},
}
"""Further keys of `match` of a proposed rule besides the name, by the source of its guess."""


class Recognition(NamedTuple):
    """The guess for an image."""

    target: str
    """Empty where a rule should ignore it."""
    ignore: str
    """Why a rule should ignore it; empty if it has a target."""
    source: str
    """The source of the guess, such as `BidsGuess`, `ReproIn` or `b-values`; NOT_RECOGNISED without a guess."""


def recognise(facts: ImageFacts, peers: Sequence[ImageFacts], schema: Schema) -> Recognition:
    """Return the first guess that is a valid target, or why the image cannot be exported under this target.

    An image with the name of a localizer is ignored. `peers` are the images of the session with the same name, including this
    image.
    """
    if _LOCALIZER.search(facts.name):
        return Recognition("", "localizer by its name", "name")
    for target, source in _candidates(facts):
        ignore_reason = _why_ignored(target, facts, peers, schema)
        if ignore_reason is None:
            continue
        return Recognition("", ignore_reason, source) if ignore_reason else Recognition(target, "", source)
    return Recognition("", "not recognised: say what it is", NOT_RECOGNISED)


def _candidates(facts: ImageFacts) -> Iterator[tuple[str, str]]:
    """Yield guesses, the most reliable first: each a target, which can be invalid, and its source."""
    if target := reproin_target(facts.name):
        yield target, "ReproIn"
    if target := _target_from_guess(facts):
        yield target, BIDS_GUESS
    yield from _targets_from_facts(facts)


def reproin_target(name: str) -> str:
    """Return the target of a name by the convention of ReproIn; empty if the name does not follow it.

    Entities that the session or the export gives, such as `ses` and `run`, are omitted.

    >>> reproin_target("func_task-rest_acq-p2_run-01"), reproin_target("anat-T1w_acq-tfl"), reproin_target("anatomy")
    ('func/task-rest_acq-p2_bold', 'anat/acq-tfl_T1w', '')
    """
    match = _REPROIN.match(name)
    if match is None or not (match[2] or match[3]) or name[match.end() : match.end() + 1].isalnum():
        return ""
    entities = [pair for pair in match[3].split("_") if pair and pair.partition("-")[0] not in _OMITTED_ENTITIES]
    return f"{match[1]}/{'_'.join([*entities, match[2] or _USUAL_SUFFIXES[match[1]]])}"


def _target_from_guess(facts: ImageFacts) -> str:
    datatype, _slash, suffix = facts.guess.partition("/")
    if not suffix or datatype in _NOT_PROPOSED:
        return ""
    if suffix in FIELD_MAP_SUFFIXES and datatype == "fmap":
        suffix = "phasediff"
    if facts.guess == "dwi/dwi" and facts.polarity and not _has_b_values(facts):
        return "fmap/dir-{dir}_epi"  # probably a b0 image of the other polarity
    entities = "task-{task}_" if datatype == "func" else "dir-{dir}_" if suffix == "epi" else ""
    return f"{datatype}/{entities}{suffix}"


def _has_b_values(facts: ImageFacts) -> bool:
    return any(file.endswith(".bval") for file in facts.image.summary.files)


def _targets_from_facts(facts: ImageFacts) -> Iterator[tuple[str, str]]:
    name, volumes = facts.name.casefold(), facts.volumes
    shells = facts.acquisition.b_values or ()
    if len(shells) > 1 or (shells and volumes > 1):
        yield "dwi/dwi", "b-values"
    if volumes > 1 and not shells and (facts.tr_ms or 0) > _SHORT_TR:
        yield "func/task-{task}_bold", SEVERAL_VOLUMES
    for target, pattern in _NAME_PATTERNS:
        if re.search(pattern, name):
            yield target, "name"
    if volumes == 1 and (facts.tr_ms or _SHORT_TR) < _SHORT_TR and (facts.te_ms or _SHORT_TE) < _SHORT_TE:
        yield "anat/T1w", SHORT_TE_AND_TR
    if volumes == 1 and (facts.te_ms or 0) >= _LONG_TE:
        yield "anat/T2w", LONG_TE


def _why_ignored(target: str, facts: ImageFacts, peers: Sequence[ImageFacts], schema: Schema) -> str | None:
    """Return why an image cannot be exported under a target; empty if it can, None if the target is not valid."""
    try:
        parsed = read_target(re.sub(r"\{\w+\}", "x", target), schema)
    except TargetError:
        return None
    if "{dir}" in target and not facts.polarity:
        return "the polarity of its phase encoding is in no header"
    if parsed.suffix == "bold" and facts.volumes == 1:
        return "one volume is not a time series"
    missing = missing_fields(schema, parsed.datatype, parsed.suffix, facts.image.sidecar)
    if parsed.suffix == "asl":
        missing.append("the context of its volumes")
    if parsed.suffix == "dwi" and not _has_b_values(facts):
        missing.append("b-values")
    if parsed.suffix == "phasediff" and _needs_two_echoes(facts, peers) and not _has_two_echoes(facts, peers):
        missing += ["EchoTime1", "EchoTime2"]
    if not missing:
        return ""
    names = " and ".join([text for text in (", ".join(missing[:-1]), missing[-1]) if text])
    return f"{names} {'is' if len(missing) == 1 else 'are'} in no header"


def _needs_two_echoes(facts: ImageFacts, peers: Sequence[ImageFacts]) -> bool:
    """Return whether an image of a field map is a phase difference, which needs two echo times.

    Magnitude images and maps in Hz are not. A derived image counts as a magnitude image if a map in Hz is among its peers.
    """
    if facts.kind == ImageKind.DERIVED:
        return all(peer.kind != FIELD_MAP_IN_HZ for peer in peers)
    return facts.kind not in (ImageKind.MAGNITUDE, FIELD_MAP_IN_HZ)


def _has_two_echoes(facts: ImageFacts, peers: Sequence[ImageFacts]) -> bool:
    """Return whether the two echo times of a phase difference are known."""
    echoes = {peer.te_ms for peer in peers if peer.kind == ImageKind.MAGNITUDE} - {None}
    has_two = len(echoes) == 2  # noqa: PLR2004 - a difference is of two
    return has_two or ("EchoTime1" in facts.image.sidecar and "EchoTime2" in facts.image.sidecar)
