"""The runs of one session: which images are exported, and the entities that follow from group and acquisition time."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from qxbatch.acquisition import SeriesVerdict
from qxbatch.bids.decide.acquisitions import Acquisition, Candidate, acquisitions, copies, joined, slot
from qxbatch.bids.decide.entities import Named, named
from qxbatch.bids.decide.families import Family, family_of, is_companion, is_set, most_echoes, run_of
from qxbatch.bids.schema.names import Schema


@dataclass
class Grouped:
    """What the groups of a session give."""

    named: list[Named] = field(default_factory=list)
    dropped: list[tuple[Candidate, str]] = field(default_factory=list)
    """Images that `repeat` leaves out, and why."""
    orphans: list[tuple[Candidate, str, str]] = field(default_factory=list)
    """Images without the run that they belong to: why, and what to write."""


def grouped(candidates: Iterable[Candidate], schema: Schema) -> Grouped:
    """Return the images of one session with their targets."""
    families: dict[Family, list[Candidate]] = {}
    for candidate in candidates:
        families.setdefault(family_of(candidate), []).append(candidate)
    result = Grouped()
    for family, members in families.items():
        _family(family, members, schema, result)
    return result


def _family(family: Family, members: list[Candidate], schema: Schema, result: Grouped) -> None:
    companions = [member for member in members if is_companion(member)]
    mains = [member for member in members if not is_companion(member)]
    if not mains:
        mains, companions = companions, []
    runs = acquisitions(mains)
    has_times = any(run.start for run in runs)
    if is_set(family, schema) or not has_times:
        runs = joined(runs, most_echoes(family))
    for run in runs:
        _drop_copies(run, result)
    belongs = _companions(companions, runs, result)
    kept = [run for run in runs if _is_kept(run, runs, result, belongs.get(id(run), []))]
    numbers = len(kept) > 1 and "run" not in dict(family.entities)
    for k, run in enumerate(kept, 1):
        whole = Acquisition([*run.members, *belongs.get(id(run), [])])
        note = f"run-{k}: number {k} of {len(kept)} by acquisition time ({_start_text(run)})"
        for each in named(whole, schema):
            result.named.append(_numbered(each, k, note, schema) if numbers else each)


def _numbered(each: Named, k: int, note: str, schema: Schema) -> Named:
    if "run" not in schema.entities(each.target.datatype, each.target.suffix):
        return each
    return replace(each, target=each.target.having(schema, {"run": str(k)}), notes=(note, *each.notes))


def _start_text(run: Acquisition) -> str:
    start = run.start
    return start.isoformat(sep=" ", timespec="seconds") if start else "no time is known: by series number"


def _drop_copies(run: Acquisition, result: Grouped) -> None:
    """Leave one image of each scan that exists more than once, where its rule says which."""
    for same in copies(run):
        rule = same[-1].match.rule
        option, choice = ("copies", rule.copies) if rule.copies else ("repeat", rule.repeat)
        if choice == "all":
            continue
        kept = _best(same, choice)
        for member in same:
            if member is not kept:
                run.members.remove(member)
                number = kept.facts.number
                result.dropped.append((member, f"{option} = {choice}: series {number} is the same acquisition"))


def _best(same: list[Candidate], repeat: str) -> Candidate:
    """Return the copy that is exported; of equal ones the last."""
    if repeat == "longest":
        return max(enumerate(same), key=lambda pair: (pair[1].facts.volumes, pair[0]))[1]
    if repeat == "complete":
        return max(enumerate(same), key=lambda pair: (_is_complete(pair[1]), pair[0]))[1]
    return same[-1]


def _is_complete(member: Candidate) -> bool:
    return member.facts.verdict is not SeriesVerdict.INCOMPLETE


def _is_kept(run: Acquisition, runs: list[Acquisition], result: Grouped, companions: list[Candidate]) -> bool:
    """Return whether `repeat` leaves a run in; where not, its images and companions are listed."""
    if not run.members:
        return False
    reason = _why_dropped(run, runs)
    if reason:
        result.dropped += [(member, reason) for member in (*run.members, *companions)]
    return not reason


def _why_dropped(run: Acquisition, runs: list[Acquisition]) -> str:
    repeat = run.members[0].match.rule.repeat
    if repeat == "complete" and not all(map(_is_complete, run.members)):
        return "repeat = complete: it is incomplete"
    best = runs[-1]
    if repeat == "longest":
        best = max(enumerate(runs), key=lambda pair: (pair[1].volumes, pair[0]))[1]
    if repeat in ("last", "longest") and run is not best:
        number = best.members[0].facts.number
        what = "was scanned later" if repeat == "last" else f"has {best.volumes} volumes, this one {run.volumes}"
        return f"repeat = {repeat}: series {number} {what}"
    return ""


def _companions(companions: list[Candidate], runs: list[Acquisition], result: Grouped) -> dict[int, list[Candidate]]:
    """Return the companions of each run, by its id; those without a run are listed."""
    found: dict[int, list[Candidate]] = {}
    for companion in reversed(acquisitions(companions)):
        _drop_copies(companion, result)
        run = run_of(companion, [run for run in runs if run.members])
        taken = {slot(member) for member in found.get(id(run), [])}
        own = [member for member in companion.members if slot(member) not in taken]
        if run is not None:
            found.setdefault(id(run), []).extend(own)
        for member in companion.members if run is None else [each for each in companion.members if each not in own]:
            _orphan(member, run, result)
    return found


def _orphan(member: Candidate, run: Acquisition | None, result: Grouped) -> None:
    of = f"series {run.members[0].facts.number} has a later one" if run else "no run was scanned after it"
    if member.match.rule.repeat != "all":
        result.dropped.append((member, f"repeat = {member.match.rule.repeat}: {of}"))
        return
    hint = 'Write repeat = "last" into its rule, or'
    result.orphans.append((member, f"it is the {member.target.suffix} of no run: {of}", hint))
